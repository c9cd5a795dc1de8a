//! The indexing thread: it adds entities to the indexes within a second, starts new indexes, and removes old ones.

use super::active::{Active, folder_of};
use crate::clock::Clock;
use crate::store::front::{COMMIT, Follower, Group, Shared, closed};
use crate::store::index::{Span, SpanView, has_equal};
use crate::store::same::is_same;
use crate::store::{Record, Retention, StoreError};
use jkool_model::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tantivy::IndexWriter;

/// The maximum time that an entity waits for the index, and the interval of retention.
const INTERVAL: Duration = Duration::from_secs(1);

/// The maximum number of entities in one index.
const DOCUMENTS: u64 = 1_000_000;

/// An index contains at most one eighth of the kept data, because retention removes whole indexes.
const PARTS: u64 = 8;

/// A task of the indexing thread.
#[derive(Debug)]
pub(super) enum Task {
    /// Add these entities to the index.
    Index(Arc<Group>),
    /// Commit, and reply.
    Settle(Sender<()>),
    /// Commit, and end the thread.
    Close,
}

/// The indexes as readers see them.
pub(super) type Spans = Arc<Vec<SpanView>>;

/// The writing thread's handle of the indexing thread.
pub(super) struct ToIndexer(pub(super) Sender<Task>);

impl Follower for ToIndexer {
    type View = Spans;

    fn has_equal(&mut self, spans: &Spans, record: &Record) -> Result<bool, StoreError> {
        let Some(id) = record.entity.tracking_id() else { return Ok(false) };
        has_equal(spans, &id.to_string(), record.is_dated.then_some(record.time), |json| {
            is_same(json, &record.entity, &record.json)
        })
    }

    /// If the indexing thread has ended, the entities stay in the journal until the next start.
    fn follow(&mut self, group: Arc<Group>) {
        drop(self.0.send(Task::Index(group)));
    }
}

/// The state of the indexing thread.
pub(super) struct Indexer {
    pub(super) shared: Arc<Shared<Spans>>,
    /// The folder of the indexes; `None` in memory.
    pub(super) root: Option<PathBuf>,
    pub(super) retention: Retention,
    pub(super) clock: Clock,
    /// The complete indexes, with their content.
    pub(super) complete: Vec<(Span, SpanView)>,
    /// The writer of the last complete index: it merges segments until the next index is complete.
    pub(super) merging: Option<IndexWriter>,
    /// `None` after a failure from which it has not recovered yet.
    pub(super) active: Option<Active>,
    pub(super) view: SpanView,
    /// The number of bytes added since the last commit.
    pub(super) behind: usize,
    /// When this process started or opened the active index.
    pub(super) begun: Instant,
}

impl Indexer {
    #[expect(clippy::disallowed_methods, reason = "intervals, which a clock that jumps must not change")]
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        let mut due = Instant::now() + INTERVAL;
        loop {
            let done = match tasks.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Task::Index(group)) => self.index(&group),
                Ok(Task::Settle(reply)) => {
                    let settled = self.commit();
                    // The caller may have stopped waiting.
                    reply.send(()).unwrap_or_default();
                    settled
                }
                Ok(Task::Close) | Err(RecvTimeoutError::Disconnected) => {
                    // Entities that cannot be committed stay in the journal.
                    drop(self.commit());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => Ok(()),
            };
            let is_due = Instant::now() >= due;
            let done = done.and_then(|()| if is_due { self.commit().and_then(|()| self.let_go()) } else { Ok(()) });
            if let Err(error) = done {
                self.shared.fail(error);
                self.recover();
            }
            if is_due {
                due = Instant::now() + INTERVAL;
            }
        }
    }

    fn index(&mut self, group: &Group) -> Result<(), StoreError> {
        let Some(active) = &mut self.active else { return Ok(()) };
        for stored in &group.entities {
            active.add(stored)?;
        }
        self.behind += group.bytes;
        if self.is_full() {
            self.commit()?;
            self.begin_next()?;
            self.let_go()?;
        } else if self.behind >= COMMIT {
            self.commit()?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        let Some(active) = &self.active else { return false };
        let bytes = self.retention.bytes.map_or(u64::MAX, |bytes| bytes / PARTS);
        active.documents >= DOCUMENTS || (active.documents > 0 && active.bytes >= bytes)
    }

    /// Whether the active index covers so much time that a new one is needed for timely retention.
    fn is_long(&self) -> bool {
        let part = self.retention.age.map(|age| (age / PARTS as u32).max(INTERVAL));
        part.is_some_and(|part| self.begun.elapsed() >= part) && self.view.documents() > 0
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let Some(active) = &mut self.active else { return Err(closed()) };
        self.behind = 0;
        if active.is_behind() {
            self.view = active.commit()?;
        } else if active.span.differs(&self.view) {
            self.view = active.span.view(Some(&self.view.names))?;
        }
        self.publish();
        Ok(())
    }

    fn publish(&mut self) {
        let Some(active) = &self.active else { return };
        let complete = self.complete.iter().map(|(_, view)| view.clone());
        let indexed = active.committed;
        self.shared.publish(Arc::new(complete.chain([self.view.clone()]).collect()), indexed);
        if let Some(mut journal) = self.shared.journal() {
            journal.cut(indexed);
        }
    }

    /// Completes the active index and starts another.
    #[expect(clippy::disallowed_methods, reason = "an interval, which a clock that jumps must not change")]
    fn begin_next(&mut self) -> Result<(), StoreError> {
        let Some(active) = &self.active else { return Ok(()) };
        let (number, committed) = (active.span.number + 1, active.committed);
        let next = Span::create(number, folder_of(self.root.as_deref(), number))?;
        let (next, view) = Active::of(next, committed)?;
        if let Some(full) = self.active.replace(next) {
            let (span, writer) = full.into_parts();
            self.complete.push((span, std::mem::replace(&mut self.view, view)));
            self.merging = Some(writer);
        }
        self.begun = Instant::now();
        self.publish();
        Ok(())
    }

    /// After a failure, reopens the index at its last commit and adds all later entities again.
    fn recover(&mut self) {
        let reopened = match (self.active.take(), folder_of(self.root.as_deref(), self.view.number)) {
            (Some(active), _) => active.reopen(),
            (None, None) => Err(closed()),
            (None, folder) => Span::open_or_create(self.view.number, folder)
                .and_then(|span| Active::of(span, self.shared.state().indexed))
                .map(|(active, _)| active),
        };
        match reopened {
            Ok(mut active) => {
                let (_, pending) = self.shared.snapshot();
                let added = pending.iter().flat_map(|group| &group.entities).try_for_each(|stored| active.add(stored));
                match added {
                    Ok(()) => self.active = Some(active),
                    Err(error) => self.shared.fail(error),
                }
            }
            Err(error) => self.shared.fail(error),
        }
    }

    /// Removes whole indexes that are too old or exceed the size limit.
    fn let_go(&mut self) -> Result<(), StoreError> {
        for (span, view) in &mut self.complete {
            if span.differs(view) {
                *view = span.view(Some(&view.names))?;
            }
        }
        let oldest = self.retention.oldest(self.clock.now()).map(Timestamp::as_usec);
        if let Some(oldest) = oldest {
            self.shared.keep_from(oldest);
        }
        let is_old = |view: &SpanView| oldest.is_some_and(|oldest| view.youngest() < oldest);
        if self.view.documents() > 0 && (self.is_long() || is_old(&self.view)) {
            self.begin_next()?;
        }
        let mut gone = Vec::new();
        while let Some(index) = self.complete.iter().position(|(_, view)| is_old(view) || view.documents() == 0) {
            gone.push(self.complete.remove(index));
        }
        while self.bytes() > self.retention.bytes.unwrap_or(u64::MAX) {
            let Some(index) = (0..self.complete.len()).min_by_key(|index| self.complete[*index].1.youngest()) else {
                break;
            };
            gone.push(self.complete.remove(index));
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.merging = None;
        self.publish();
        gone.iter().try_for_each(|(span, _)| span.remove())
    }

    fn bytes(&self) -> u64 {
        let complete: u64 = self.complete.iter().map(|(_, view)| view.bytes).sum();
        complete + self.view.bytes + self.shared.journal().map_or(0, |journal| journal.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Active, COMMIT, Group, Indexer, Span};
    use crate::clock::Clock;
    use crate::store::front::{Shared, State};
    use crate::store::{Record, Retention};
    use jkool_model::Timestamp;
    use std::sync::Arc;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the beginning of an interval")]
    fn when_much_comes_in_it_commits_before_that_is_due() {
        let (active, view) = Active::of(Span::create(1, None).unwrap(), 0).unwrap();
        let state = State { view: Arc::new(vec![view.clone()]), ..State::default() };
        let mut indexer = Indexer {
            shared: Arc::new(Shared::new(state, None)),
            root: None,
            retention: Retention::ALL,
            clock: Clock::default(),
            complete: Vec::new(),
            merging: None,
            active: Some(active),
            view,
            behind: 0,
            begun: std::time::Instant::now(),
        };
        let mut indexed_after = |number, bytes| {
            let json = br#"{"operation":"pay"}"#.as_slice().into();
            let stored = Record::parse(json, Timestamp::from_usec(1)).unwrap().into_stored(number);
            indexer.index(&Group { entities: vec![Arc::new(stored)], bytes }).unwrap();
            indexer.shared.state().indexed
        };
        assert_eq!(indexed_after(1, COMMIT / 2), 0);
        assert_eq!(indexed_after(2, COMMIT / 2), 2);
        assert_eq!(indexed_after(3, COMMIT / 2), 2);
        assert_eq!(indexed_after(4, COMMIT / 2), 4);
    }
}
