//! The state of delivery.

use crate::report::stats::Stats;
use jkool_model::Timestamp;
use jkool_transport::{Metric, TransportError};
use std::time::Duration;

/// The state of delivery, from [`Client::health`](crate::Client::health), for a health check or a status page.
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
    /// When the server last confirmed an event.
    pub last_success: Option<Timestamp>,
    /// The counters of all events.
    pub stats: Stats,
    /// How long the oldest event in memory or in the spool has waited; `None` if there is none. The value may be slightly too
    /// high: it is the age of the queue block, and later of the spool file, that contains the event.
    pub oldest_undelivered: Option<Duration>,
    /// Events that were given up in the last minute because the server rejected them.
    pub refused_last_minute: u64,
    /// Why the spool cannot be used at the moment. Events stay in memory then, and the client tries the spool again.
    pub spool_error: Option<String>,
    /// What the transport reports about itself, such as the length of its own queue. Empty if it reports nothing, and after the
    /// end.
    pub transport: Vec<Metric>,
}

/// Whether events get through.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Condition {
    /// Events get through, as far as is known.
    #[default]
    Running,
    /// The last try failed with a temporary error. The client retries automatically.
    BackingOff {
        /// The error.
        error: TransportError,
        /// Since when no event gets through.
        since: Timestamp,
    },
    /// No event gets through until a person fixes the problem, such as a wrong token or url. The client retries at long
    /// intervals.
    Paused {
        /// The problem to be fixed.
        error: TransportError,
        /// Since when no event gets through.
        since: Timestamp,
    },
    /// The server rejects every event, so the cause cannot be the content of single events. Events are kept, and the client
    /// retries at long intervals.
    Refused {
        /// The error that the server answers with.
        error: TransportError,
        /// Since when no event gets through.
        since: Timestamp,
    },
    /// The client was shut down.
    Ended,
}

/// Why no event gets through at the moment.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// A temporary error.
    Passing(TransportError),
    /// A person must fix it, and it was reported.
    Misconfigured(TransportError),
    /// The server rejects every event, and this was reported.
    Refused(TransportError),
}

impl Trouble {
    /// The error that it was recognized by.
    pub(crate) fn error(&self) -> &TransportError {
        match self {
            Self::Passing(error) | Self::Misconfigured(error) | Self::Refused(error) => error,
        }
    }
}
