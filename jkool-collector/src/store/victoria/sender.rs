//! The thread that brings to VictoriaLogs what is acknowledged, and cuts the journal off behind what is on its disk.

use super::batch::Batch;
use super::logsql::LAST_TIME;
use super::position::Position;
use super::refused::Refused;
use super::row;
use super::server::Server;
use crate::store::front::{Group, Shared};
use crate::store::journal::replay;
use crate::store::{EntityId, StoreError, Stored};
use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Channel};
use std::time::{Duration, Instant};

/// What comes in for so long is sent together.
const PAUSE: Duration = Duration::from_millis(200);

/// So often it is looked what the server has, and so long a failure is waited out.
const INTERVAL: Duration = Duration::from_secs(1);

/// So long the server may take to show what it has taken, before that is sent again; after a second time it is refused.
const SHOWN: Duration = Duration::from_secs(10);

/// So many entities and bytes are sent at once.
const ENTITIES: usize = 4_096;
const BYTES: usize = 8 << 20;

/// After so many of these it is looked what has become of them.
const BATCHES: usize = 16;

/// What the sending thread is to do.
#[derive(Debug)]
pub(super) enum Task {
    /// Send all, and say when it is found there.
    Settle(Channel<()>),
    /// End.
    Close,
}

pub(super) struct Sender {
    pub(super) shared: Arc<Shared<()>>,
    pub(super) server: Server,
    pub(super) position: Position,
    pub(super) refused: Arc<Refused>,
    pub(super) journal: PathBuf,
    /// How long it takes until what the server has taken is surely on its disk.
    pub(super) flushed_after: Duration,
    /// What the server has taken and may lose again, the oldest first.
    pub(super) batches: VecDeque<Batch>,
    /// The last entity that was sent.
    pub(super) sent: u64,
    /// Up to here something may have arrived without our knowing.
    pub(super) doubt: u64,
    /// Whether the server was away, and may have lost what it had in memory.
    pub(super) was_away: bool,
}

impl Sender {
    #[expect(clippy::disallowed_methods, reason = "intervals, which a clock that jumps must not change")]
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        let (mut next_send, mut next_look) = (Instant::now(), Instant::now());
        loop {
            let mut settling = Vec::new();
            match tasks.recv_timeout(next_send.saturating_duration_since(Instant::now())) {
                Ok(Task::Close) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Task::Settle(reply)) => settling.push(reply),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            let is_asked = !settling.is_empty();
            let done = self.send().and_then(|()| if is_asked || now >= next_look { self.look() } else { Ok(()) });
            next_send = now + PAUSE;
            if is_asked || now >= next_look {
                next_look = now + INTERVAL;
            }
            if let Err(error) = done {
                self.was_away = true;
                self.shared.fail(error);
                next_send = Instant::now() + INTERVAL;
            }
            // Who gave up waiting needs no answer.
            settling.into_iter().for_each(|reply: Channel<()>| reply.send(()).unwrap_or_default());
        }
    }

    /// Sends what was not sent yet.
    fn send(&mut self) -> Result<(), StoreError> {
        for _ in 0..BATCHES {
            let (mut entities, mut bytes) = (Vec::new(), 0);
            let (_, pending) = self.shared.snapshot();
            let is_new = |group: &&Arc<Group>| group.entities.last().is_some_and(|last| last.id.sequence() > self.sent);
            for stored in pending.iter().filter(is_new).flat_map(|group| &group.entities) {
                if stored.id.sequence() <= self.sent {
                    continue;
                }
                if entities.len() >= ENTITIES || bytes >= BYTES {
                    break;
                }
                bytes += stored.json.len();
                entities.push(Arc::clone(stored));
            }
            let Some(last) = entities.last().map(|last| last.id.sequence()) else { return Ok(()) };
            let (sendable, beyond): (Vec<_>, Vec<_>) =
                entities.into_iter().partition(|stored| stored.time.as_usec() <= LAST_TIME);
            let is_doubtful = sendable.first().is_some_and(|first| first.id.sequence() <= self.doubt);
            let mut batch = Batch::of(sendable, last);
            if is_doubtful {
                self.server.flush()?;
                let missing = batch.missing(&self.server)?;
                self.insert(&batch.those(&missing), last)?;
            } else {
                self.insert(&batch.entities, last)?;
            }
            // Behind what can fail again and again.
            self.refused.keep(&beyond)?;
            batch.is_sent();
            self.sent = last;
            self.batches.push_back(batch);
        }
        Ok(())
    }

    /// Sends entities; after a failure it is not known which of them, up to `last`, have arrived.
    fn insert(&mut self, entities: &[Arc<Stored>], last: u64) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        entities.iter().for_each(|stored| row::write(stored, &mut lines));
        if lines.is_empty() {
            return Ok(());
        }
        self.server.insert(&lines).inspect_err(|_| self.doubt = self.doubt.max(last))
    }

    /// Looks what of it is found there, and what is on its disk.
    fn look(&mut self) -> Result<(), StoreError> {
        if self.batches.iter().any(|batch| !batch.is_found) {
            self.server.flush()?;
        }
        let mut found = None;
        for index in 0..self.batches.len() {
            if !self.batches[index].is_found && !self.find(index)? {
                break;
            }
            found = Some(self.batches[index].last);
        }
        if let Some(found) = found {
            let indexed = self.shared.state().indexed;
            self.shared.publish((), found.max(indexed));
        }
        self.cut()
    }

    /// Whether all of a batch is found.
    fn find(&mut self, index: usize) -> Result<bool, StoreError> {
        let batch = &self.batches[index];
        let missing = batch.missing(&self.server)?;
        if !missing.is_empty() {
            let (age, tries, last) = (batch.age(), batch.tries, batch.last);
            if age < SHOWN {
                return Ok(false);
            }
            let entities = batch.those(&missing);
            if tries < 2 {
                self.insert(&entities, last)?;
                self.batches[index].is_sent();
                return Ok(false);
            }
            self.refused.keep(&entities)?;
            self.batches[index].forget(&missing);
        }
        let batch = &mut self.batches[index];
        batch.is_found = true;
        batch.entities = Vec::new();
        Ok(true)
    }

    /// Cuts off what is on the server's disk. What it has lost, since it was killed, is sent again.
    fn cut(&mut self) -> Result<(), StoreError> {
        let (mut durable, mut lost) = (0, Vec::new());
        for index in 0..self.batches.len() {
            let batch = &self.batches[index];
            let is_old = batch.age() >= self.flushed_after;
            if !batch.is_found || !(is_old || self.was_away) {
                break;
            }
            let missing = batch.missing(&self.server)?;
            if !missing.is_empty() {
                lost.push((index, missing));
            } else if is_old && durable == index {
                durable += 1;
            }
        }
        self.restore(lost)?;
        self.was_away = false;
        let Some(last) = durable.checked_sub(1).and_then(|index| self.batches.get(index)).map(|batch| batch.last)
        else {
            return Ok(());
        };
        self.position.set(last)?;
        if let Some(mut journal) = self.shared.journal() {
            journal.cut(last);
        }
        self.batches.drain(..durable);
        Ok(())
    }

    /// Sends again what is missing of batches that were found before: the journal still has it.
    fn restore(&mut self, lost: Vec<(usize, HashSet<EntityId>)>) -> Result<(), StoreError> {
        if lost.is_empty() {
            return Ok(());
        }
        let entities = replay(&self.journal, self.position.durable)?.entities;
        for (index, missing) in lost {
            let entities: Vec<_> = entities.iter().filter(|stored| missing.contains(&stored.id)).cloned().collect();
            let last = self.batches[index].last;
            self.insert(&entities, last)?;
            let batch = &mut self.batches[index];
            (batch.entities, batch.is_found, batch.tries) = (entities, false, 0);
            batch.is_sent();
        }
        Ok(())
    }
}
