//! The one line, and what follows: records arrive, a second logger is refused, the end is counted.

use async_trait::async_trait;
use jkool_log::client::{Client, LossReason};
use jkool_log::model::{Event, Property, Severity};
use jkool_log::transport::{Kind, MemoryTransport, Payload, Receipt, Transport, TransportError};
use jkool_log::{InstallError, builder};
use log::{LevelFilter, debug, info, warn};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

/// Tells when it is dropped, and so when the client that had it is gone with its thread.
#[derive(Debug)]
struct Mortal(Sender<()>);

#[async_trait]
impl Transport for Mortal {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        Receipt::delivered(batch.len())
    }

    fn max_batch(&self) -> usize {
        1
    }

    async fn close(&self) -> Result<(), TransportError> {
        Ok(())
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.send(()).unwrap_or_default();
    }
}

/// One test: `log` has one logger in a process.
#[test]
fn the_life_of_a_logger() {
    let memory = MemoryTransport::new();
    let guard = builder()
        .transport(memory.clone())
        .source("APPL=WebOrders#SERVER=web-1".parse().unwrap())
        .user("bob")
        .location("Atlanta, Ga")
        .property("environment", "test")
        .install()
        .unwrap();
    assert_eq!(log::max_level(), LevelFilter::Info);

    // Records arrive.
    let line = line!() + 1;
    info!(corrid = "order-42", amount = 42; "Order {} processed", "A-100");
    debug!("below the level");
    assert!(!log::log_enabled!(log::Level::Debug));
    log::logger().flush();
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&*event.operation, &*event.message), ("install", "Order A-100 processed"));
    assert_eq!((event.severity, &*event.correlators), (Severity::Info, &["order-42".into()][..]));
    assert_eq!((&*event.user, &*event.location), ("bob", "Atlanta, Ga"));
    assert_eq!(event.source.as_ref().unwrap().as_str(), "APPL=WebOrders#SERVER=web-1");
    assert!(event.time.is_some() && event.tid.is_some() && event.pid.is_some() && event.tracking_id.is_some());
    let expected = [
        Property::new("amount", 42_i64),
        Property::new("module", "install"),
        Property::new("file", file!()),
        Property::new("line", line),
        Property::new("environment", "test"),
    ];
    assert_eq!(event.properties, expected);

    // A second logger is refused, and its client is gone with its thread and transport.
    let (sender, dropped) = channel();
    let refused = builder().transport(Mortal(sender)).level(LevelFilter::Trace).install().unwrap_err();
    assert!(matches!(refused, InstallError::AlreadyInstalled), "{refused:?}");
    assert_eq!(refused.to_string(), "another logger is already installed");
    dropped.recv_timeout(LONG).expect("the client is gone");
    assert_eq!(log::max_level(), LevelFilter::Info);

    // A client that the program made itself goes on.
    let own = MemoryTransport::new();
    let client = Client::builder().transport(own.clone()).build().unwrap();
    let refused = builder().client(client.clone()).install().unwrap_err();
    assert!(matches!(refused, InstallError::AlreadyInstalled), "{refused:?}");
    client.event("still here").emit();
    assert!(client.flush(LONG).is_delivered());
    assert_eq!(own.len(), 1);

    // The guard's end delivers what is there; what comes later is counted.
    let client = guard.client().clone();
    for number in 0..100 {
        warn!("{number}");
    }
    drop(guard);
    assert_eq!(memory.len(), 101);
    info!("too late");
    log::logger().flush();
    assert_eq!(memory.len(), 101);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.delivered(), stats.dropped(LossReason::AfterShutdown)), (102, 101, 1));
}
