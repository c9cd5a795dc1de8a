//! What the writing thread, the indexing thread and those who read have in common.

use crate::store::engine::Find;
use crate::store::index::SpanView;
use crate::store::journal::Journal;
use crate::store::{StoreError, Stored};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Entities that were acknowledged together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) entities: Vec<Arc<Stored>>,
    pub(super) bytes: usize,
}

/// What is acknowledged: in the indexes, or waiting for them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) spans: Arc<Vec<SpanView>>,
    /// The last entity that is in them.
    pub(super) indexed: u64,
    /// What came behind it.
    pub(super) pending: VecDeque<Arc<Group>>,
    pub(super) pending_bytes: usize,
    /// Why the index does not go on.
    pub(super) failure: Option<StoreError>,
}

/// What is shared.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Told when the index goes on, or can't.
    progress: Condvar,
    /// In memory there is none.
    pub(super) journal: Option<Mutex<Journal>>,
    /// What is older is no longer kept.
    oldest_kept: AtomicI64,
}

/// So much may wait for the index, in bytes.
const PENDING: usize = 128 << 20;

impl Shared {
    pub(super) fn new(state: State, journal: Option<Journal>) -> Self {
        let journal = journal.map(Mutex::new);
        Self { state: Mutex::new(state), progress: Condvar::new(), journal, oldest_kept: AtomicI64::new(i64::MIN) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        self.journal.as_ref().map(|journal| journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn oldest_kept(&self) -> i64 {
        self.oldest_kept.load(Ordering::Relaxed)
    }

    /// It never goes back: what is gone stays gone when a clock jumps.
    pub(super) fn keep_from(&self, time: i64) {
        self.oldest_kept.fetch_max(time, Ordering::Relaxed);
    }

    /// `range` without what is no longer kept.
    pub(super) fn kept(&self, range: &Range<i64>) -> Range<i64> {
        range.start.max(self.oldest_kept())..range.end
    }

    /// Waits until there is room for more; says why there will be none.
    pub(super) fn wait_for_room(&self) -> Result<(), StoreError> {
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

    pub(super) fn add(&self, group: Arc<Group>) {
        let mut state = self.state();
        state.pending_bytes += group.bytes;
        state.pending.push_back(group);
    }

    /// The indexes hold all up to `indexed` now.
    pub(super) fn publish(&self, spans: Vec<SpanView>, indexed: u64) {
        let mut state = self.state();
        state.spans = Arc::new(spans);
        state.indexed = indexed;
        state.failure = None;
        let is_indexed = |group: &Arc<Group>| group.entities.last().is_none_or(|last| last.id.sequence() <= indexed);
        while state.pending.front().is_some_and(is_indexed) {
            let group = state.pending.pop_front();
            state.pending_bytes -= group.map_or(0, |group| group.bytes);
        }
        self.progress.notify_all();
    }

    pub(super) fn fail(&self, error: StoreError) {
        self.state().failure = Some(error);
        self.progress.notify_all();
    }

    /// One state of the store.
    pub(super) fn snapshot(&self) -> (Arc<Vec<SpanView>>, Vec<Arc<Group>>) {
        let state = self.state();
        (Arc::clone(&state.spans), state.pending.iter().cloned().collect())
    }
}

/// Those of the groups that are wanted, in their order.
pub(super) fn find<'a>(groups: &'a [Arc<Group>], find: &Find, range: &Range<i64>) -> Vec<&'a Stored> {
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
