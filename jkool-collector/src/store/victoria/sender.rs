//! The thread that sends acknowledged entities to VictoriaLogs, and removes them from the journal when they are on the
//! server's disk.

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

/// The time in which arriving entities are collected into one batch.
const PAUSE: Duration = Duration::from_millis(200);

/// The interval of checks which entities the server has, and the pause after a failure.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time in which sent entities must become visible before they are sent again; after the second time they count as
/// refused.
const SHOWN: Duration = Duration::from_secs(10);

/// The maximum number of entities, and of bytes, in a batch.
const ENTITIES: usize = 4_096;
const BYTES: usize = 8 << 20;

/// The number of batches after which they are checked.
const BATCHES: usize = 16;

/// A task of the sending thread.
#[derive(Debug)]
pub(super) enum Task {
    /// Send everything, and reply when queries find it.
    Settle(Channel<()>),
    /// End the thread.
    Close,
}

pub(super) struct Sender {
    pub(super) shared: Arc<Shared<()>>,
    pub(super) server: Server,
    pub(super) position: Position,
    pub(super) refused: Arc<Refused>,
    pub(super) journal: PathBuf,
    /// The time after which the server has certainly written accepted entities to disk.
    pub(super) flushed_after: Duration,
    /// The batches that the server accepted but may still lose, oldest first.
    pub(super) batches: VecDeque<Batch>,
    /// The sequence number of the last entity that was sent.
    pub(super) sent: u64,
    /// The sequence number up to which entities may have arrived without a confirmation.
    pub(super) doubt: u64,
    /// Whether the server was not reachable, and may have lost the entities in its memory.
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
            // The caller may have stopped waiting.
            settling.into_iter().for_each(|reply: Channel<()>| reply.send(()).unwrap_or_default());
        }
    }

    /// Sends entities that were not sent yet.
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
            // Kept only after all steps that may fail and be repeated.
            self.refused.keep(&beyond)?;
            batch.is_sent();
            self.sent = last;
            self.batches.push_back(batch);
        }
        Ok(())
    }

    /// Sends entities. After a failure it is unknown which of them, up to `last`, arrived.
    fn insert(&mut self, entities: &[Arc<Stored>], last: u64) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        entities.iter().for_each(|stored| row::write(stored, &mut lines));
        if lines.is_empty() {
            return Ok(());
        }
        self.server.insert(&lines).inspect_err(|_| self.doubt = self.doubt.max(last))
    }

    /// Checks which batches are visible, and which are on disk.
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

    /// Whether queries find the whole batch.
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

    /// Removes entities from the journal that are on the server's disk. Entities that a killed server lost are sent again.
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

    /// Sends the missing entities of batches that were visible before; the journal still has them.
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
