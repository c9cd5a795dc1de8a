//! The entries of a spool line: events that are only on disk, or also in memory. Pure.

use crate::queue::lane::Lane;
use crate::queue::mark::{Mark, SegmentId, Since, Slot};
use jkool_transport::Payload;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// An entry of a line.
pub(super) enum Waiting {
    /// Only on disk: these events of this segment. Other events of it may be elsewhere, or have ended.
    OnDisk { segment: SegmentId, runs: Vec<Run>, unread: Option<Unread> },
    /// In memory: it is next, or it could not be written.
    InMemory(Payloads),
}

/// A file that could not be read this many times, and is tried again at this time.
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

    /// The time of the last of these events. Events in memory only count as new.
    pub(super) fn since(&self) -> Since {
        let of = |mark: &Mark| if mark.slot.is_some() { mark.since } else { Since::MAX };
        match self {
            Self::OnDisk { runs, .. } => runs.iter().map(|run| run.since).max().unwrap_or(Since::MAX),
            Self::InMemory(items) => items.iter().map(|(_, mark)| of(mark)).max().unwrap_or(Since::MAX),
        }
    }
}

pub(super) type Payloads = VecDeque<(Payload, Mark)>;

/// Consecutive events in a segment, of one generation.
pub(super) struct Run {
    pub(super) indices: Range<u32>,
    pub(super) generation: u64,
    /// The time of the last of them.
    pub(super) since: Since,
}

/// The location of these events, if they are in one segment and in its order.
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

/// The mark of a record in one of these runs.
pub(super) fn mark(runs: &[Run], lane: Lane, weight: usize, slot: Slot) -> Option<Mark> {
    let run = runs.get(runs.partition_point(|run| run.indices.end <= slot.index))?;
    let Run { generation, since, .. } = *Some(run).filter(|run| run.indices.contains(&slot.index))?;
    Some(Mark { generation, weight, slot: Some(slot), lane, receipt: None, since })
}
