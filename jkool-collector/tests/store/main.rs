//! The store: what every one promises, and the embedded one with its files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../socket/mod.rs"]
mod socket;

mod contract;
mod file;
mod found;
mod jkql_laws;
mod kill;
mod takeover;
