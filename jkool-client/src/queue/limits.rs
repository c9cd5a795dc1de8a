//! How much may wait, and when the worker takes it.

use crate::queue::amount::Amount;
use crate::queue::lane::Lane;
use crate::queue::overflow::OverflowPolicy;
use jkool_model::Severity;
use std::time::Duration;

/// How much may be in memory, and when the worker takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In the queue, in batches and on the way together.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) overflow: OverflowPolicy,
    /// While little room is left, it is kept for events at least as severe.
    pub(crate) shed_below: Severity,
    /// Events at least so severe go first.
    pub(crate) priority: Option<Severity>,
    /// How long the first of a batch waits for company.
    pub(crate) flush_interval: Duration,
    /// How many waiting events are worth waking the worker for.
    pub(crate) wake_at: usize,
    /// How many events, and about how many bytes of them, travel together. Encoded they may be larger, so the bytes are a
    /// small part of all.
    pub(crate) batch_events: usize,
    pub(crate) batch_bytes: usize,
    /// How many parts the queue has; a power of two, at most 32.
    pub(crate) shards: usize,
}

/// As many parts as cores, since each thread keeps to one: threads that run at the same time seldom meet.
pub(crate) fn shards() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.next_power_of_two().min(MAX_SHARDS)
}

/// One bit each in a word of 32.
const MAX_SHARDS: usize = 32;

impl Limits {
    /// The lane of an event of that severity.
    #[inline]
    pub(crate) fn lane(&self, severity: Severity) -> Lane {
        match self.priority {
            Some(priority) if severity >= priority => Lane::Priority,
            _ => Lane::Normal,
        }
    }

    /// What is worth waking the worker for.
    pub(crate) fn much(&self) -> Amount {
        Amount::new(self.wake_at, self.bytes / 4)
    }

    /// What a shard may keep to itself of that is to be known to all: small enough that all shards together hide little.
    pub(crate) fn share(&self, of: Amount, max: Amount) -> Amount {
        of.part(4 * self.shards as i64).min(max).max(Amount::one(1))
    }

    /// With so much waiting, in events or in bytes, the worker is behind, and callers encode their lines themselves: half as
    /// much again as it is woken for.
    pub(crate) fn behind_at(&self) -> Amount {
        self.much() + self.much().part(2)
    }

    /// With less than so much waiting, the worker has caught up. Much less than what puts it behind: while it is, few lines
    /// that it has to encode are among many that it has not, or it would stay busy with those few.
    pub(crate) fn caught_up_at(&self) -> Amount {
        self.much().part(4)
    }
}
