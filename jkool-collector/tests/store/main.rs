//! The store: what every one promises, and the embedded one with its files.

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
