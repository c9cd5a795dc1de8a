//! The seam between the delivery engine and the wire.

use crate::error::TransportError;
use crate::payload::Payload;
use crate::receipt::Receipt;
use async_trait::async_trait;
use std::fmt::Debug;
use std::sync::Arc;

/// Carries payloads to where they belong and says truthfully what became of each.
///
/// A transport knows its protocol and nothing of queues, retries or events: it tries once and reports. The client calls
/// [`send`](Self::send) on its own thread, inside a tokio runtime with time and I/O, and keeps several sends under way
/// when it is allowed to. What a logging adapter gets from there makes no event; an implementation with threads of its own that
/// log holds `jkool_client::DeliveryThread` on each of them. No method has a default: what an implementation forgets, the compiler finds.
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Tries once to deliver `batch` and answers with one outcome for each payload, in order.
    ///
    /// Payloads go out in order; after a failure that holds for the whole transport (retry, misconfigured) the rest of
    /// the batch is not tried and is reported as surely not delivered. A batch longer than
    /// [`max_batch`](Self::max_batch) is still taken, in as many steps as it needs.
    ///
    /// # Cancel safety
    /// When the future is dropped, the whole batch counts as in doubt.
    async fn send(&self, batch: &[Payload]) -> Receipt;

    /// How many payloads travel as one unit, at least 1: the client makes no larger batches. A transport that needs a
    /// request for each payload says 1, and gets its speed from several sends at once.
    fn max_batch(&self) -> usize;

    /// Lets go of connections; a later [`send`](Self::send) fails with [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    /// Closing again does nothing.
    ///
    /// # Errors
    /// When what was already confirmed could not be brought to an orderly end.
    async fn close(&self) -> Result<(), TransportError>;
}

/// A shared transport is the transport: every call goes through.
#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        (**self).send(batch).await
    }

    fn max_batch(&self) -> usize {
        (**self).max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        (**self).close().await
    }
}
