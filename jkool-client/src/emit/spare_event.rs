//! The last event of a thread, for the next one: most events are gone as soon as they are encoded, and one that is there already
//! needs no memory.

use jkool_model::Event;
use std::cell::Cell;

thread_local! {
    static SPARE: Cell<Option<Box<Event>>> = const { Cell::new(None) };
}

/// Longer lists are not kept for the rest of the thread's life.
const MAX_SPARE: usize = 16;

/// An event that says nothing.
pub fn take() -> Box<Event> {
    // None at the thread's end, or while another event is made.
    SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

/// Takes back one that is encoded.
pub(crate) fn put(mut event: Box<Event>) {
    let lists =
        [event.tags.capacity(), event.correlators.capacity(), event.properties.capacity(), event.snapshots.capacity()];
    if lists.iter().all(|room| *room <= MAX_SPARE) {
        event.clear();
        SPARE.try_with(|spare| spare.set(Some(event))).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_SPARE, put, take};
    use jkool_model::{Event, Severity};

    #[test]
    fn nothing_is_left_of_the_event_before() {
        let source = "APPL=a".parse().unwrap();
        let event = Event::builder().message("m").severity(Severity::Error).source(source).correlator("c").tid(7);
        put(Box::new(event.build().unwrap()));
        let next = take();
        assert_eq!(*next, Event::default());
        assert!(next.correlators.capacity() > 0, "its lists keep their room");
        assert_eq!(take().correlators.capacity(), 0, "it is given to one only");
        let mut large = next;
        large.tags.reserve(MAX_SPARE + 1);
        put(large);
        assert_eq!(take().tags.capacity(), 0);
    }
}
