//! A transport that logs about its sends, as an HTTP stack does: none of that becomes an event.

use async_trait::async_trait;
use jkool_log::builder;
use jkool_log::client::is_delivery_thread;
use jkool_log::model::Event;
use jkool_log::transport::{Kind, MemoryTransport, Payload, Receipt, Transport, TransportError};
use log::{LevelFilter, Log, Metadata, Record, trace};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug)]
struct Talkative(MemoryTransport);

#[async_trait]
impl Transport for Talkative {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        trace!(events = batch.len(); "sending");
        let receipt = self.0.send(batch).await;
        trace!("sent {}", batch.len());
        // A flush from here must not wait for this very send.
        log::logger().flush();
        receipt
    }

    fn max_batch(&self) -> usize {
        1
    }

    async fn close(&self) -> Result<(), TransportError> {
        trace!("closing");
        self.0.close().await
    }
}

/// Counts the records of the delivery thread and the others.
#[derive(Default)]
struct Counts {
    delivery: AtomicUsize,
    others: AtomicUsize,
}

struct Console(Arc<Counts>);

impl Log for Console {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() == "delivery_thread" {
            let count = if is_delivery_thread() { &self.0.delivery } else { &self.0.others };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn flush(&self) {}
}

#[test]
fn what_the_transport_logs_never_comes_back_in() {
    const RECORDS: usize = 500;
    let (memory, counts) = (MemoryTransport::new(), Arc::<Counts>::default());
    let guard = builder()
        .transport(Talkative(memory.clone()))
        .level(LevelFilter::Trace)
        .beside(Console(Arc::clone(&counts)))
        .shutdown_timeout(Duration::from_secs(60))
        .install()
        .unwrap();
    let client = guard.client().clone();
    for number in 0..RECORDS {
        trace!("record {number}");
    }
    drop(guard);

    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    assert_eq!(events.len(), RECORDS);
    assert!(events.iter().all(|event| event.message.starts_with("record ")));
    let stats = client.stats();
    assert_eq!(stats.accepted(), stats.delivered() + stats.in_memory() + stats.dropped_total());
    assert_eq!((stats.accepted(), stats.delivered(), stats.dropped_total()), (500, 500, 0));
    // The console hears of both: two for each send, and of the end.
    let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    assert_eq!((count(&counts.others), count(&counts.delivery)), (RECORDS, 2 * RECORDS + 1));
}
