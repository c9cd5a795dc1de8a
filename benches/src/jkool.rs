//! How jKool is set up in all rows of its own.

use crate::event::{LOCATION, SOURCE, USER};
use jkool_client::{Client, ClientBuilder, OverflowPolicy};
use log::LevelFilter;
use std::time::Duration;

/// Longer than any row takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A queue of the size that the other rows have, and a caller who waits for room: nothing is lost.
pub fn lossless(client: ClientBuilder) -> ClientBuilder {
    client.overflow(OverflowPolicy::Block(PATIENCE)).queue_events(8192).queue_bytes(5 << 19)
}

/// A client whose events say what the full event says.
pub fn client() -> ClientBuilder {
    Client::builder().source(SOURCE.parse().expect("a source name"))
}

/// A logger with all decoration that a log line can have.
pub fn logger() -> jkool_log::Builder {
    jkool_log::builder()
        .source(SOURCE.parse().expect("a source name"))
        .user(USER)
        .location(LOCATION)
        .level(LevelFilter::Info)
}

/// The same for tracing.
pub fn layer() -> jkool_tracing::Builder {
    jkool_tracing::builder().source(SOURCE.parse().expect("a source name")).user(USER).location(LOCATION)
}

/// Ends the client, which must have delivered what it had.
pub fn finish(client: &Client) {
    let report = client.shutdown(PATIENCE);
    assert!(report.is_delivered(), "{report}; {}", client.stats());
}
