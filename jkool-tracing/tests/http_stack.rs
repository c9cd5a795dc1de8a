//! What the delivery's own HTTP stack says of the sending of events.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_tracing::transport::{MemoryTransport, Payload, Receipt, Transport, TransportError};
use std::time::Duration;
use tracing::{Instrument, error, error_span, info, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Talks about each send, in spans of its own.
#[derive(Debug)]
struct Talkative(MemoryTransport);

#[async_trait::async_trait]
impl Transport for Talkative {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let send = async {
            error!("sending {} events", batch.len());
            error_span!("request").in_scope(|| error!("connected"));
            self.0.send(batch).await
        };
        send.instrument(error_span!("send")).await
    }

    fn max_batch(&self) -> usize {
        self.0.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        error!("closing");
        self.0.close().await
    }
}

#[test]
fn the_delivery_never_streams_what_it_says_of_itself() {
    let memory = MemoryTransport::new();
    let (layer, guard) = jkool_tracing::builder().transport(Talkative(memory.clone())).build().unwrap();
    tracing_subscriber::registry().with(layer).init();
    for _ in 0..10 {
        info_span!("ours").in_scope(|| info!("ours"));
        assert!(guard.flush(Duration::from_secs(60)).is_delivered());
    }
    let client = guard.client().clone();
    assert!(guard.shutdown(Duration::from_secs(60)).is_delivered());
    assert_eq!((memory.len(), client.stats().accepted()), (20, 20));
}
