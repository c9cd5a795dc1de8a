//! Start, end and elapsed time from several key-values.

use jkool_model::{Event, InvalidEntity, Property, TypedValue};

/// Computes the third of them from two. A value that contradicts the others becomes a property: an event with contradicting
/// times would be rejected as a whole.
pub fn settle(event: &mut Event) {
    let (start, end, elapsed) = (event.start_time, event.end_time, event.elapsed_usec);
    if start.is_none() && end.is_none() && elapsed.is_none() {
        return;
    }
    event.complete_times();
    if !contradict(event) {
        return;
    }
    if let (Some(_), Some(_), Some(elapsed)) = (start, end, elapsed) {
        // Two clocks rarely agree to the microsecond.
        keep(event, "elapsed_time_usec", elapsed);
        event.elapsed_usec = None;
        event.complete_times();
        if !contradict(event) {
            return;
        }
    } else if let Some(elapsed) = elapsed {
        keep(event, "elapsed_time_usec", elapsed);
    }
    (event.start_time, event.end_time, event.elapsed_usec) = (None, None, None);
    for (name, time) in [("start_time_usec", start), ("end_time_usec", end)] {
        if let Some(time) = time {
            keep(event, name, time);
        }
    }
}

/// Uses the validation that would reject it. A missing source is not a problem of times.
fn contradict(event: &Event) -> bool {
    !matches!(event.validate(), Ok(()) | Err(InvalidEntity::Missing { .. }))
}

fn keep(event: &mut Event, name: &'static str, value: impl Into<TypedValue>) {
    event.properties.push(Property::new(name, value));
}
