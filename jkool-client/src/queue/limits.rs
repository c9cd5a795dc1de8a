//! The limits of the queue, and the thresholds of the worker.

use crate::queue::amount::Amount;
use crate::queue::lane::Lane;
use crate::queue::overflow::OverflowPolicy;
use jkool_model::Severity;
use std::time::Duration;

/// The limits of the queue, and the thresholds of the worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The limit for the queue, batches, and sends in flight together.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: OverflowPolicy,
    /// While little room is left, it is reserved for events at least this severe.
    pub(crate) shed_below: Severity,
    /// Events at least this severe are sent first.
    pub(crate) priority: Option<Severity>,
    /// How long the first event of a batch waits for more.
    pub(crate) flush_interval: Duration,
    /// The number of waiting events that wakes the worker.
    pub(crate) wake_at: usize,
    /// The maximum number of events, and of bytes, in a batch. Encoded events may be larger, so the bytes are a small
    /// part of the limit.
    pub(crate) batch_events: usize,
    pub(crate) batch_bytes: usize,
    /// The number of shards; a power of two, at most 32.
    pub(crate) shards: usize,
}

/// One shard per core: each thread uses one, so concurrent threads rarely share one.
pub(crate) fn shards() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.next_power_of_two().min(MAX_SHARDS)
}

/// Each has a bit in a 32-bit word.
const MAX_SHARDS: usize = 32;

impl Limits {
    /// The lane of an event with this severity.
    #[inline]
    pub(crate) fn lane(&self, severity: Severity) -> Lane {
        match self.priority {
            Some(priority) if severity >= priority => Lane::Priority,
            _ => Lane::Normal,
        }
    }

    /// The amount that wakes the worker.
    pub(crate) fn much(&self) -> Amount {
        Amount::new(self.wake_at, self.bytes / 4)
    }

    /// The amount that a shard need not announce: small enough that all shards together hide little.
    pub(crate) fn share(&self, of: Amount, max: Amount) -> Amount {
        of.part(4 * self.shards as i64).min(max).max(Amount::one(1))
    }

    /// If this amount is waiting, in events or in bytes, the worker is behind, and callers encode their log lines: 1.5
    /// times the amount that wakes it.
    pub(crate) fn behind_at(&self) -> Amount {
        self.much() + self.much().part(2)
    }

    /// If less than this amount is waiting, the worker has caught up. It is much less than the amount at which it is
    /// behind: otherwise a few lines that it must encode, between many encoded ones, would keep it busy.
    pub(crate) fn caught_up_at(&self) -> Amount {
        self.much().part(4)
    }
}
