//! How delivery is doing.

use crate::report::stats::Stats;
use jkool_model::Timestamp;
use jkool_transport::TransportError;
use std::time::Duration;

/// How delivery is doing: what a health check or a status page asks.
///
/// ```
/// use jkool_client::{Client, Condition};
/// use jkool_client::transport::MemoryTransport;
///
/// let client = Client::builder().transport(MemoryTransport::new()).build()?;
/// let health = client.health();
/// assert!(matches!(health.condition, Condition::Running));
/// assert_eq!(health.stats.in_memory(), 0);
/// # Ok::<(), jkool_client::BuildError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Health {
    /// Whether events get through.
    pub condition: Condition,
    /// When the server last confirmed something.
    pub last_success: Option<Timestamp>,
    /// What became of everything so far, and how much waits.
    pub stats: Stats,
    /// How long the oldest event has waited that is in memory or in the spool, or a little longer: it is that of the block of the
    /// queue, and then of the file, in which it came. `None` when there is none.
    pub oldest_undelivered: Option<Duration>,
    /// How many events the server refused for good in the last minute.
    pub refused_last_minute: u64,
    /// Why the spool does not take anything at present; events are kept in memory then, and it is tried again.
    pub spool_error: Option<String>,
}

/// Whether events get through.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Condition {
    /// They do, as far as is known.
    #[default]
    Running,
    /// The last try failed in a way that may pass; it is tried again by itself.
    BackingOff {
        /// Why.
        error: TransportError,
        /// Since when nothing gets through.
        since: Timestamp,
    },
    /// Nothing gets through until a person mends it; it is tried again from time to time.
    Paused {
        /// What is to be mended.
        error: TransportError,
        /// Since when nothing gets through.
        since: Timestamp,
    },
    /// The server refuses every event, one after the other, so that it can't be for what they hold. They are kept, and tried
    /// again from time to time.
    Refused {
        /// What the server answers.
        error: TransportError,
        /// Since when nothing gets through.
        since: Timestamp,
    },
    /// The client was shut down.
    Ended,
}

/// Why nothing gets through at present.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It may pass.
    Passing(TransportError),
    /// A person must mend it, and has been told.
    Misconfigured(TransportError),
    /// The server refuses every event, and a person has been told.
    Refused(TransportError),
}
