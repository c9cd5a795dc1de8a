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

/// A collector for tests: on a free port, in memory, with any token. It gives the answers that a test wants to see, and waits
/// for what arrives.
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

/// Less arrived than was waited for. Shown with `{:?}`, as `unwrap` does, it says what.
#[derive(Clone, thiserror::Error)]
#[error("{} of {expected} entities arrived within {patience:?}:{}", arrived.len(), list(arrived))]
#[non_exhaustive]
pub struct TooFew {
    /// How many were waited for.
    pub expected: usize,
    /// For how long.
    pub patience: Duration,
    /// What arrived.
    pub arrived: Vec<Entity>,
}

/// Long enough for a slow machine; a test that goes well never waits so long.
const TIMEOUT: Duration = Duration::from_secs(10);

impl TestCollector {
    /// Starts one.
    ///
    /// # Panics
    /// When it can't be started, which only a lack of threads or ports explains.
    #[track_caller]
    pub fn start() -> Self {
        match Self::start_with(Collector::builder()) {
            Ok(collector) => collector,
            Err(error) => panic!("no collector for a test: {error}"),
        }
    }

    /// Starts one with other settings; it listens on a free port all the same.
    ///
    /// # Errors
    /// As [`CollectorBuilder::start`].
    pub fn start_with(builder: CollectorBuilder) -> Result<Self, StartError> {
        let script = Arc::new(Script::default());
        let mut builder = builder.listen("127.0.0.1:0");
        builder.script = Some(Arc::clone(&script));
        Ok(Self { collector: builder.start()?, script })
    }

    /// The url to send to.
    pub fn url(&self) -> String {
        self.collector.url()
    }

    /// The collector itself: its store, its address, its counts.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// What the next request is answered that brings entities. Of several the oldest comes first; after them all goes on as
    /// usual.
    pub fn answer_next(&self, answer: Answer) {
        self.script.answer_next(answer);
    }

    /// Waits until `count` entities have arrived, 10 seconds at most, and returns all that have, in the order of arrival. What
    /// comes again with the same tracking id and the same body is one.
    ///
    /// # Errors
    /// When less arrived.
    pub fn wait_for(&self, count: usize) -> Result<Vec<Entity>, TooFew> {
        self.wait_for_within(count, TIMEOUT)
    }

    /// As [`wait_for`](Self::wait_for), with another time-out.
    ///
    /// # Errors
    /// When less arrived.
    pub fn wait_for_within(&self, count: usize, timeout: Duration) -> Result<Vec<Entity>, TooFew> {
        wait(&self.script, count, timeout)
    }

    /// As [`wait_for`](Self::wait_for), in async code of any runtime.
    ///
    /// # Errors
    /// When less arrived.
    pub async fn wait_for_async(&self, count: usize) -> Result<Vec<Entity>, TooFew> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let script = Arc::clone(&self.script);
        std::thread::spawn(move || tell.send(wait(&script, count, TIMEOUT)));
        // The thread tells in any case.
        told.await.unwrap_or_else(|_| wait(&self.script, count, Duration::ZERO))
    }

    /// What has arrived until now, in the order of arrival.
    pub fn entities(&self) -> Vec<Entity> {
        self.script.wait_for(0, Duration::ZERO)
    }

    /// The events of what has arrived until now.
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

/// As a test shows it that unwraps: for a person.
impl fmt::Debug for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn list(arrived: &[Entity]) -> String {
    /// More would hide them.
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
