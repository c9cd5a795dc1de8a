//! What stands in the spool's line: events that are on disk alone, or in memory too. Pure.

use crate::queue::lane::Lane;
use crate::queue::mark::{Mark, SegmentId, Since, Slot};
use jkool_transport::Payload;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// A place in a line.
pub(super) enum Waiting {
    /// On disk alone: these events of that segment. Others of it may be elsewhere, or have ended.
    OnDisk { segment: SegmentId, runs: Vec<Run>, unread: Option<Unread> },
    /// In memory: its turn has come, or it could not be written.
    InMemory(Payloads),
}

/// A file that could not be read, so many times, and is left alone until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unread {
    pub(super) times: u32,
    pub(super) retry_at: Instant,
}

impl Waiting {
    pub(super) fn unread(&self) -> Option<Unread> {
        match self {
            Self::OnDisk { unread, .. } => *unread,
            Self::InMemory(_) => None,
        }
    }

    /// When the last of these events came. What is in memory alone counts as new.
    pub(super) fn since(&self) -> Since {
        let of = |mark: &Mark| if mark.slot.is_some() { mark.since } else { Since::MAX };
        match self {
            Self::OnDisk { runs, .. } => runs.iter().map(|run| run.since).max().unwrap_or(Since::MAX),
            Self::InMemory(items) => items.iter().map(|(_, mark)| of(mark)).max().unwrap_or(Since::MAX),
        }
    }
}

pub(super) type Payloads = VecDeque<(Payload, Mark)>;

/// Neighbours in a segment, of one generation.
pub(super) struct Run {
    pub(super) indices: Range<u32>,
    pub(super) generation: u64,
    /// When the last of them came.
    pub(super) since: Since,
}

/// Where these are, when that is one segment and they are in its order.
pub(super) fn runs(items: &Payloads) -> Option<(SegmentId, Vec<Run>)> {
    let segment = items.front()?.1.slot?.segment;
    let mut runs: Vec<Run> = Vec::new();
    for (_, mark) in items {
        let Slot { index, .. } = mark.slot.filter(|slot| slot.segment == segment)?;
        let Mark { generation, since, .. } = *mark;
        match runs.last_mut() {
            Some(run) if run.indices.end == index && run.generation == generation => {
                run.indices.end += 1;
                run.since = run.since.max(since);
            }
            Some(run) if run.indices.end > index => return None,
            _ => runs.push(Run { indices: index..index + 1, generation, since }),
        }
    }
    Some((segment, runs))
}

/// The mark of a record that belongs to one of these runs.
pub(super) fn mark(runs: &[Run], lane: Lane, weight: usize, slot: Slot) -> Option<Mark> {
    let run = runs.get(runs.partition_point(|run| run.indices.end <= slot.index))?;
    let Run { generation, since, .. } = *Some(run).filter(|run| run.indices.contains(&slot.index))?;
    Some(Mark { generation, weight, slot: Some(slot), lane, receipt: None, since })
}
