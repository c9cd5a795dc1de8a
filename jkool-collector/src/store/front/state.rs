//! The state that the writing thread, the indexing thread and readers share.

use crate::store::engine::Find;
use crate::store::journal::Journal;
use crate::store::{StoreError, Stored};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Entities that were acknowledged together.
#[derive(Debug)]
pub(in crate::store) struct Group {
    pub(in crate::store) entities: Vec<Arc<Stored>>,
    pub(in crate::store) bytes: usize,
}

/// Acknowledged entities: in the index, or waiting for it.
#[derive(Debug, Default)]
pub(in crate::store) struct State<V> {
    /// The data that readers need, such as indexes.
    pub(in crate::store) view: V,
    /// The sequence number of the last entity in it.
    pub(in crate::store) indexed: u64,
    /// The entities after it.
    pub(in crate::store) pending: VecDeque<Arc<Group>>,
    pub(in crate::store) pending_bytes: usize,
    /// Why indexing failed.
    pub(in crate::store) failure: Option<StoreError>,
}

/// The shared state.
#[derive(Debug)]
pub(in crate::store) struct Shared<V> {
    state: Mutex<State<V>>,
    /// Notified when indexing makes progress or fails.
    progress: Condvar,
    /// `None` in memory.
    pub(in crate::store) journal: Option<Mutex<Journal>>,
    /// The retention: older entities are deleted.
    oldest_kept: AtomicI64,
}

/// The maximum number of bytes that wait for the index.
const PENDING: usize = 128 << 20;

/// The number of bytes after which an index commits, even if that is not due: during a commit the other half fills up.
pub(in crate::store) const COMMIT: usize = PENDING / 2;

impl<V: Clone> Shared<V> {
    pub(in crate::store) fn new(state: State<V>, journal: Option<Journal>) -> Self {
        let journal = journal.map(Mutex::new);
        Self { state: Mutex::new(state), progress: Condvar::new(), journal, oldest_kept: AtomicI64::new(i64::MIN) }
    }

    pub(in crate::store) fn state(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        self.journal.as_ref().map(|journal| journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::store) fn oldest_kept(&self) -> i64 {
        self.oldest_kept.load(Ordering::Relaxed)
    }

    /// Raises the limit of retention. It is never lowered, so that deleted entities stay deleted when the clock is set
    /// back.
    pub(in crate::store) fn keep_from(&self, time: i64) {
        self.oldest_kept.fetch_max(time, Ordering::Relaxed);
    }

    /// Returns `range` without deleted times.
    pub(in crate::store) fn kept(&self, range: &Range<i64>) -> Range<i64> {
        range.start.max(self.oldest_kept())..range.end
    }

    /// Waits until there is room; returns the error if indexing has failed.
    pub(in crate::store) fn wait_for_room(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        while state.pending_bytes > PENDING {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            let waited = self.progress.wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    pub(in crate::store) fn add(&self, group: Arc<Group>) {
        let mut state = self.state();
        state.pending_bytes += group.bytes;
        state.pending.push_back(group);
    }

    /// Publishes a view that contains all entities up to `indexed`.
    pub(in crate::store) fn publish(&self, view: V, indexed: u64) {
        let mut state = self.state();
        state.view = view;
        state.indexed = indexed;
        state.failure = None;
        let is_indexed = |group: &Arc<Group>| group.entities.last().is_none_or(|last| last.id.sequence() <= indexed);
        while state.pending.front().is_some_and(is_indexed) {
            let group = state.pending.pop_front();
            state.pending_bytes -= group.map_or(0, |group| group.bytes);
        }
        self.progress.notify_all();
    }

    pub(in crate::store) fn fail(&self, error: StoreError) {
        self.state().failure = Some(error);
        self.progress.notify_all();
    }

    /// Returns a consistent snapshot of the store.
    pub(in crate::store) fn snapshot(&self) -> (V, Vec<Arc<Group>>) {
        let state = self.state();
        (state.view.clone(), state.pending.iter().cloned().collect())
    }
}

/// Returns the matching entities of the groups, in order.
pub(in crate::store) fn find<'a>(groups: &'a [Arc<Group>], find: &Find, range: &Range<i64>) -> Vec<&'a Stored> {
    let is_beyond = |stored: &Stored| match find.beyond {
        None => true,
        Some(last) if find.youngest_first => stored.id < last,
        Some(last) => stored.id > last,
    };
    let all = groups.iter().flat_map(|group| &group.entities);
    let mut found: Vec<&Stored> = all
        .map(|stored| &**stored)
        .filter(|stored| range.contains(&stored.time.as_usec()) && is_beyond(stored))
        .filter(|stored| find.filter.matches(stored, find.now))
        .collect();
    found.sort_unstable_by_key(|stored| stored.id);
    if find.youngest_first {
        found.reverse();
    }
    found.truncate(find.limit);
    found
}
