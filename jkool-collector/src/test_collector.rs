//! A collector for tests.

use crate::builder::CollectorBuilder;
use crate::collector::Collector;
use crate::script::Answer;
use crate::script::Script;
use crate::start_error::StartError;
use jkool_model::{Entity, Event};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A collector for tests. It listens on a free port, stores in memory, and accepts any token.
///
/// A test can script its answers, and wait until entities have arrived.
///
/// ```
/// use jkool_client::Client;
/// use jkool_collector::{Answer, TestCollector};
///
/// let collector = TestCollector::start();
/// collector.answer_next(Answer::status(503).retry_after(0)); // the first request is turned down
/// let client = Client::builder().url(collector.url()).token("canary-0f").source("APPL=Shop".parse()?).build()?;
/// client.event("ProcessOrder").message("Order processed").emit();
/// client.event("ShipOrder").emit();
///
/// let arrived = collector.wait_for(2)?;
/// assert_eq!(arrived.len(), 2);
/// assert!(collector.events().iter().any(|event| event.message == "Order processed"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TestCollector {
    collector: Collector,
    script: Arc<Script>,
}

/// The error if fewer entities arrived than expected. Its `Debug` output, which `unwrap` prints, lists those that arrived.
#[derive(Clone, thiserror::Error)]
#[error("{} of {expected} entities arrived within {patience:?}:{}", arrived.len(), list(arrived))]
#[non_exhaustive]
pub struct TooFew {
    /// The expected number of entities.
    pub expected: usize,
    /// How long the test waited.
    pub patience: Duration,
    /// The entities that arrived.
    pub arrived: Vec<Entity>,
}

/// Long enough for a slow machine; a test that succeeds does not wait so long.
const TIMEOUT: Duration = Duration::from_secs(10);

impl TestCollector {
    /// Starts a collector.
    ///
    /// # Panics
    /// Panics if it cannot be started, which only happens if there are no free threads or ports.
    #[track_caller]
    pub fn start() -> Self {
        match Self::start_with(Collector::builder()) {
            Ok(collector) => collector,
            Err(error) => panic!("can't start a test collector: {error}"),
        }
    }

    /// Starts a collector with the given settings, except that it always listens on a free port.
    ///
    /// # Errors
    /// As [`CollectorBuilder::start`].
    pub fn start_with(builder: CollectorBuilder) -> Result<Self, StartError> {
        let script = Arc::new(Script::default());
        let mut builder = builder.listen("127.0.0.1:0");
        builder.script = Some(Arc::clone(&script));
        Ok(Self { collector: builder.start()?, script })
    }

    /// Returns the url to send to.
    pub fn url(&self) -> String {
        self.collector.url()
    }

    /// Returns the collector itself, with its store, address and counters.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Scripts the answer to the next request that contains entities. Several scripted answers are used in the order of the calls; after
    /// them, requests are answered as usual.
    pub fn answer_next(&self, answer: Answer) {
        self.script.answer_next(answer);
    }

    /// Waits until `count` entities have arrived, at most 10 seconds, and returns all that have arrived, in the order of arrival. Entities
    /// with the same tracking id and the same body are counted once.
    ///
    /// # Errors
    /// Returns an error if fewer entities arrived.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Entity>, TooFew> {
        self.wait_for_within(count, TIMEOUT)
    }

    /// Like [`wait_for`](Self::wait_for), with another timeout.
    ///
    /// # Errors
    /// Returns an error if fewer entities arrived.
    pub fn wait_for_within(&self, count: usize, timeout: Duration) -> Result<Vec<Entity>, TooFew> {
        wait(&self.script, count, timeout)
    }

    /// Like [`wait_for`](Self::wait_for), for async code on any runtime.
    ///
    /// # Errors
    /// Returns an error if fewer entities arrived.
    pub async fn wait_for_async(&self, count: usize) -> Result<Vec<Entity>, TooFew> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let script = Arc::clone(&self.script);
        std::thread::spawn(move || tell.send(wait(&script, count, TIMEOUT)));
        // The thread tells in any case.
        told.await.unwrap_or_else(|_| wait(&self.script, count, Duration::ZERO))
    }

    /// Returns all entities that have arrived until now, in the order of arrival.
    pub fn entities(&self) -> Vec<Entity> {
        self.script.wait_for(0, Duration::ZERO)
    }

    /// Returns all events that have arrived until now.
    pub fn events(&self) -> Vec<Event> {
        let event = |entity| match entity {
            Entity::Event(event) => Some(*event),
            _ => None,
        };
        self.entities().into_iter().filter_map(event).collect()
    }
}

fn wait(script: &Script, expected: usize, timeout: Duration) -> Result<Vec<Entity>, TooFew> {
    let arrived = script.wait_for(expected, timeout);
    if arrived.len() < expected { Err(TooFew { expected, patience: timeout, arrived }) } else { Ok(arrived) }
}

/// Prints the entities in readable form, because `unwrap` in a test uses `Debug`.
impl fmt::Debug for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn list(arrived: &[Entity]) -> String {
    /// The maximum number of entities to print.
    const SHOWN: usize = 20;
    let one = |entity: &Entity| match entity {
        Entity::Event(event) => format!("\n  event {}: {}", event.operation, event.message),
        Entity::Activity(activity) => format!("\n  activity {}", activity.operation),
        Entity::Snapshot(snapshot) => format!("\n  snapshot {}", snapshot.name),
        _ => "\n  an entity".to_owned(),
    };
    let mut list: String = arrived.iter().take(SHOWN).map(one).collect();
    match arrived.len() {
        0 => list.push_str(" none"),
        count if count > SHOWN => list.push_str("\n  …"),
        _ => {}
    }
    list
}
