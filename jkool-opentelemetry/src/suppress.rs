//! Suppresses telemetry of the delivery itself: what the HTTP stack records while it sends would be sent too, without end. The
//! SDK has a mark for this, which is set for a thread.

use jkool_client::transport::{Payload, Receipt, Transport, TransportError};
use jkool_client::{BuildError, Client};
use opentelemetry::Context;
use std::sync::mpsc;
use std::time::Duration;

/// Suppresses all telemetry on the client's delivery thread.
///
/// Only code that a client runs gets to that thread: here the end of another client that shares the thread.
pub(crate) fn on_delivery_thread_of(client: &Client) -> Result<(), BuildError> {
    let (marked, is_marked) = mpsc::sync_channel(1);
    let marker = Client::builder().transport(Marker(marked)).share_worker(client).notices(false).build()?;
    let _nothing_was_emitted = marker.shutdown(Duration::ZERO);
    // A thread that is busy with a hook of another client is not waited for: it is marked a little later.
    is_marked.recv_timeout(PATIENCE).ok();
    Ok(())
}

const PATIENCE: Duration = Duration::from_millis(500);

/// A transport that only reports that it was closed.
#[derive(Debug)]
struct Marker(mpsc::SyncSender<()>);

#[async_trait::async_trait]
impl Transport for Marker {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        Receipt::delivered(batch.len())
    }

    fn max_batch(&self) -> usize {
        1
    }

    async fn close(&self) -> Result<(), TransportError> {
        // A guard would shut it down.
        std::mem::forget(Context::enter_telemetry_suppressed_scope());
        self.0.try_send(()).ok();
        Ok(())
    }
}
