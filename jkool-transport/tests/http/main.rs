//! The transport over HTTP, against scripted servers.
#![cfg(feature = "http")]
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod config;
mod connections;
mod faults;
mod files;
mod idle;
mod lines;
mod proxy;
mod secrets;
mod timeouts;
mod tls;
