//! The time range of an entity.

use crate::filter::operation_of;
use crate::store::Stored;
use jkool_model::{Entity, Timestamp};

/// Returns the start and the end of an entity, in microseconds. An event with a duration but without a start ended at
/// its time.
pub(in crate::page) fn span(stored: &Stored) -> (i64, i64) {
    let known = |time: Option<Timestamp>| time.map(Timestamp::as_usec).filter(|usec| *usec > 0);
    let (start, end, elapsed) = match &stored.entity {
        Entity::Event(event) => (known(event.start_time), known(event.end_time), event.elapsed_usec),
        Entity::Activity(activity) => (known(activity.start_time), known(activity.end_time), activity.elapsed_usec),
        _ => (None, None, None),
    };
    let (elapsed, time) = (elapsed.unwrap_or_default().max(0), stored.time.as_usec());
    let start = start.unwrap_or_else(|| end.unwrap_or(time).saturating_sub(elapsed));
    (start, end.unwrap_or_else(|| start.saturating_add(elapsed)).max(start))
}

pub(in crate::page) fn name(entity: &Entity) -> &str {
    match entity {
        Entity::Snapshot(snapshot) => &snapshot.name,
        entity => operation_of(entity).filter(|name| !name.is_empty()).unwrap_or("(no operation)"),
    }
}

#[cfg(test)]
mod tests {
    use super::span;
    use crate::page::trace::testing::stored;

    #[test]
    fn what_says_only_how_long_it_took_ended_when_it_was_reported() {
        for (json, expected) in [
            (r#"{"time-usec":500,"elapsed-time-usec":400}"#, (100, 500)),
            (r#"{"time-usec":500,"start-time-usec":0,"end-time-usec":0}"#, (500, 500)),
            (r#"{"time-usec":500,"start-time-usec":200,"elapsed-time-usec":50}"#, (200, 250)),
            (r#"{"time-usec":500,"start-time-usec":400,"end-time-usec":300}"#, (400, 400)),
            (r#"{"time-usec":500,"elapsed-time-usec":-7}"#, (500, 500)),
        ] {
            assert_eq!(span(&stored(&[json])[0]), expected, "{json}");
        }
    }
}
