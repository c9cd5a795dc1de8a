//! The main loop: the only place that waits for the source, the client and dead letters.

use crate::dead_letters::{Letter, OnNotice, Outbox};
use crate::decode::decode;
use crate::partitions::{Partitions, Stage};
use crate::relay::{RelayError, RelayReport};
use crate::source::{Next, Position, Record, Revoked, Source, SourceError};
use crate::status::{Counters, RelayStatus};
use jkool_client::model::error_chain;
use jkool_client::{Client, LossReason};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// How long the client may take for its last delivery, and to spool the rest.
const LAST: Duration = Duration::from_secs(2);

pub(crate) struct Engine {
    source: Box<dyn Source>,
    client: Client,
    letters: Outbox,
    /// Records that arrived while the limits were reached.
    waiting: VecDeque<Record>,
    partitions: Partitions,
    counters: Arc<Counters>,
    limits: Limits,
    on_notice: OnNotice,
    /// The deadline of draining, once it has begun.
    deadline: Option<Instant>,
    source_ended: bool,
    is_paused: bool,
    going: Vec<Going>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) drain: Duration,
    pub(crate) revoke: Duration,
    pub(crate) commit: Duration,
}

/// Partitions that are released when none of their records is in flight, or at the deadline.
struct Going {
    partitions: Vec<u64>,
    deadline: Instant,
    done: oneshot::Sender<Vec<Position>>,
}

/// What the loop waits for.
enum Turn {
    Stop,
    Settled(Result<(), LossReason>),
    Commit,
    /// A deadline may have passed.
    Look,
    Next(Result<Next, SourceError>),
}

impl Engine {
    pub(crate) fn new(
        source: Box<dyn Source>,
        client: Client,
        letters: Outbox,
        counters: Arc<Counters>,
        limits: Limits,
        on_notice: OnNotice,
    ) -> Self {
        let partitions = Partitions::new(letters.clone(), Arc::clone(&counters));
        Self {
            source,
            client,
            letters,
            waiting: VecDeque::new(),
            partitions,
            counters,
            limits,
            on_notice,
            deadline: None,
            source_ended: false,
            is_paused: false,
            going: Vec::new(),
        }
    }

    pub(crate) fn status(&self) -> RelayStatus {
        RelayStatus::new(Arc::clone(&self.counters), self.client.clone())
    }

    pub(crate) fn report(&self) -> RelayReport {
        let status = self.status();
        RelayReport {
            received: status.received(),
            settled: status.settled(),
            dead_letters: status.dead_letters(),
            left: status.in_flight() + self.waiting.len() as u64,
        }
    }

    /// Runs until it is stopped or the source has ended, and then until no records are in flight, or until the
    /// deadline. `writing` writes dead letters, and never ends.
    pub(crate) async fn relay(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        mut writing: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), RelayError> {
        let (mut commit, mut failed) = (interval(self.limits.commit), Ok(()));
        commit.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (client, drain) = (self.client.clone(), self.limits.drain);
        // A flush makes the client try the server at once.
        let mut flush = std::pin::pin!(async move {
            let _told_by_the_receipts = client.flush_async(drain).await;
            pending::<()>().await;
        });
        loop {
            self.let_go();
            self.take().await?;
            let is_late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
            if is_late || (self.is_drained() && self.has_committed().await) {
                return failed;
            }
            self.press();
            match self.turn(stop.as_mut(), writing.as_mut(), flush.as_mut(), &mut commit).await {
                Turn::Settled(Ok(())) | Turn::Look => {}
                Turn::Settled(Err(reason)) => return Err(RelayError::Client(reason)),
                // Done above.
                Turn::Commit if self.is_drained() => {}
                Turn::Commit => self.commit().await,
                Turn::Stop => self.stop(),
                // The source returns them again.
                Turn::Next(Ok(Next::Records(_))) if self.takes_nothing() => {}
                Turn::Next(Ok(Next::Records(records))) => self.waiting.extend(records),
                Turn::Next(Ok(Next::Revoked(revoked))) => self.revoke(revoked),
                Turn::Next(Ok(Next::Notice(text))) => (self.on_notice)(&text),
                Turn::Next(next) => {
                    failed = next.map(drop).map_err(RelayError::Source);
                    self.source_ended = true;
                    self.stop();
                }
            }
        }
    }

    async fn turn(
        &mut self,
        stop: Pin<&mut impl Future<Output = ()>>,
        writing: Pin<&mut impl Future<Output = ()>>,
        flush: Pin<&mut impl Future<Output = ()>>,
        commit: &mut Interval,
    ) -> Turn {
        let is_draining = self.deadline.is_some();
        let wake = self.going.iter().map(|going| going.deadline).chain(self.deadline).min();
        let Self { source, partitions, source_ended, .. } = self;
        tokio::select! {
            // Letters first, because records wait for them; new records last. A commit comes before records that are
            // settled, because under load there are always some.
            biased;
            () = writing => Turn::Look,
            () = stop, if !is_draining => Turn::Stop,
            _ = commit.tick() => Turn::Commit,
            settled = poll_fn(|context| partitions.poll_settled(context)) => Turn::Settled(settled),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => Turn::Look,
            () = flush, if is_draining => Turn::Look,
            next = source.next(), if !*source_ended => Turn::Next(next),
        }
    }

    /// Whether no more records arrive and those that did are settled.
    fn is_drained(&self) -> bool {
        self.takes_nothing() && self.waiting.is_empty() && self.partitions.is_empty()
    }

    /// Commits, and returns whether there is nothing left to commit. A commit that fails, for example because the partitions of
    /// a group are being reassigned, is tried again at the next turn, unless the source has ended.
    async fn has_committed(&mut self) -> bool {
        self.commit().await;
        self.source_ended || self.partitions.to_commit().is_empty()
    }

    /// Whether no more records arrive, or none that would be lost.
    fn takes_nothing(&self) -> bool {
        self.source_ended || (self.deadline.is_some() && self.source.repeats())
    }

    fn stop(&mut self) {
        if self.deadline.is_none() {
            self.source.stop();
            if self.source.repeats() {
                self.waiting.clear();
            }
            self.deadline = Some(Instant::now() + self.limits.drain);
        }
    }

    fn revoke(&mut self, Revoked { partitions, done }: Revoked) {
        // The relay that gets these partitions reads the records again.
        self.waiting.retain(|record| !partitions.contains(&record.position.partition));
        self.going.push(Going { partitions, deadline: Instant::now() + self.limits.revoke, done });
    }

    /// Emits waiting records as far as the limits allow. The client's queue has room for all of these, so this does not
    /// wait.
    async fn take(&mut self) -> Result<(), RelayError> {
        while let Some(record) = self.waiting.pop_front() {
            let is_large = self.partitions.bytes() + record.body.len() > self.limits.bytes;
            if self.partitions.records() >= self.limits.records || (is_large && !self.partitions.is_empty()) {
                self.waiting.push_front(record);
                break;
            }
            self.counters.received.fetch_add(1, Ordering::Relaxed);
            let name = self.source.name();
            let stage = match decode(&record, self.source.repeats().then_some(name)) {
                Ok(entity) => {
                    let permit = self.client.reserve().await.map_err(RelayError::Client)?;
                    Stage::Receipt(permit.emit_tracked(entity))
                }
                Err(why) => Stage::Letter(self.letters.put(Letter::unreadable(name, &record, &why))),
            };
            self.partitions.push(record.position, record.body.len(), stage);
        }
        Ok(())
    }

    /// Pauses the source while the limits are reached, until half of the records are settled.
    fn press(&mut self) {
        let (records, bytes) = (self.partitions.records(), self.partitions.bytes());
        let is_full = !self.waiting.is_empty() || records >= self.limits.records || bytes >= self.limits.bytes;
        let has_room = records <= self.limits.records / 2 && bytes <= self.limits.bytes / 2;
        if is_full && !self.is_paused {
            self.source.pause();
            self.is_paused = true;
        } else if has_room && !is_full && self.is_paused {
            self.source.resume();
            self.is_paused = false;
        }
        self.counters.paused.store(self.is_paused.into(), Ordering::Relaxed);
    }

    /// Answers for revoked partitions with no records in flight, whose deadline has passed, or for which nobody waits.
    fn let_go(&mut self) {
        let now = Instant::now();
        for going in std::mem::take(&mut self.going) {
            if self.partitions.are_idle(&going.partitions) || going.deadline <= now || going.done.is_closed() {
                let positions = self.partitions.release(&going.partitions);
                // The receiver may be gone.
                drop(going.done.send(positions));
            } else {
                self.going.push(going);
            }
        }
    }

    async fn commit(&mut self) {
        let positions = self.partitions.to_commit();
        if positions.is_empty() {
            return;
        }
        match self.source.commit(&positions).await {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                self.partitions.committed(&positions);
            }
            Err(error) => self.commit_failed(&error),
        }
    }

    fn commit_failed(&self, error: &SourceError) {
        self.counters.commits_failed.fetch_add(1, Ordering::Relaxed);
        (self.on_notice)(&format!("positions can't be committed: {}", error_chain(error)));
    }

    /// Shuts down the client, which spools the rest, commits, and closes the source.
    pub(crate) async fn finish(&mut self) {
        self.source.stop();
        self.partitions.end();
        let _told_by_the_counters = self.client.shutdown_async(LAST).await;
        let partitions = &mut self.partitions;
        poll_fn(|context| {
            while partitions.poll_settled(context).is_ready() {}
            Poll::Ready(())
        })
        .await;
        self.commit().await;
        // Ends the tasks that still wait.
        self.going.clear();
        if let Err(error) = self.source.close().await {
            self.commit_failed(&error);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("source", &self.source).field("limits", &self.limits).finish_non_exhaustive()
    }
}
