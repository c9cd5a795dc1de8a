//! What the examples share: where they stream to, and what arrived there.

mod destination;
mod pretty;
mod received;

pub use destination::Destination;
pub use received::Received;

/// The code in the project's README is compiled and run, here where all of its crates are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
