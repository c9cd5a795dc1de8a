//! The thread that writes. What waits meanwhile is written together, so that many share one trip to the disk.

use super::apply::{Memory, apply};
use super::{Appended, EntityId, Record, Retention, StoreError, StoreErrorKind, Stored, retention};
use crate::clock::Clock;
use bytes::Bytes;
use jkool_model::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};

/// So many entities are written together at most, so that nobody waits long for others.
const GROUP: usize = 8_192;

/// How often it is looked whether there is too much.
const RETENTION_INTERVAL: Duration = Duration::from_secs(1);

/// A handle of the writing thread. Dropping it ends the thread once all that was submitted is written.
#[derive(Debug)]
pub(super) struct Writer {
    batches: Option<Sender<Batch>>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
    thread: Option<JoinHandle<()>>,
}

/// What became of a batch. Its records go back to who brought them, to be freed there: this thread has enough to do.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) appended: Appended,
    _records: Vec<Record>,
}

/// An entity that was just stored, for those who watch. To read it is left to them: this thread has no time for that.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    pub(crate) id: EntityId,
    time: Timestamp,
    received: Timestamp,
    /// A copy, so that the body that it came in can go; a large one is to be had from the store alone.
    json: Option<Bytes>,
}

/// A larger one is not kept for watchers, of which one may be slow.
const LARGE: usize = 64 << 10;

impl Fresh {
    /// `None` for a large one.
    pub(crate) fn read(&self) -> Option<Stored> {
        let json = self.json.clone()?;
        let entity = serde_json::from_slice(&json).ok()?;
        Some(Stored { id: self.id, time: self.time, received: self.received, entity, json })
    }
}

type Reply = oneshot::Sender<Result<Done, StoreError>>;

#[derive(Debug)]
struct Batch {
    records: Vec<Record>,
    size: usize,
    reply: Reply,
}

pub(super) fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the store is closed")
}

impl Writer {
    pub(super) fn start(
        connection: Arc<Mutex<Connection>>,
        memory: Memory,
        retention: Retention,
        clock: Clock,
        limit: usize,
        tail: broadcast::Sender<Arc<Fresh>>,
    ) -> Result<Self, StoreError> {
        let (batches, incoming) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let work = Work { connection, memory, retention, clock, waiting: Arc::clone(&waiting), tail };
        let thread = std::thread::Builder::new().name("jkool-store".into()).spawn(move || work.run(&incoming));
        let thread = thread.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        Ok(Self { batches: Some(batches), waiting, limit, thread: Some(thread) })
    }

    /// Hands over records; what becomes of them is said when it is known.
    pub(super) fn submit(
        &self,
        records: Vec<Record>,
    ) -> Result<oneshot::Receiver<Result<Done, StoreError>>, StoreError> {
        let size = records.iter().map(Record::size).sum::<usize>();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        // One batch may be larger than the limit: alone it still gets through.
        if before > 0 && before + size > self.limit {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(StoreError::new(StoreErrorKind::Busy, "too much waits to be written"));
        }
        let (reply, done) = oneshot::channel();
        let sent = self.batches.as_ref().map(|batches| batches.send(Batch { records, size, reply }));
        match sent {
            Some(Ok(())) => Ok(done),
            _ => Err(closed()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            // Whoever waits for it gets `closed` already.
            drop(thread.join());
        }
    }
}

struct Work {
    connection: Arc<Mutex<Connection>>,
    memory: Memory,
    retention: Retention,
    clock: Clock,
    waiting: Arc<AtomicUsize>,
    tail: broadcast::Sender<Arc<Fresh>>,
}

impl Work {
    fn run(mut self, incoming: &Receiver<Batch>) {
        let mut since_retention = 0;
        loop {
            match incoming.recv_timeout(RETENTION_INTERVAL) {
                Ok(first) => {
                    let group = together(first, incoming);
                    since_retention += group.iter().map(|batch| batch.records.len()).sum::<usize>();
                    self.write(group);
                    if since_retention < GROUP {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            since_retention = 0;
            self.let_go();
        }
    }

    /// Writes a group, and tells everybody who waits for a part of it.
    fn write(&mut self, group: Vec<Batch>) {
        let outcome = self.transact(|connection, memory| {
            let records: Vec<_> = group.iter().flat_map(|batch| &batch.records).collect();
            Ok(apply(connection, memory, &records)?)
        });
        let mut ids = match outcome {
            Ok(ids) => ids.into_iter(),
            Err(error) => {
                for batch in group {
                    self.waiting.fetch_sub(batch.size, Ordering::Relaxed);
                    // Who gave up waiting needs no answer.
                    drop(batch.reply.send(Err(error.clone())));
                }
                return;
            }
        };
        for batch in group {
            let ids: Vec<_> = ids.by_ref().take(batch.records.len()).collect();
            let stored = ids.iter().flatten().count();
            self.waiting.fetch_sub(batch.size, Ordering::Relaxed);
            self.show(&batch.records, &ids);
            let appended = Appended { stored, duplicates: ids.len() - stored };
            drop(batch.reply.send(Ok(Done { appended, _records: batch.records })));
        }
    }

    /// Passes on to those who watch what is new.
    fn show(&self, records: &[Record], ids: &[Option<EntityId>]) {
        if self.tail.receiver_count() == 0 {
            return;
        }
        for (record, id) in records.iter().zip(ids) {
            let Some(id) = *id else { continue };
            let Record { time, received, ref json, .. } = *record;
            let json = (json.len() <= LARGE).then(|| Bytes::copy_from_slice(json));
            // Nobody is there any more: fine.
            drop(self.tail.send(Arc::new(Fresh { id, time, received, json })));
        }
    }

    fn let_go(&mut self) {
        let (retention, now) = (self.retention, self.clock.now());
        if retention == Retention::ALL {
            return;
        }
        let mut gone = 0;
        // Twice what came in the meantime: it catches up, and still nobody waits long.
        while gone < 2 * GROUP {
            match self.transact(|connection, _| Ok(retention::step(connection, retention, now)?)) {
                // A store that can't be written says so to the next who writes.
                Ok(0) | Err(_) => break,
                Ok(count) => gone += count,
            }
        }
        if gone > 0 {
            // Some of the names may have gone, too.
            self.memory = Memory::default();
        }
    }

    /// All or nothing.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Memory) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = work(&transaction, &mut self.memory).and_then(|done| {
            transaction.commit()?;
            Ok(done)
        });
        if outcome.is_err() {
            self.memory = Memory::default();
        }
        outcome
    }
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
