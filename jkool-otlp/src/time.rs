//! Converts times, which are nanoseconds in OTLP.

use jkool_model::Timestamp;

/// Converts a time to microseconds. 0 means unknown.
pub(crate) fn of(nanoseconds: u64) -> Option<Timestamp> {
    let usec = nanoseconds / 1_000;
    (usec > 0).then(|| Timestamp::from_usec(usec as i64))
}
