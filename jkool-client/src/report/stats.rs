//! Counters of all events, and the report of a flush or shutdown.

use crate::report::loss::LossReason;
use std::fmt;

/// Counters since the client was built, from [`Client::stats`](crate::Client::stats). All are read at the same moment, so this
/// always holds: `accepted + recovered = delivered + spooled + in_memory + dropped`. Without a spool, `recovered` and `spooled`
/// are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub(crate) accepted: u64,
    pub(crate) recovered: u64,
    pub(crate) delivered: u64,
    pub(crate) spooled: u64,
    pub(crate) bytes_spooled: u64,
    pub(crate) files_spooled: u64,
    pub(crate) damaged_bytes: u64,
    pub(crate) in_memory: u64,
    pub(crate) bytes_in_memory: usize,
    pub(crate) maybe_duplicated: u64,
    pub(crate) dropped: [u64; LossReason::COUNT],
}

impl Stats {
    /// Events that were handed to the client, including those that were dropped at once because the queue was full or the
    /// client was shut down.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Events that an earlier process left in the spool and this one took over.
    pub fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Events confirmed by the server.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Events in the spool: they are durable, and not known to be delivered yet.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Size of the spool on disk, in bytes.
    pub fn bytes_spooled(&self) -> u64 {
        self.bytes_spooled
    }

    /// Number of files in the spool.
    pub fn files_spooled(&self) -> u64 {
        self.files_spooled
    }

    /// Bytes in the spool's files that were damaged. If the number of damaged events is known, they are counted as
    /// [`LossReason::Damaged`]. The files are kept beside the spool as `*.corrupt`.
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// Events that are waiting or in flight, and in memory only.
    pub fn in_memory(&self) -> u64 {
        self.in_memory
    }

    /// Approximate memory that events take, in bytes.
    pub fn bytes_in_memory(&self) -> usize {
        self.bytes_in_memory
    }

    /// Events that were sent again although an earlier try may have arrived: the maximum number of duplicates.
    pub fn maybe_duplicated(&self) -> u64 {
        self.maybe_duplicated
    }

    /// Events dropped for `reason`.
    pub fn dropped(&self, reason: LossReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Events dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// One line for people: `1204 accepted: 1200 delivered, 0 in memory, 4 dropped (4 the queue was full)`. The counters of the
/// spool are included if they are not 0.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted", self.accepted)?;
        if self.recovered > 0 {
            write!(f, " and {} recovered", self.recovered)?;
        }
        write!(f, ": {} delivered, ", self.delivered)?;
        if self.spooled > 0 {
            write!(f, "{} spooled, ", self.spooled)?;
        }
        write!(f, "{} in memory, {} dropped", self.in_memory, self.dropped_total())?;
        let mut separator = " (";
        for reason in LossReason::ALL.iter().filter(|reason| self.dropped(**reason) > 0) {
            write!(f, "{separator}{} {reason}", self.dropped(*reason))?;
            separator = ", ";
        }
        f.write_str(if separator == ", " { ")" } else { "" })
    }
}

/// What became of the events that a flush or shutdown found in memory and in the spool, at its end or deadline. Events that
/// were delivered before the call are not included here, but in [`Stats`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "the report says what was not delivered"]
pub struct Report {
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) spooled: u64,
    pub(crate) pending: u64,
}

impl Report {
    /// Events that were delivered during the call.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Events that were dropped during the call; [`Stats`] has the reasons.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Events in the spool at the end of the call: they are durable, and sent later by this process or the next.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Events that were still in memory only, waiting or in flight, when the deadline passed. After a shutdown this is 0,
    /// because such events are dropped, unless an earlier shutdown still has time to deliver them.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// Whether everything was delivered.
    pub fn is_delivered(&self) -> bool {
        self.is_durable() && self.spooled == 0
    }

    /// Whether everything was delivered or is in the spool.
    pub fn is_durable(&self) -> bool {
        self.dropped == 0 && self.pending == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delivered meanwhile, {} dropped, ", self.delivered, self.dropped)?;
        if self.spooled > 0 {
            write!(f, "{} spooled, ", self.spooled)?;
        }
        write!(f, "{} pending", self.pending)
    }
}
