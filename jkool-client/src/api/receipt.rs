//! The receipt of a single event.

use crate::emit::{clock, delivery_thread};
use crate::queue::receipts::Receipt;
use crate::report::outcome::DeliveryOutcome;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The outcome of one event, from [`Client::emit_tracked`](crate::Client::emit_tracked). As a future it is ready when the event
/// is delivered or dropped, or when the client shuts down with the event in the spool. It can be dropped at any time; delivery
/// continues.
#[must_use = "the receipt tells whether the event was delivered"]
pub struct DeliveryReceipt {
    receipt: Arc<Receipt>,
}

impl DeliveryReceipt {
    pub(crate) fn new(receipt: Arc<Receipt>) -> Self {
        Self { receipt }
    }

    /// Returns the outcome so far: `None` while the event is in memory only, and [`DeliveryOutcome::Spooled`] while it waits in
    /// the spool.
    pub fn outcome(&self) -> Option<DeliveryOutcome> {
        self.receipt.end.get().or_else(|| self.receipt.durable.get())
    }

    /// Blocks until the event is delivered or dropped, or until the client shuts down with it in the spool, for at most
    /// `timeout`. Returns the outcome at that time, as [`outcome`](Self::outcome) does. In a hook of a client, which would wait
    /// for itself, it returns at once.
    pub fn wait(&self, timeout: Duration) -> Option<DeliveryOutcome> {
        if !delivery_thread::is_current() {
            self.receipt.end.wait_until(clock::later(clock::now(), timeout));
        }
        self.outcome()
    }

    /// Waits until the event is delivered, dropped, or durable in the [spool](crate::Spool), whichever comes first.
    ///
    /// ```
    /// # use jkool_client::{Client, DeliveryOutcome};
    /// # use jkool_client::transport::MemoryTransport;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let client = Client::builder().transport(MemoryTransport::new()).build()?;
    /// let mut receipt = client.event("PaymentAccepted").emit_tracked();
    /// assert_eq!(receipt.durable().await, DeliveryOutcome::Delivered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn durable(&mut self) -> DeliveryOutcome {
        poll_fn(|context| self.receipt.durable.poll(context)).await
    }
}

impl Future for DeliveryReceipt {
    type Output = DeliveryOutcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<DeliveryOutcome> {
        self.receipt.end.poll(context)
    }
}

impl fmt::Debug for DeliveryReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryReceipt").field("outcome", &self.outcome()).finish()
    }
}
