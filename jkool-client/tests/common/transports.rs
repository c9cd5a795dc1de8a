//! Transports that a test shuts and opens: servers that never answer, that fail for a while, that hold up the thread.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part, and a test may panic")]

use super::common::{PATIENCE, failure};
use jkool_client::transport::{Disposition, MemoryTransport, Outcome, Payload, Receipt, Transport, TransportError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use tokio::sync::Semaphore;

/// A server that answers nothing until it is opened, and everything from then on.
#[derive(Debug)]
pub(crate) struct Gate {
    memory: MemoryTransport,
    open: Semaphore,
    /// How many payloads have come so far.
    arrived: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn shut(memory: &MemoryTransport) -> Arc<Self> {
        let (arrived, changed) = (Mutex::new(0), Condvar::new());
        Arc::new(Self { memory: memory.clone(), open: Semaphore::new(0), arrived, changed })
    }

    pub(crate) fn open(&self) {
        self.pass(1_000_000);
    }

    /// Answers so many sends.
    pub(crate) fn pass(&self, sends: usize) {
        self.open.add_permits(sends);
    }

    /// Waits until so many payloads stand before the gate or have passed it.
    pub(crate) fn wait_for(&self, payloads: usize) {
        let arrived = self.arrived.lock().unwrap();
        let waited = self.changed.wait_timeout_while(arrived, PATIENCE, |arrived| *arrived < payloads).unwrap();
        assert!(!waited.1.timed_out(), "{} of {payloads} payloads came", *waited.0);
    }
}

#[async_trait::async_trait]
impl Transport for Gate {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        *self.arrived.lock().unwrap() += batch.len();
        self.changed.notify_all();
        self.open.acquire().await.unwrap().forget();
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

/// A server that takes everything and only counts it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Transport for Counter {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        self.0.fetch_add(batch.len() as u64, Ordering::SeqCst);
        Receipt::delivered(batch.len())
    }

    fn max_batch(&self) -> usize {
        512
    }

    async fn close(&self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// A server that refuses everything for now, until it is mended.
#[derive(Debug)]
pub(crate) struct Outage {
    memory: MemoryTransport,
    over: AtomicBool,
    refused: AtomicU64,
}

impl Outage {
    pub(crate) fn of(memory: &MemoryTransport) -> Arc<Self> {
        Arc::new(Self { memory: memory.clone(), over: AtomicBool::new(false), refused: AtomicU64::new(0) })
    }

    /// How many sends it has refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Transport for Outage {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        if self.over.load(Ordering::SeqCst) {
            return self.memory.send(batch).await;
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        Receipt::failed(batch.len(), failure(Disposition::Retry { after: None }))
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

/// A server that decides over each payload, and keeps those that it takes.
pub(crate) struct Judge<F> {
    memory: MemoryTransport,
    decide: F,
}

impl<F> Judge<F> {
    pub(crate) fn of(memory: &MemoryTransport, decide: F) -> Self {
        Self { memory: memory.clone(), decide }
    }
}

impl<F> std::fmt::Debug for Judge<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl<F: Fn(&Payload) -> Outcome + Send + Sync + 'static> Transport for Judge<F> {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let outcomes: Vec<_> = batch.iter().map(&self.decide).collect();
        for (payload, _) in batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Delivered)) {
            let _receipt = self.memory.send(std::slice::from_ref(payload)).await;
        }
        Receipt::new(outcomes)
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

/// A bad transport: holds up the delivery thread itself, until it is released.
#[derive(Debug)]
pub(crate) struct Clog {
    memory: MemoryTransport,
    state: Mutex<Held>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    NotYet,
    Now,
    NoMore,
}

impl Clog {
    pub(crate) fn of(memory: &MemoryTransport) -> Arc<Self> {
        Arc::new(Self { memory: memory.clone(), state: Mutex::new(Held::NotYet), changed: Condvar::new() })
    }

    fn wait_while(&self, state: Held) {
        let waited = self.changed.wait_timeout_while(self.state.lock().unwrap(), PATIENCE, |now| *now == state);
        assert!(!waited.unwrap().1.timed_out(), "still {state:?}");
    }

    /// Waits until the delivery thread is held up.
    pub(crate) fn wait(&self) {
        self.wait_while(Held::NotYet);
    }

    pub(crate) fn release(&self) {
        *self.state.lock().unwrap() = Held::NoMore;
        self.changed.notify_all();
    }
}

#[async_trait::async_trait]
impl Transport for Clog {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        {
            let mut state = self.state.lock().unwrap();
            if *state == Held::NotYet {
                *state = Held::Now;
            }
        }
        self.changed.notify_all();
        self.wait_while(Held::Now);
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}
