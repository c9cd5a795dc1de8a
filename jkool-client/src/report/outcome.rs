//! The outcome of a single event.

use crate::report::loss::LossReason;
use std::fmt;

/// The outcome of a single event; see [`Client::emit_tracked`](crate::Client::emit_tracked).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The server confirmed it.
    Delivered,
    /// It is in the [spool](crate::Spool): durable, and sent later by this process or the next.
    Spooled,
    /// It was dropped and counted, for this reason.
    Dropped(LossReason),
}

impl fmt::Display for DeliveryOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => f.write_str("delivered"),
            Self::Spooled => f.write_str("in the spool"),
            Self::Dropped(reason) => write!(f, "dropped: {reason}"),
        }
    }
}
