//! The trait between the delivery engine and the wire.

use crate::error::TransportError;
use crate::metric::Metric;
use crate::payload::Payload;
use crate::receipt::Receipt;
use async_trait::async_trait;
use std::fmt::Debug;
use std::sync::Arc;

/// Sends payloads to a server, and reports the outcome of each. Implement it to use another protocol; `jkool-client` takes any
/// implementation.
///
/// A transport implements a protocol. It knows nothing of queues, retries or events: it tries once and reports.
///
/// The client calls [`send`](Self::send) on its own thread, inside a tokio runtime with time and I/O, and runs several sends
/// concurrently if it is allowed to. Logging adapters ignore records from that thread. If an implementation has threads of its
/// own that log, each of them must hold a `jkool_client::DeliveryThread`.
#[async_trait]
pub trait Transport: Debug + Send + Sync + 'static {
    /// Tries once to deliver `batch`, and returns one outcome for each payload, in order.
    ///
    /// Payloads are sent in order. After a failure that holds for the whole transport (retry, misconfigured), the rest of the
    /// batch is not sent, and is reported as not delivered and not in doubt. A batch longer than [`max_batch`](Self::max_batch)
    /// must be accepted, and is sent in as many steps as it needs.
    ///
    /// # Cancel safety
    /// If the future is dropped, the whole batch counts as in doubt.
    async fn send(&self, batch: &[Payload]) -> Receipt;

    /// Returns the maximum number of payloads in a batch, at least 1; the client makes no larger batches. A transport that
    /// needs a request for each payload returns 1, and is fast because several sends run concurrently.
    fn max_batch(&self) -> usize;

    /// Closes all connections. A later [`send`](Self::send) fails with [`ErrorKind::Closed`](crate::ErrorKind::Closed). Closing
    /// again does nothing.
    ///
    /// # Errors
    /// If data that was already confirmed could not be finished properly, such as by a final sync.
    async fn close(&self) -> Result<(), TransportError>;

    /// Returns what the transport knows about its own state, such as the length of its queue. The client reports it in
    /// `Health`. The default is that it knows nothing.
    ///
    /// Any thread may call this at any time, also after [`close`](Self::close), so it must not block.
    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
}

/// A shared transport forwards every call to the transport in it.
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

    fn metrics(&self) -> Vec<Metric> {
        (**self).metrics()
    }
}
