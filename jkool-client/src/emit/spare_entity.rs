//! Keeps the last event and the last activity of a thread for reuse: most are freed right after they were encoded, and
//! reusing one saves the allocations.

use jkool_model::{Activity, Entity, Event};
use std::cell::Cell;
use std::thread::LocalKey;

type Spare<T> = LocalKey<Cell<Option<Box<T>>>>;

thread_local! {
    static EVENT: Cell<Option<Box<Event>>> = const { Cell::new(None) };
    static ACTIVITY: Cell<Option<Box<Activity>>> = const { Cell::new(None) };
}

/// Longer lists are freed.
const MAX_SPARE: usize = 16;

/// An empty event.
pub fn event() -> Box<Event> {
    take(&EVENT)
}

/// An empty activity.
pub fn activity() -> Box<Activity> {
    take(&ACTIVITY)
}

/// Takes back an entity that is encoded.
pub(crate) fn put(entity: Entity) {
    match entity {
        Entity::Event(mut it) => {
            let lists =
                [it.tags.capacity(), it.correlators.capacity(), it.properties.capacity(), it.snapshots.capacity()];
            if are_short(lists) {
                it.clear();
                keep(&EVENT, it);
            }
        }
        Entity::Activity(mut it) => {
            let lists =
                [it.id_set.capacity(), it.correlators.capacity(), it.properties.capacity(), it.snapshots.capacity()];
            if are_short(lists) {
                it.clear();
                keep(&ACTIVITY, it);
            }
        }
        _ => {}
    }
}

/// `None` if the thread is ending, or while another one is used.
fn take<T: Default>(spare: &'static Spare<T>) -> Box<T> {
    spare.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

fn keep<T>(spare: &'static Spare<T>, entity: Box<T>) {
    spare.try_with(|spare| spare.set(Some(entity))).unwrap_or_default();
}

fn are_short(lists: [usize; 4]) -> bool {
    lists.iter().all(|room| *room <= MAX_SPARE)
}

#[cfg(test)]
mod tests {
    use super::{MAX_SPARE, activity, event, put};
    use jkool_model::{Activity, Entity, Event, Severity};

    #[test]
    fn nothing_is_left_of_the_event_before() {
        let source = "APPL=a".parse().unwrap();
        let before = Event::builder().message("m").severity(Severity::Error).source(source).correlator("c").tid(7);
        put(before.build().unwrap().into());
        let next = event();
        assert_eq!(*next, Event::default());
        assert!(next.correlators.capacity() > 0, "its lists keep their room");
        assert_eq!(event().correlators.capacity(), 0, "it is given to one only");
        let mut large = next;
        large.tags.reserve(MAX_SPARE + 1);
        put(Entity::Event(large));
        assert_eq!(event().tags.capacity(), 0);
    }

    #[test]
    fn nothing_is_left_of_the_activity_before() {
        let source = "APPL=a".parse().unwrap();
        let before = Activity::builder().operation("o").source(source).child("c").property("p", 1).reason_code(3);
        put(before.build().unwrap().into());
        let next = activity();
        assert_eq!(*next, Activity::default());
        assert!(next.id_set.capacity() > 0 && next.properties.capacity() > 0, "its lists keep their room");
        assert_eq!(activity().id_set.capacity(), 0, "it is given to one only");
        let mut large = next;
        large.properties.reserve(MAX_SPARE + 1);
        put(Entity::Activity(large));
        assert_eq!(activity().properties.capacity(), 0);
    }
}
