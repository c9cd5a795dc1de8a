//! The thread that acknowledges. What waits meanwhile is written together, so that many share one trip to the disk.

use super::indexer::Task;
use super::state::{Group, Shared};
use crate::clock::Clock;
use crate::store::engine::{Fresh, Reply};
use crate::store::index::has_equal;
use crate::store::{Appended, Record, Retention, StoreError, StoreErrorKind, Stored};
use bytes::Bytes;
use jkool_model::Timestamp;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, oneshot};

/// So many entities are written together at most, so that nobody waits long for others.
const GROUP: usize = 8_192;

/// A larger one is not kept for watchers, of which one may be slow.
const LARGE: usize = 64 << 10;

/// A handle of the writing thread. Dropping it ends the thread once all that was submitted is written.
#[derive(Debug)]
pub(super) struct Writer {
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

/// What the thread works with.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) retention: Retention,
    pub(super) tail: broadcast::Sender<Arc<Fresh>>,
    pub(super) indexer: Sender<Task>,
    /// The number of the next entity.
    pub(super) next: u64,
}

pub(in crate::store) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the store is closed")
}

impl Writer {
    pub(super) fn start(work: Work, limit: usize) -> Result<Self, StoreError> {
        let (batches, incoming) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut writing = Writing { work, waiting: Arc::clone(&waiting), recent: HashMap::new(), indexed: 0 };
        let thread = std::thread::Builder::new().name("jkool-store".into()).spawn(move || writing.run(&incoming));
        let thread = thread.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        Ok(Self { batches: Mutex::new(Some(batches)), waiting, limit, thread: Some(thread) })
    }

    /// Hands over records; what becomes of them is said when it is known.
    pub(super) fn submit(&self, records: Vec<Record>) -> Result<Reply, StoreError> {
        let size = records.iter().map(Record::size).sum::<usize>();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        // One batch may be larger than the limit: alone it still gets through.
        if before > 0 && before + size > self.limit {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(StoreError::new(StoreErrorKind::Busy, "too much waits to be written"));
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
            // Whoever waits for it gets `closed` already.
            drop(thread.join());
        }
    }
}

struct Writing {
    work: Work,
    waiting: Arc<AtomicUsize>,
    /// What no index may hold yet, by the hash of its bytes.
    recent: HashMap<u64, Arc<Stored>>,
    /// Up to here the indexes held all when it was last looked through.
    indexed: u64,
}

impl Writing {
    fn run(&mut self, incoming: &Receiver<Batch>) {
        while let Ok(first) = incoming.recv() {
            let group = together(first, incoming);
            let sizes: usize = group.iter().map(|batch| batch.size).sum();
            let (records, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|batch| (batch.records, batch.reply)).unzip();
            let outcome = self.write(records);
            self.waiting.fetch_sub(sizes, Ordering::Relaxed);
            match outcome {
                // Who gave up waiting needs no answer.
                Ok(appended) => replies.into_iter().zip(appended).for_each(|(reply, one)| drop(reply.send(Ok(one)))),
                Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
            }
        }
    }

    /// Writes what is new of some batches, and says what became of each.
    fn write(&mut self, batches: Vec<Vec<Record>>) -> Result<Vec<Appended>, StoreError> {
        // Asked before anything is done, and once for all that comes together.
        let now = self.work.clock.now();
        let shared = Arc::clone(&self.work.shared);
        shared.wait_for_room()?;
        let (spans, indexed) = {
            let state = shared.state();
            (Arc::clone(&state.spans), state.indexed)
        };
        if self.indexed != indexed {
            self.recent.retain(|_, stored| stored.id.sequence() > indexed);
            self.indexed = indexed;
        }
        let oldest = self.work.retention.oldest(now).map_or(i64::MIN, Timestamp::as_usec).max(shared.oldest_kept());
        let (mut group, mut bytes) = (Vec::new(), 0);
        let (mut outcomes, mut hashes) = (Vec::with_capacity(batches.len()), Vec::new());
        for records in batches {
            let mut appended = Appended::default();
            for record in records {
                if record.time.as_usec() < oldest {
                    appended.expired += 1;
                    continue;
                }
                if let Some(id) = record.entity.tracking_id() {
                    let hash = hash(&record.json);
                    let is_recent = self.recent.get(&hash).is_some_and(|stored| stored.json == record.json);
                    let time = record.is_dated.then_some(record.time);
                    if is_recent || has_equal(&spans, &id.to_string(), time, &record.json)? {
                        appended.duplicates += 1;
                        continue;
                    }
                    hashes.push((hash, group.len()));
                }
                appended.stored += 1;
                bytes += record.size();
                let stored = Arc::new(record.into_stored(self.work.next));
                self.work.next += 1;
                // Equal ones may be in one group.
                if let Some((hash, _)) = hashes.last().filter(|(_, index)| *index == group.len()) {
                    self.recent.entry(*hash).or_insert_with(|| Arc::clone(&stored));
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
            // None of them is there; their numbers are not used again.
            let first = group.first().map_or(0, |first| first.id.sequence());
            self.recent.retain(|_, stored| stored.id.sequence() < first);
            return Err(error);
        }
        let group = Arc::new(Group { entities: group, bytes });
        shared.add(Arc::clone(&group));
        // Who is shown it may look it up at once.
        self.show(&group.entities);
        // Without an indexing thread all stays in the journal, until the next start.
        drop(self.work.indexer.send(Task::Index(group)));
        Ok(outcomes)
    }

    /// Passes on to those who watch what is new.
    fn show(&self, group: &[Arc<Stored>]) {
        if self.work.tail.receiver_count() == 0 {
            return;
        }
        for stored in group {
            let json = (stored.json.len() <= LARGE).then(|| Bytes::copy_from_slice(&stored.json));
            // Nobody is there any more: fine.
            drop(self.work.tail.send(Arc::new(Fresh { id: stored.id, received: stored.received, json })));
        }
    }
}

fn hash(json: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(json);
    hasher.finish()
}

/// What else is waiting, as far as a group goes.
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
