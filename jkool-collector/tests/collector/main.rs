//! The collector over sockets: what it takes, answers and shows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../socket/mod.rs"]
mod socket;

mod access;
mod api;
mod dashboards;
mod faults;
mod intake;
mod jkql;
mod jkql_socket;
mod otlp;
mod page;
mod replay;
mod sdks;
mod tcp;
mod test_collector;
mod tls;
