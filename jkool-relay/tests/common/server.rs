//! A server that is away, or refuses an event, when it is told to.

use async_trait::async_trait;
use jkool_client::transport::{
    Disposition, ErrorKind, Failure, MemoryTransport, Payload, Receipt, ReceiptBuilder, Transport, TransportError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone, Default)]
pub struct Server {
    memory: MemoryTransport,
    is_away: Arc<AtomicBool>,
    /// Refuses what holds this.
    refused: Option<&'static str>,
}

impl Server {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn away() -> Self {
        let server = Self::default();
        server.is_away.store(true, Ordering::SeqCst);
        server
    }

    pub fn refusing(text: &'static str) -> Self {
        Self { refused: Some(text), ..Self::default() }
    }

    pub fn come_up(&self) {
        self.is_away.store(false, Ordering::SeqCst);
    }

    /// What has arrived.
    pub fn bodies(&self) -> Vec<String> {
        self.memory.bodies()
    }

    /// The numbers of the events that have arrived, in order.
    pub fn numbers(&self) -> Vec<u64> {
        let number = |body: String| {
            let event: serde_json::Value = serde_json::from_str(&body).unwrap();
            event["msg-text"].as_str().unwrap().strip_prefix("number ").unwrap().parse().unwrap()
        };
        self.bodies().into_iter().map(number).collect()
    }
}

fn failure(disposition: Disposition) -> Failure {
    Failure::new(disposition, TransportError::new(ErrorKind::Answer, "as the test wants it"))
}

#[async_trait]
impl Transport for Server {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        if self.is_away.load(Ordering::SeqCst) {
            return Receipt::failed(batch.len(), failure(Disposition::Retry { after: None }));
        }
        let mut receipt = ReceiptBuilder::new(batch.len());
        for payload in batch {
            let holds = |text: &str| String::from_utf8_lossy(payload.body()).contains(text);
            if self.refused.is_some_and(holds) {
                receipt.record(1, Err(failure(Disposition::Rejected)));
            } else {
                self.memory.send(std::slice::from_ref(payload)).await;
                receipt.record(1, Ok(()));
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        100
    }

    async fn close(&self) -> Result<(), TransportError> {
        Ok(())
    }
}
