//! The thread that acknowledges. Batches that wait are written together, so that they share one sync of the disk.

use super::state::{Group, Shared};
use crate::clock::Clock;
use crate::store::engine::{Fresh, Reply};
use crate::store::{Appended, Record, Retention, StoreError, StoreErrorKind, Stored};
use bytes::Bytes;
use jkool_model::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, oneshot};

/// The maximum number of entities that are written together, so that no batch waits long for others.
const GROUP: usize = 8_192;

/// The maximum size of an entity that is copied for subscribers, which may be slow.
const LARGE: usize = 64 << 10;

/// The number of entities that a subscriber may lag behind.
pub(in crate::store) const TAIL: usize = 1_024;

/// The index after the journal.
pub(in crate::store) trait Follower: Send {
    /// The data that readers need.
    type View: Clone + Send + Sync;

    /// Whether it contains the same entity, with the same tracking id.
    fn has_equal(&mut self, view: &Self::View, record: &Record) -> Result<bool, StoreError>;

    /// Passes acknowledged entities on. Those that it cannot accept now stay in the journal.
    fn follow(&mut self, group: Arc<Group>);
}

/// A handle of the writing thread. When it is dropped, the thread ends after all submitted records are written.
#[derive(Debug)]
pub(in crate::store) struct Writer {
    batches: Mutex<Option<Sender<Batch>>>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    size: usize,
    reply: oneshot::Sender<Result<Appended, StoreError>>,
}

/// The state of the thread.
pub(in crate::store) struct Work<F: Follower> {
    pub(in crate::store) shared: Arc<Shared<F::View>>,
    pub(in crate::store) clock: Clock,
    pub(in crate::store) retention: Retention,
    pub(in crate::store) tail: broadcast::Sender<Arc<Fresh>>,
    pub(in crate::store) follower: F,
    /// The sequence number of the next entity.
    pub(in crate::store) next: u64,
}

pub(in crate::store) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the store is closed")
}

impl Writer {
    pub(in crate::store) fn start<F: Follower + 'static>(work: Work<F>, limit: usize) -> Result<Self, StoreError> {
        let (batches, incoming) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut writing = Writing { work, waiting: Arc::clone(&waiting), recent: HashMap::new(), indexed: 0 };
        let thread = std::thread::Builder::new().name("jkool-store".into()).spawn(move || writing.run(&incoming));
        let thread = thread.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        Ok(Self { batches: Mutex::new(Some(batches)), waiting, limit, thread: Some(thread) })
    }

    /// Submits records; the outcome is reported when it is known.
    pub(in crate::store) fn submit(&self, records: Vec<Record>) -> Result<Reply, StoreError> {
        let size = records.iter().map(|record| record.size).sum::<usize>();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        // A single batch that is larger than the limit is accepted if nothing else waits.
        if before > 0 && before + size > self.limit {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(StoreError::new(StoreErrorKind::Busy, "too many entities are waiting to be written"));
        }
        let (reply, done) = oneshot::channel();
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        match batches.as_ref().map(|batches| batches.send(Batch { records, size, reply })) {
            Some(Ok(())) => Ok(done),
            _ => Err(closed()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.batches.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.take() {
            // The caller already gets `closed`.
            drop(thread.join());
        }
    }
}

struct Writing<F: Follower> {
    work: Work<F>,
    waiting: Arc<AtomicUsize>,
    /// Entities that may not be in an index yet, by their key.
    recent: HashMap<u64, Arc<Stored>>,
    /// All entities up to this number were indexed when this was last cleaned up.
    indexed: u64,
}

impl<F: Follower> Writing<F> {
    fn run(&mut self, incoming: &Receiver<Batch>) {
        while let Ok(first) = incoming.recv() {
            let group = together(first, incoming);
            let sizes: usize = group.iter().map(|batch| batch.size).sum();
            let (records, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|batch| (batch.records, batch.reply)).unzip();
            let outcome = self.write(records);
            self.waiting.fetch_sub(sizes, Ordering::Relaxed);
            match outcome {
                // The caller may have stopped waiting.
                Ok(appended) => replies.into_iter().zip(appended).for_each(|(reply, one)| drop(reply.send(Ok(one)))),
                Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
            }
        }
    }

    /// Writes the new entities of some batches, and reports the outcome of each batch.
    fn write(&mut self, batches: Vec<Vec<Record>>) -> Result<Vec<Appended>, StoreError> {
        // Checked before anything is written, and once for all batches.
        let now = self.work.clock.now();
        let shared = Arc::clone(&self.work.shared);
        shared.wait_for_room()?;
        let (view, indexed) = {
            let state = shared.state();
            (state.view.clone(), state.indexed)
        };
        if self.indexed != indexed {
            self.recent.retain(|_, stored| stored.id.sequence() > indexed);
            self.indexed = indexed;
        }
        let oldest = self.work.retention.oldest(now).map_or(i64::MIN, Timestamp::as_usec).max(shared.oldest_kept());
        let (mut group, mut bytes) = (Vec::new(), 0);
        let (mut outcomes, mut keys) = (Vec::with_capacity(batches.len()), Vec::new());
        for records in batches {
            let mut appended = Appended::default();
            for record in records {
                if record.time.as_usec() < oldest {
                    appended.expired += 1;
                    continue;
                }
                if let Some(key) = record.key {
                    let is_recent = self.recent.get(&key).is_some_and(|stored| stored.entity == record.entity);
                    if is_recent || self.work.follower.has_equal(&view, &record)? {
                        appended.duplicates += 1;
                        continue;
                    }
                    keys.push((key, group.len()));
                }
                appended.stored += 1;
                bytes += record.size;
                let stored = Arc::new(record.into_stored(self.work.next));
                self.work.next += 1;
                // Duplicates may be in the same group.
                if let Some((key, _)) = keys.last().filter(|(_, index)| *index == group.len()) {
                    self.recent.entry(*key).or_insert_with(|| Arc::clone(&stored));
                }
                group.push(stored);
            }
            outcomes.push(appended);
        }
        if group.is_empty() {
            return Ok(outcomes);
        }
        let written = match shared.journal() {
            Some(mut journal) => journal.check().and_then(|()| journal.append(&group)),
            None => Ok(()),
        };
        if let Err(error) = written {
            // None of them was stored; their numbers are not reused.
            let first = group.first().map_or(0, |first| first.id.sequence());
            self.recent.retain(|_, stored| stored.id.sequence() < first);
            return Err(error);
        }
        let group = Arc::new(Group { entities: group, bytes });
        shared.add(Arc::clone(&group));
        // A subscriber may look the entity up at once.
        self.show(&group.entities);
        self.work.follower.follow(group);
        Ok(outcomes)
    }

    /// Passes new entities on to subscribers.
    fn show(&self, group: &[Arc<Stored>]) {
        if self.work.tail.receiver_count() == 0 {
            return;
        }
        for stored in group {
            let json = (stored.json.len() <= LARGE).then(|| Bytes::copy_from_slice(&stored.json));
            // There may be no subscribers.
            drop(self.work.tail.send(Arc::new(Fresh { id: stored.id, received: stored.received, json })));
        }
    }
}

/// Adds other waiting batches, up to the limit of a group.
fn together(first: Batch, incoming: &Receiver<Batch>) -> Vec<Batch> {
    let mut count = first.records.len();
    let mut group = vec![first];
    while count < GROUP {
        let Ok(batch) = incoming.try_recv() else { break };
        count += batch.records.len();
        group.push(batch);
    }
    group
}
