//! A subscriber that streams into memory, and what came out of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

use jkool_tracing::model::{Activity, Event, OpType, Property};
use jkool_tracing::transport::{Kind, MemoryTransport};
use jkool_tracing::{Guard, builder};
use std::time::Duration;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Streamed {
    memory: MemoryTransport,
    guard: Guard,
    _default: DefaultGuard,
}

/// Streams what this thread does until the end of the test.
pub fn start() -> Streamed {
    let memory = MemoryTransport::new();
    let builder = builder().transport(memory.clone()).code_location(false).busy_and_idle(false);
    let builder = builder.configure(|client| client.in_flight(1).notices(false).loss_events(false));
    let (layer, guard) = builder.build().unwrap();
    Streamed { memory, guard, _default: tracing_subscriber::registry().with(layer).set_default() }
}

impl Streamed {
    fn flush(&self) {
        assert!(self.guard.flush(PATIENCE).is_delivered());
    }

    pub fn activities(&self) -> Vec<Activity> {
        self.flush();
        self.memory.decode(Kind::Activity).unwrap()
    }

    /// The only activity with that `otel.kind`.
    #[track_caller]
    pub fn only(&self, kind: &str) -> Activity {
        let mut found = self.activities();
        found.retain(|activity| said(&activity.properties, "otel.kind").as_deref() == Some(kind));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    pub fn events(&self, op_type: OpType) -> Vec<Event> {
        self.flush();
        let mut events: Vec<Event> = self.memory.decode(Kind::Event).unwrap();
        events.retain(|event| event.op_type == op_type);
        events
    }
}

pub fn said(properties: &[Property], name: &str) -> Option<String> {
    properties.iter().find(|property| property.name == name).map(|property| property.value.to_string())
}
