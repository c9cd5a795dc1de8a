//! The command, as real processes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod collect;
mod command;
mod common;
mod follow;
mod query;
mod read;
mod relay;
mod relay_kafka;
mod relay_mqtt;
mod running;
mod send;
mod tail;
mod terminal;
mod watch;
