//! Limits the number of series. A label with unbounded values (a user, a request) would otherwise use all memory.

use metrics::{Key, KeyName, Label};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The labels of the common series beyond the limit.
pub(crate) const OVERFLOW: &[Label] = &[Label::from_static_parts("overflow", "true")];

#[derive(Debug)]
pub(crate) struct Limits {
    per_name: usize,
    in_all: usize,
    counts: Mutex<Counts>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    names: HashMap<KeyName, usize>,
    in_all: usize,
}

/// Where a new series goes.
#[derive(Debug, PartialEq)]
pub(crate) enum Place {
    /// It becomes a series of its own.
    Own,
    /// It is recorded in the common series of its name.
    Shared(Key),
    /// The total limit is reached.
    None,
}

impl Limits {
    pub(crate) fn new(per_name: usize, in_all: usize) -> Self {
        Self { per_name, in_all, counts: Mutex::default(), refused: AtomicU64::new(0) }
    }

    /// Reserves room for a new series. Series that get none of their own are counted.
    pub(crate) fn admit(&self, key: &Key) -> Place {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = counts.names.get(key.name()).copied().unwrap_or(0);
        let is_shared = key.labels().as_slice() == OVERFLOW;
        let place = match () {
            () if counts.in_all >= self.in_all => Place::None,
            () if of_name < self.per_name || is_shared => Place::Own,
            () => Place::Shared(Key::from_static_labels(key.name_shared().to_retained(), OVERFLOW)),
        };
        match place {
            Place::Own => {
                counts.in_all += 1;
                *counts.names.entry(key.name_shared().to_retained()).or_default() += 1;
            }
            _ => drop(self.refused.fetch_add(1, Ordering::Relaxed)),
        }
        place
    }

    /// Releases the room of a series.
    pub(crate) fn release(&self, key: &Key) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.in_all = counts.in_all.saturating_sub(1);
        if let Some(of_name) = counts.names.get_mut(key.name()) {
            *of_name -= 1;
            if *of_name == 0 {
                counts.names.remove(key.name());
            }
        }
    }

    /// Returns the number of series.
    pub(crate) fn series(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).in_all
    }

    /// Returns how often a series got no room of its own.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, OVERFLOW, Place};
    use metrics::{Key, Label};

    fn key(name: &'static str, user: usize) -> Key {
        Key::from_parts(name, vec![Label::new("user", user.to_string())])
    }

    #[test]
    fn what_is_too_many_of_a_name_is_shared_and_then_there_is_no_room() {
        let limits = Limits::new(2, 4);
        assert_eq!([0, 1].map(|user| limits.admit(&key("a", user))), [Place::Own, Place::Own]);
        let shared = Key::from_static_labels("a", OVERFLOW);
        assert_eq!(limits.admit(&key("a", 2)), Place::Shared(shared.clone()));
        assert_eq!(limits.admit(&shared), Place::Own);
        assert_eq!(limits.admit(&key("b", 0)), Place::Own);
        assert_eq!(limits.admit(&key("b", 1)), Place::None);
        assert_eq!((limits.series(), limits.refused()), (4, 2));

        limits.release(&key("a", 0));
        limits.release(&key("b", 0));
        assert_eq!(limits.admit(&key("b", 1)), Place::Own);
        assert_eq!((limits.series(), limits.refused()), (3, 2));
    }
}
