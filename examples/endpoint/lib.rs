//! What the examples share: a small jKool endpoint on this machine, for when there is no token. It is a stand-in until the
//! project's own collector exists.

mod destination;
mod pretty;
mod received;
mod server;

pub use destination::Destination;
pub use received::Received;
pub use server::{Endpoint, MAX_BODY};

/// The code in the project's README is compiled and run, here where all of its crates are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
