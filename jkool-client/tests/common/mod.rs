//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part, and a test may panic")]

use jkool_client::transport::{Disposition, ErrorKind, Failure, MemoryTransport, TransportError};
use jkool_client::{Client, ClientBuilder, LossReason, Stats};
use std::time::Duration;

/// Long enough that only a fault reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A client over `transport` that tries again quickly and says nothing on standard error.
pub(crate) fn client(transport: &MemoryTransport) -> ClientBuilder {
    let retry = jkool_client::RetryPolicy::default()
        .initial(Duration::from_millis(1))
        .probe(Duration::from_millis(1), Duration::from_millis(5));
    Client::builder()
        .transport(transport.clone())
        .source("APPL=test#SERVER=?".parse().unwrap())
        .retry(retry)
        .notices(false)
        .loss_events(false)
}

pub(crate) fn failure(disposition: Disposition) -> Failure {
    Failure::new(disposition, TransportError::new(ErrorKind::Answer, "scripted"))
}

/// The law, which holds at every instant.
pub(crate) fn assert_balanced(stats: &Stats) {
    let known = stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total();
    assert_eq!(stats.accepted() + stats.recovered(), known, "{stats}");
}

/// The message of every delivered event, in order.
pub(crate) fn messages(transport: &MemoryTransport) -> Vec<String> {
    let events = transport.decode::<jkool_client::model::Event>(jkool_client::transport::Kind::Event).unwrap();
    events.into_iter().map(|event| event.message.into_owned()).collect()
}

/// The law, and these figures; what was lost for a reason that is not named is none.
#[track_caller]
pub(crate) fn assert_accounts(client: &Client, accepted: u64, delivered: u64, lost: &[(LossReason, u64)]) {
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.delivered()), (accepted, delivered), "{stats}");
    for reason in LossReason::ALL {
        let expected = lost.iter().find(|(lost, _)| lost == reason).map_or(0, |(_, count)| *count);
        assert_eq!(stats.dropped(*reason), expected, "{stats}");
    }
}
