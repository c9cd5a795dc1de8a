//! The store in this process: a journal, and search indexes that are filled from it.

mod active;
mod indexer;
mod open;
mod rebuild;

#[cfg(feature = "sqlite")]
pub(super) use active::{Active, folder_of};

use super::engine::{Aggregate, Deadline, Engine, Extent, Find, Fresh, Health, Message, Reply, range_of};
use super::front::{self, Lock, Shared, Writer, closed};
use super::index::{self, SpanView};
use super::{EntityId, Record, Row, StoreError, Stored};
use indexer::{Spans, Task};
use jkool_model::Timestamp;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::broadcast;

/// The store in this process.
#[derive(Debug)]
pub(super) struct Local {
    /// Dropped first, so that all acknowledged entities get into the index.
    writer: Option<Writer>,
    indexer: Mutex<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared<Spans>>,
    tail: broadcast::Sender<Arc<Fresh>>,
    /// Keeps other processes from opening the folder.
    _lock: Option<Lock>,
}

impl Local {
    fn send(&self, task: Task) -> bool {
        self.indexer.lock().unwrap_or_else(PoisonError::into_inner).send(task).is_ok()
    }

    /// Returns the first matches among indexed entities and those that wait for the index.
    fn first<T>(
        &self,
        find: &Find,
        of_index: impl FnOnce(&[SpanView], &Range<i64>) -> Result<Vec<T>, StoreError>,
        of_pending: impl Fn(&Stored) -> T,
        id: impl Fn(&T) -> EntityId,
    ) -> Result<Vec<T>, StoreError> {
        let range = self.shared.kept(&range_of(&find.filter, find.now));
        let (spans, pending) = self.shared.snapshot();
        let mut found = of_index(&spans, &range)?;
        let young = front::find(&pending, find, &range);
        if !young.is_empty() {
            found.extend(young.into_iter().map(of_pending));
            found.sort_unstable_by_key(id);
            if find.youngest_first {
                found.reverse();
            }
            found.truncate(find.limit);
        }
        Ok(found)
    }
}

impl Engine for Local {
    fn put(&self, records: Vec<Record>) -> Result<Reply, StoreError> {
        self.writer.as_ref().ok_or_else(closed)?.submit(records)
    }

    fn find(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Stored>, StoreError> {
        let of_index = |spans: &_, range: &_| index::find(spans, find, range, deadline);
        self.first(find, of_index, Stored::clone, |stored| stored.id)
    }

    fn messages(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Message>, StoreError> {
        let of_index = |spans: &_, range: &_| index::messages(spans, find, range, deadline);
        self.first(find, of_index, Message::of, |message| message.id)
    }

    fn get(&self, id: EntityId) -> Result<Option<Stored>, StoreError> {
        if id.time().as_usec() < self.shared.oldest_kept() {
            return Ok(None);
        }
        let (spans, pending) = self.shared.snapshot();
        let mut young = pending.iter().flat_map(|group| &group.entities);
        match young.find(|stored| stored.id == id) {
            Some(found) => Ok(Some((**found).clone())),
            None => index::get(&spans, id),
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, deadline: &Deadline) -> Result<Vec<Row>, StoreError> {
        let range = self.shared.kept(&range_of(&aggregate.filter, aggregate.now));
        let (spans, _) = self.shared.snapshot();
        index::aggregate(&spans, aggregate, &range, deadline)
    }

    fn settle(&self, deadline: &Deadline) {
        let is_settled = {
            let state = self.shared.state();
            state.pending.is_empty() || state.failure.is_some()
        };
        let (reply, settled) = channel();
        if !is_settled && self.send(Task::Settle(reply)) {
            // If the index is far behind, slightly outdated results are better than none.
            settled.recv_timeout(deadline.left() * 9 / 10).unwrap_or_default();
        }
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Fresh>> {
        self.tail.subscribe()
    }

    fn extent(&self) -> Result<Extent, StoreError> {
        let (spans, pending) = self.shared.snapshot();
        let kept: Range<i64> = self.shared.kept(&(i64::MIN..i64::MAX));
        let young =
            pending.iter().flat_map(|group| &group.entities).filter(|young| kept.contains(&young.time.as_usec()));
        let segments = || spans.iter().flat_map(|span| &span.segments);
        let times = || young.clone().map(|young| young.time.as_usec());
        let oldest = segments().map(|segment| segment.oldest).chain(times()).min();
        let newest = segments().map(|segment| segment.youngest).chain(times()).max();
        let bytes: u64 = spans.iter().map(|span| span.bytes).sum();
        Ok(Extent {
            entities: index::count(&spans, &kept)? + young.clone().count() as u64,
            bytes: bytes + self.shared.journal().map_or(0, |journal| journal.bytes()),
            oldest: oldest.map(|oldest| Timestamp::from_usec(oldest.max(kept.start))),
            newest: newest.filter(|newest| *newest >= kept.start).map(Timestamp::from_usec),
            names: spans.iter().flat_map(|span| span.names.all().map(str::to_owned)).collect(),
            numbers: spans.iter().flat_map(|span| span.names.numbers().map(str::to_owned)).collect::<BTreeSet<_>>(),
            passed_over: spans.iter().map(|span| span.names.passed_over).sum(),
        })
    }

    fn health(&self) -> Health {
        let state = self.shared.state();
        let waiting = state.pending.iter().map(|group| group.entities.len() as u64).sum();
        let failure =
            state.failure.as_ref().map(|error| format!("{waiting} entities are waiting to be indexed: {error}"));
        Health { waiting, notices: failure.into_iter().collect() }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.writer.take());
        self.send(Task::Close);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
