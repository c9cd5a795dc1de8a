//! The client against servers and networks that do what they should not.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/child.rs"]
mod child;
#[path = "../common/faults.rs"]
mod common;

mod connection;
mod http;
mod tls;
