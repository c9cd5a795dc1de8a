//! Times, which OTLP has in nanoseconds.

use jkool_model::Timestamp;

/// The time, in whole microseconds. 0 says that it isn't known.
pub(crate) fn of(nanoseconds: u64) -> Option<Timestamp> {
    let usec = nanoseconds / 1_000;
    (usec > 0).then(|| Timestamp::from_usec(usec as i64))
}
