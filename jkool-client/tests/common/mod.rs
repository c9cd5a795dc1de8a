//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part, and a test may panic")]

use jkool_client::transport::{Disposition, ErrorKind, Failure, MemoryTransport, TransportError};
use jkool_client::{Client, ClientBuilder, LossReason, Stats};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Long enough that only a fault reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

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

/// What a hook is told that asks the client to which it belongs, once.
pub(crate) fn in_a_hook<T: Send + 'static>(
    builder: ClientBuilder,
    ask: impl Fn(&Client) -> T + Send + 'static,
) -> (Client, T) {
    let own = Arc::new(Mutex::new(None::<Client>));
    let (known, (told, answers)) = (Arc::clone(&own), channel());
    let hook = move |entity| {
        let client = known.lock().unwrap().take();
        if let Some(client) = client {
            told.send(ask(&client)).unwrap();
        }
        Some(entity)
    };
    let client = builder.before_send(hook).build().unwrap();
    *own.lock().unwrap() = Some(client.clone());
    client.event("op").emit();
    let answer = answers.recv_timeout(PATIENCE).unwrap();
    (client, answer)
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
