//! The activities that are compared with each other: the newest matches that are not within another activity.

use super::wanted::{Sort, Wanted};
use crate::filter::{Filter, severity_of};
use crate::page::trace::span;
use crate::store::{EntityId, Reader, StoreError, Stored};
use jkool_model::{ActivityStatus, Entity, Severity, Timestamp};
use std::cmp::Reverse;

/// The maximum number of compared activities.
const COMPARED: usize = 500;
/// The number of activities that are read at once, and the number after which no more are read.
const AT_ONCE: usize = 500;
const LOOKED_AT: usize = 4_000;
/// The tolerance of the times of entities within an activity, in microseconds.
const AROUND: i64 = 60_000_000;

/// An activity, with the values for comparison.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) activity: Stored,
    /// The start time in microseconds.
    pub(super) start: i64,
    /// The duration in microseconds, if known.
    pub(super) took: Option<i64>,
    /// The number of errors within it.
    pub(super) errors: u64,
    /// Whether the activity itself reports a failure.
    pub(super) fails: bool,
}

/// The compared activities, in the requested order.
#[derive(Debug)]
pub(super) struct AllCompared {
    pub(super) items: Vec<Compared>,
    /// The id before which there may be older activities.
    pub(super) older: Option<EntityId>,
    /// Whether errors were left out because there are too many.
    pub(super) is_cut: bool,
}

impl Compared {
    fn of(activity: Stored) -> Self {
        let (took, status) = match &activity.entity {
            Entity::Activity(activity) => (activity.elapsed_usec, activity.status),
            _ => (None, None),
        };
        let fails = status == Some(ActivityStatus::Exception) || severity_of(&activity.entity) >= Severity::Error;
        Self { start: span(&activity).0, took: took.filter(|usec| *usec >= 0), errors: 0, fails, activity }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.fails || self.errors > 0
    }
}

impl AllCompared {
    pub(super) fn read(
        reader: &Reader<'_>,
        filter: &Filter,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (roots, older) = roots(reader, &wanted.narrowed(filter), wanted.before, now)?;
        let mut items: Vec<Compared> = roots.into_iter().map(Compared::of).collect();
        let from = items.iter().map(|item| item.start).min().unwrap_or_default();
        let to = items.iter().map(|item| span(&item.activity).1.max(item.activity.time.as_usec())).max();
        let time = Timestamp::from_usec(from.saturating_sub(AROUND))
            ..Timestamp::from_usec(to.unwrap_or_default().saturating_add(AROUND));
        let ids = items.iter().filter_map(|item| item.activity.entity.tracking_id());
        let counts = reader.errors_within(ids, time, now)?;
        for item in &mut items {
            let id = item.activity.entity.tracking_id();
            item.errors = id.and_then(|id| counts.within.get(id)).copied().unwrap_or_default();
        }
        match wanted.sort {
            Sort::Start => items.sort_by_key(|item| Reverse(item.start)),
            Sort::Duration => items.sort_by_key(|item| Reverse(item.took)),
            Sort::Errors => items.sort_by_key(|item| Reverse((item.errors, item.fails))),
        }
        Ok(Self { items, older, is_cut: counts.is_cut })
    }
}

/// Returns the newest activities that are not within another one, and the id before which there may be more. With a
/// parent in `filter`, returns those within it. It stops after about [`LOOKED_AT`] activities.
fn roots(
    reader: &Reader<'_>,
    filter: &Filter,
    mut before: Option<EntityId>,
    now: Timestamp,
) -> Result<(Vec<Stored>, Option<EntityId>), StoreError> {
    let (mut roots, mut looked_at) = (Vec::new(), 0);
    loop {
        let found = reader.find(filter, AT_ONCE, before, now)?;
        before = found.last().map(|last| last.id);
        let is_all = found.len() < AT_ONCE;
        looked_at += found.len();
        roots.extend(found.into_iter().filter(|stored| filter.parent.is_some() || stored.entity.parent_id().is_none()));
        if is_all || roots.len() > COMPARED || looked_at >= LOOKED_AT {
            let rest = before.filter(|_| !is_all);
            let has_more = roots.len() > COMPARED;
            roots.truncate(COMPARED);
            let older = if has_more { roots.last().map(|last| last.id) } else { rest };
            return Ok((roots, older));
        }
    }
}
