//! What became of everything that was emitted.

use crate::report::loss::LossReason;
use std::fmt;

/// Counts since the client was built, taken at one instant, so that the sum always holds:
/// `accepted + recovered = delivered + spooled + in_memory + dropped`. Without a spool nothing is recovered or spooled.
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
    /// Events handed to the client, those dropped at once by a full queue or after shutdown among them.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Events that an earlier process had left in the spool, and this one took over.
    pub fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Events that the server confirmed.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Events in the spool: durable, and not yet known to be delivered.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// How many bytes the spool takes on disk.
    pub fn bytes_spooled(&self) -> u64 {
        self.bytes_spooled
    }

    /// In how many files.
    pub fn files_spooled(&self) -> u64 {
        self.files_spooled
    }

    /// Bytes of the spool's files that were damaged. Where it is known how many events that were, they are counted as
    /// [`LossReason::Damaged`]; the files are kept beside the spool, as `*.corrupt`.
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// Events waiting or on their way that are in memory alone.
    pub fn in_memory(&self) -> u64 {
        self.in_memory
    }

    /// About how many bytes of memory events take.
    pub fn bytes_in_memory(&self) -> usize {
        self.bytes_in_memory
    }

    /// Sends that were tried again although the first try may have arrived: so many duplicates there can be at most.
    pub fn maybe_duplicated(&self) -> u64 {
        self.maybe_duplicated
    }

    /// Events dropped for `reason`.
    pub fn dropped(&self, reason: LossReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Events dropped for whatever reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// One line for a person: `1204 accepted: 1200 delivered, 0 in memory, 4 dropped (4 the queue was full)`. What has to do with
/// a spool is named when there is any.
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

/// What became, by the deadline, of the events that a flush or shutdown found in memory and in the spool. What had been
/// delivered before it is not counted here but in [`Stats`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "the report says what was not delivered"]
pub struct Report {
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) spooled: u64,
    pub(crate) pending: u64,
}

impl Report {
    /// Delivered meanwhile.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Dropped meanwhile; [`Stats`] has the reasons.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// In the spool when the wait ended: durable, and sent later, by this process or the next.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Still waiting or on their way, in memory alone, when the deadline passed. After a shutdown there are none, since they count as dropped,
    /// unless an earlier shutdown still has time for them.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// Everything was delivered.
    pub fn is_delivered(&self) -> bool {
        self.is_durable() && self.spooled == 0
    }

    /// Everything was delivered, or is in the spool.
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
