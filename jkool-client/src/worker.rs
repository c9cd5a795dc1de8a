//! The delivery thread: the only place that waits, sends and runs hooks.

use crate::caught::caught;
use crate::defaults::Defaults;
use crate::delivery::{Batch, Delivery, Permit, Ticket};
use crate::encode::{encode, payload_weight};
use crate::intake::{Queued, Taken};
use crate::ledger::End;
use crate::notices::Notices;
use crate::shared::Shared;
use crate::{DeadLetter, LossReason, clock};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jkool_model::Entity;
use jkool_transport::{Disposition, ErrorKind, Failure, Receipt, Transport, TransportError};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Looks at each event on the delivery thread before it is encoded: gives it back, changed or not, or drops it.
pub(crate) type BeforeSend = Box<dyn Fn(Entity) -> Option<Entity> + Send>;

/// Gets each event that the server refused for good.
pub(crate) type OnDeadLetter = Box<dyn Fn(DeadLetter) + Send>;

/// Looks whether the token's file has changed, and hands a new token to the transport; true when it did.
pub(crate) type TokenWatch = Box<dyn FnMut() -> bool + Send>;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a delivery thread, or one that its runtime started. A logger drops what comes from there: it is
/// the HTTP stack talking about sending events.
pub(crate) fn is_current() -> bool {
    IS_WORKER.try_with(Cell::get).unwrap_or(false)
}

fn mark_thread() {
    IS_WORKER.with(|is_worker| is_worker.set(true));
}

pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) delivery: Delivery,
    pub(crate) max_batch: usize,
    pub(crate) defaults: Defaults,
    pub(crate) before_send: Option<BeforeSend>,
    pub(crate) on_dead_letter: Option<OnDeadLetter>,
    pub(crate) notices: Notices,
    pub(crate) token_watch: Option<TokenWatch>,
    /// When to look at the token's file again.
    pub(crate) next_look: Option<Instant>,
    /// Where events are encoded.
    pub(crate) scratch: Vec<u8>,
}

/// How often the token's file is looked at while nothing gets through.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long closing a transport may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends under way; each gives back its batch and what came of it.
type Sends = FuturesUnordered<Pin<Box<dyn Future<Output = Sent>>>>;

struct Sent {
    ticket: Ticket,
    batch: Batch,
    receipt: Receipt,
}

impl Worker {
    /// Starts the thread, and waits until its runtime is there.
    pub(crate) fn spawn(self) -> io::Result<std::thread::JoinHandle<()>> {
        let (started, start) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("jkool".into()).spawn(move || {
            mark_thread();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().on_thread_start(mark_thread).build();
            match runtime {
                Ok(runtime) => {
                    drop(started.send(Ok(())));
                    let shared = Arc::clone(&self.shared);
                    // What is dropped at its end, hooks and transport, is not ours and may panic too.
                    caught(|| self.live(&runtime));
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
        if caught(|| runtime.block_on(self.run())).is_none() {
            self.shared.end_all(LossReason::WorkerFailed);
        }
    }

    async fn run(&mut self) {
        let mut sends = Sends::new();
        loop {
            let now = clock::now();
            let next_deadline = self.shared.expire(now);
            if self.shared.is_drained() {
                break;
            }
            if self.shared.is_asked_to_try() || self.token_changed(now) {
                self.delivery.try_now();
            }
            let until = self.start_sends(&mut sends, now);
            self.notices.tell_losses(&self.shared.stats(), now);
            let until = until.into_iter().chain(next_deadline).chain(self.next_look).min();
            if let Some(sent) = self.wait(&mut sends, until).await {
                self.settle(sent);
            }
        }
        self.finish(sends).await;
    }

    /// While a person must mend something, it may be the token, and its file may hold a new one.
    fn token_changed(&mut self, now: Instant) -> bool {
        let Some(watch) = self.token_watch.as_mut().filter(|_| self.delivery.is_paused()) else {
            self.next_look = None;
            return false;
        };
        if self.next_look.is_some_and(|next| next > now) {
            return false;
        }
        self.next_look = Some(now + LOOK_INTERVAL);
        watch()
    }

    /// Sends all that may be sent now, and says when there is more to do.
    fn start_sends(&mut self, sends: &mut Sends, now: Instant) -> Option<Instant> {
        loop {
            let batch = match self.delivery.permit(now) {
                Permit::Resend(batch) => batch,
                Permit::Fresh => match self.shared.take(self.max_batch, !sends.is_empty(), now) {
                    Taken::Events(events) => self.encode(events),
                    Taken::Nothing { until } => return until,
                },
                Permit::Wait { until } => return until,
            };
            if batch.len() > 0 {
                let ticket = self.delivery.start(now);
                sends.push(Box::pin(send(Arc::clone(&self.transport), ticket, batch)));
            }
        }
    }

    fn encode(&mut self, events: Vec<Queued>) -> Batch {
        let mut batch = Batch::default();
        let mut dropped = Vec::new();
        for Queued { entity, mark } in events {
            match self.prepare(entity) {
                Ok(payload) => batch.push(payload, mark),
                Err(reason) => dropped.push((mark, End::Dropped(reason))),
            }
        }
        let weights = batch.payloads.iter().map(payload_weight);
        self.shared.reweigh(batch.marks.iter_mut().zip(weights));
        if !dropped.is_empty() {
            self.shared.end(dropped, 0);
        }
        batch
    }

    fn prepare(&mut self, mut entity: Entity) -> Result<jkool_transport::Payload, LossReason> {
        self.defaults.apply(&mut entity, clock::timestamp);
        if let Some(before_send) = &self.before_send {
            entity = caught(|| before_send(entity)).ok_or(LossReason::HookPanic)?.ok_or(LossReason::BeforeSend)?;
        }
        let invalid: Box<dyn std::error::Error> = match entity.validate() {
            Ok(()) => match encode(entity, &mut self.scratch) {
                Ok(payload) => return Ok(payload),
                Err(error) => error.into(),
            },
            Err(error) => error.into(),
        };
        self.notices.refused(invalid.as_ref());
        Err(LossReason::Invalid)
    }

    /// Waits for the first of: a send that comes back, a wake, the time.
    async fn wait(&self, sends: &mut Sends, until: Option<Instant>) -> Option<Sent> {
        let mut woken = pin!(self.shared.wake.notified());
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

    fn settle(&mut self, sent: Sent) {
        let settled = self.delivery.settle(sent.ticket, sent.batch, sent.receipt, clock::now());
        if let Some(notice) = settled.notice {
            self.notices.tell(notice);
        }
        for letter in settled.dead_letters {
            self.notices.refused(&letter.error);
            if let Some(on_dead_letter) = &self.on_dead_letter {
                // A hook that panics has had its letter.
                caught(|| on_dead_letter(letter));
            }
        }
        let success = settled.ended.iter().any(|(_, end)| *end == End::Delivered);
        self.shared.update_health(self.delivery.trouble(), success, clock::timestamp());
        self.shared.end(settled.ended, settled.maybe_duplicated);
    }

    /// Lets go: what is left is counted as lost, and told.
    async fn finish(&mut self, sends: Sends) {
        drop(sends);
        self.shared.end_all(LossReason::Shutdown);
        drop(tokio::time::timeout(CLOSE_TIMEOUT, self.transport.close()).await);
        self.notices.tell_losses(&self.shared.stats(), clock::now());
    }
}

/// One send. A transport that panics has delivered nothing for sure and may do better next time.
async fn send(transport: Arc<dyn Transport>, ticket: Ticket, batch: Batch) -> Sent {
    let sending = AssertUnwindSafe(transport.send(&batch.payloads)).catch_unwind();
    let receipt = sending.await.unwrap_or_else(|panic| {
        std::mem::forget(panic);
        let error = TransportError::new(ErrorKind::Other, "the transport panicked");
        Receipt::failed(batch.len(), Failure::new(Disposition::Retry { after: None }, error).in_doubt())
    });
    Sent { ticket, batch, receipt }
}
