//! A layer that streams into memory, and what came out of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

use jkool_tracing::client::{LossReason, Stats};
use jkool_tracing::model::{Activity, Event, Property, Value};
use jkool_tracing::transport::{Kind, MemoryTransport};
use jkool_tracing::{Builder, Guard, JkoolLayer, builder};
use std::time::Duration;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a layer streams.
pub struct Streamed {
    memory: MemoryTransport,
    pub guard: Guard,
}

/// A layer for a subscriber of the test's own.
pub fn layer(settings: impl FnOnce(Builder) -> Builder) -> (JkoolLayer, Streamed) {
    let memory = MemoryTransport::new();
    // An event about what was lost would come at a time of its own.
    let builder = builder().transport(memory.clone()).code_location(false).busy_and_idle(false);
    let builder = builder.configure(|client| client.in_flight(1).notices(false).loss_events(false).max_batch(1 << 10));
    let (layer, guard) = settings(builder).build().unwrap();
    (layer, Streamed { memory, guard })
}

/// The same in a subscriber that is this thread's until the end of the test.
pub fn start(settings: impl FnOnce(Builder) -> Builder) -> (Streamed, DefaultGuard) {
    let (layer, streamed) = layer(settings);
    (streamed, tracing_subscriber::registry().with(layer).set_default())
}

impl Streamed {
    fn flush(&self) {
        assert_eq!(self.guard.flush(PATIENCE).pending(), 0);
        let stats = self.stats();
        assert_eq!(stats.in_memory(), 0);
        assert_eq!(stats.accepted(), stats.delivered() + stats.dropped_total());
    }

    pub fn stats(&self) -> Stats {
        self.guard.client().stats()
    }

    pub fn dropped(&self, reason: LossReason) -> u64 {
        self.stats().dropped(reason)
    }

    pub fn events(&self) -> Vec<Event> {
        self.flush();
        self.memory.decode(Kind::Event).unwrap()
    }

    /// The only event.
    #[track_caller]
    pub fn event(&self) -> Event {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    pub fn activities(&self) -> Vec<Activity> {
        self.flush();
        self.memory.decode(Kind::Activity).unwrap()
    }

    /// The only activity.
    #[track_caller]
    pub fn activity(&self) -> Activity {
        let mut activities = self.activities();
        assert_eq!(activities.len(), 1, "{activities:?}");
        activities.remove(0)
    }

    /// The activity of that name.
    #[track_caller]
    pub fn named(&self, operation: &str) -> Activity {
        let mut found = self.activities();
        found.retain(|activity| activity.operation == operation);
        assert_eq!(found.len(), 1, "{operation}");
        found.remove(0)
    }
}

/// Names and values, but for the target of a span.
pub fn said(properties: &[Property]) -> Vec<(&str, String)> {
    let said = properties.iter().filter(|property| property.name != "target");
    said.map(|property| (&*property.name, property.value.to_string())).collect()
}

pub fn value<'p>(properties: &'p [Property], name: &str) -> Option<&'p Value> {
    properties.iter().find(|property| property.name == name).map(|property| &property.value)
}
