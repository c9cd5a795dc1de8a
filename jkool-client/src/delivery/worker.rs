//! The delivery thread: the only place that waits, sends and runs hooks.

use crate::delivery::engine::{Engine, Step};
use crate::emit::catch_panic::catch_panic;
use crate::emit::{clock, delivery_thread, thread};
use crate::report::loss::LossReason;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jkool_transport::{Disposition, ErrorKind, Failure, Payload, Receipt, Transport, TransportError};
use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

pub(crate) struct Worker {
    pub(crate) engine: Engine,
    pub(crate) transport: Arc<dyn Transport>,
}

/// How long closing a transport may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends under way; each gives back its number and what came of it.
type Sends = FuturesUnordered<Pin<Box<dyn Future<Output = (u64, Receipt)>>>>;

impl Worker {
    /// Starts the thread, and waits until its runtime is there.
    pub(crate) fn spawn(mut self) -> io::Result<std::thread::JoinHandle<()>> {
        let (started, start) = mpsc::sync_channel(1);
        let thread = thread::spawn("jkool", move || {
            delivery_thread::mark();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .on_thread_start(delivery_thread::mark)
                .build();
            match runtime {
                Ok(runtime) => {
                    self.engine.open_spool(clock::now());
                    drop(started.send(Ok(())));
                    let shared = Arc::clone(&self.engine.shared);
                    // What is dropped at its end, hooks and transport, is not ours and may panic too.
                    catch_panic(|| self.live(&runtime));
                    // A name look-up that hangs must not hold up the end of the thread.
                    runtime.shutdown_background();
                    // Only now are hooks, transport and connections gone.
                    shared.ended();
                }
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        match start.recv() {
            Ok(Ok(())) => Ok(thread),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("the delivery thread ended before it began")),
        }
    }

    fn live(mut self, runtime: &tokio::runtime::Runtime) {
        if catch_panic(|| runtime.block_on(self.run())).is_none() {
            self.engine.shared.end_all(LossReason::WorkerFailed);
        }
    }

    async fn run(&mut self) {
        let mut sends = Sends::new();
        while let Some(wake) = self.engine.tend(clock::now()) {
            let sent = match self.start_sends(&mut sends) {
                Some(until) => self.wait(&mut sends, until.into_iter().chain(wake).min()).await,
                None => {
                    // Sockets get their turn.
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
        let Engine { shared, diagnostics, .. } = &mut self.engine;
        let told = diagnostics.tell_last(&shared.stats(), clock::now());
        shared.losses_told(told);
    }

    /// Sends all that may be sent now, and says when there is more to do: `None` for at once.
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

    /// Waits for the first of: a send that comes back, a wake, the time.
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

/// One send. A transport that panics has delivered nothing for sure and may do better next time.
async fn send(transport: Arc<dyn Transport>, flight: u64, payloads: Arc<Vec<Payload>>) -> (u64, Receipt) {
    let sending = AssertUnwindSafe(transport.as_ref().send(&payloads)).catch_unwind();
    let receipt = sending.await.unwrap_or_else(|panic| {
        std::mem::forget(panic);
        let error = TransportError::new(ErrorKind::Other, "the transport panicked");
        Receipt::failed(payloads.len(), Failure::new(Disposition::Retry { after: None }, error).in_doubt())
    });
    (flight, receipt)
}
