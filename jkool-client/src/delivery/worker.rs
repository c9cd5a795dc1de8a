//! The delivery of one client: the only code that waits, sends and runs hooks.

use crate::delivery::engine::{Engine, Step};
use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::queue::shared::Shared;
use crate::report::loss::LossReason;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jkool_transport::{Disposition, ErrorKind, Failure, Payload, Receipt, Transport, TransportError};
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

pub(crate) struct Worker {
    pub(crate) engine: Engine,
    pub(crate) transport: Arc<dyn Transport>,
}

/// The time limit for closing a transport.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The sends in flight; each returns its number and its result.
type Sends = FuturesUnordered<Pin<Box<dyn Future<Output = (u64, Receipt)>>>>;

impl Worker {
    /// Delivers until nothing is left to do, and releases everything. Returns what it shares with the program.
    ///
    /// Hooks and transport, which are dropped at the end, are foreign code and may panic.
    pub(super) async fn live(mut self, opened: mpsc::SyncSender<()>) -> Arc<Shared> {
        let shared = Arc::clone(&self.engine.shared);
        let opening = catch_panic(|| self.engine.open_spool(clock::now()));
        opened.send(()).ok();
        let lived = match opening {
            Some(()) => AssertUnwindSafe(self.run()).catch_unwind().await.ok(),
            None => None,
        };
        if lived.is_none() {
            shared.end_all(LossReason::WorkerFailed);
        }
        catch_panic(|| drop(self));
        shared
    }

    async fn run(&mut self) {
        let mut sends = Sends::new();
        while let Some(wake) = self.engine.tend(clock::now()) {
            let sent = match self.start_sends(&mut sends) {
                Some(until) => {
                    self.engine.tell_oldest();
                    self.wait(&mut sends, until.into_iter().chain(wake).min()).await
                }
                None => {
                    // Lets the runtime poll its sockets.
                    tokio::task::yield_now().await;
                    sends.next().now_or_never().flatten()
                }
            };
            if let Some((flight, receipt)) = sent {
                self.engine.settle(flight, receipt, clock::now());
            }
        }
        drop(sends);
        self.engine.finish();
        drop(tokio::time::timeout(CLOSE_TIMEOUT, self.transport.close()).await);
        let Engine { shared, diagnostics, delivery, .. } = &mut self.engine;
        let told = diagnostics.tell_last(&shared.stats(), delivery.trouble(), clock::now());
        shared.losses_told(told);
    }

    /// Sends everything that may be sent now, and returns when there is more to do: `None` for at once.
    fn start_sends(&mut self, sends: &mut Sends) -> Option<Option<Instant>> {
        loop {
            match self.engine.step(clock::now()) {
                Step::Send { flight, payloads } => {
                    sends.push(Box::pin(send(Arc::clone(&self.transport), flight, payloads)));
                }
                Step::Again => return None,
                Step::Wait { until } => return Some(until),
            }
        }
    }

    /// Waits for the first of: a send that returns, a wake-up, the time.
    async fn wait(&self, sends: &mut Sends, until: Option<Instant>) -> Option<(u64, Receipt)> {
        let mut woken = pin!(self.engine.shared.wake.notified());
        let mut timer = pin!(async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|context| {
            if let Poll::Ready(Some(sent)) = sends.poll_next_unpin(context) {
                return Poll::Ready(Some(sent));
            }
            if woken.as_mut().poll(context).is_ready() || timer.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }
}

/// Runs one send. If the transport panics, nothing was certainly delivered, and a retry may work.
async fn send(transport: Arc<dyn Transport>, flight: u64, payloads: Arc<Vec<Payload>>) -> (u64, Receipt) {
    let sending = AssertUnwindSafe(transport.as_ref().send(&payloads)).catch_unwind();
    let receipt = sending.await.unwrap_or_else(|panic| {
        std::mem::forget(panic);
        let error = TransportError::new(ErrorKind::Other, "the transport panicked");
        Receipt::failed(payloads.len(), Failure::new(Disposition::Retry { after: None }, error).in_doubt())
    });
    (flight, receipt)
}
