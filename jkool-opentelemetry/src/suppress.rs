//! Telemetry of the delivery itself: what the HTTP stack says while it sends would be sent, and so on for ever. The SDK has a mark for
//! that, which a thread bears.

use jkool_client::transport::{Payload, Receipt, Transport, TransportError};
use jkool_client::{BuildError, Client};
use opentelemetry::Context;
use std::sync::mpsc;
use std::time::Duration;

/// From now on no telemetry is made on the client's delivery thread.
///
/// Only what the client runs gets there: here the end of another client, which shares the thread.
pub(crate) fn on_delivery_thread_of(client: &Client) -> Result<(), BuildError> {
    let (marked, is_marked) = mpsc::sync_channel(1);
    let marker = Client::builder().transport(Marker(marked)).share_worker(client).notices(false).build()?;
    let _nothing_was_emitted = marker.shutdown(Duration::ZERO);
    // A thread that is busy with another client's hook is not waited for: it bears the mark a little later.
    is_marked.recv_timeout(PATIENCE).ok();
    Ok(())
}

const PATIENCE: Duration = Duration::from_millis(500);

/// A transport that is closed, which it tells, and that is all.
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
        // The guard would end it.
        std::mem::forget(Context::enter_telemetry_suppressed_scope());
        self.0.try_send(()).ok();
        Ok(())
    }
}
