//! The series of one kind, found by name and labels.

use crate::limits::{Limits, Place};
use metrics::Key;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Shards, so that threads that look up different series rarely wait for each other.
const SHARDS: usize = 16;

#[derive(Debug)]
pub(crate) struct Registry<M> {
    shards: [RwLock<Shard<M>>; SHARDS],
}

type Shard<M> = HashMap<Key, Arc<M>, BuildHasherDefault<Prehashed>>;

impl<M> Default for Registry<M> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()) }
    }
}

impl<M: Default> Registry<M> {
    /// Returns the series with this name and labels, or the common overflow series; `None` if the total limit is reached.
    pub(crate) fn get(&self, key: &Key, limits: &Limits) -> Option<Arc<M>> {
        if let Some(found) = read(self.shard(key)).get(key) {
            return Some(Arc::clone(found));
        }
        self.add(key, limits)
    }

    #[cold]
    fn add(&self, key: &Key, limits: &Limits) -> Option<Arc<M>> {
        let mut shard = write(self.shard(key));
        // Another thread may have created it.
        if let Some(found) = shard.get(key) {
            return Some(Arc::clone(found));
        }
        match limits.admit(key) {
            Place::Own => {
                let series = Arc::new(M::default());
                shard.insert(key.to_retained(), Arc::clone(&series));
                Some(series)
            }
            Place::Shared(shared) => {
                // It may be in another shard, and two threads may each hold a lock.
                drop(shard);
                self.get(&shared, limits)
            }
            Place::None => None,
        }
    }

    /// Returns all series, copied so that no lock is held while they are processed.
    pub(crate) fn all(&self) -> Vec<(Key, Arc<M>)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(read(shard).iter().map(|(key, series)| (key.clone(), Arc::clone(series))));
        }
        all
    }

    /// Removes a series that has no other handle, if `is_done` is still true then.
    pub(crate) fn remove(&self, key: &Key, limits: &Limits, is_done: impl Fn(&M) -> bool) -> bool {
        let mut shard = write(self.shard(key));
        // New handles are created with the shard locked, so none can be created now.
        let is_free = shard.get(key).is_some_and(|series| Arc::strong_count(series) == 1 && is_done(series));
        if is_free {
            shard.remove(key);
            limits.release(key);
        }
        is_free
    }

    fn shard(&self, key: &Key) -> &RwLock<Shard<M>> {
        // The map itself uses the highest and the lowest bits.
        &self.shards[(key.get_hash() >> 32) as usize % SHARDS]
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// A key passes its precomputed hash, and nothing else.
#[derive(Debug, Default)]
struct Prehashed(u64);

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::Registry;
    use crate::counter::Counter;
    use crate::limits::Limits;
    use metrics::{CounterFn, Key, Label};
    use std::sync::Arc;

    fn key(user: usize) -> Key {
        Key::from_parts("requests", vec![Label::new("user", user.to_string())])
    }

    #[test]
    fn what_is_the_same_is_found_and_what_is_not_is_new() {
        let (registry, limits) = (Registry::<Counter>::default(), Limits::new(100, 100));
        let first = registry.get(&key(1), &limits).unwrap();
        assert!(Arc::ptr_eq(&first, &registry.get(&key(1), &limits).unwrap()));
        assert!(!Arc::ptr_eq(&first, &registry.get(&key(2), &limits).unwrap()));
        assert_eq!((registry.all().len(), limits.series()), (2, 2));
    }

    #[test]
    fn of_too_many_none_is_lost() {
        let (registry, limits) = (Registry::<Counter>::default(), Limits::new(10, 1000));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (registry, limits) = (&registry, &limits);
                scope.spawn(move || (0..500).for_each(|user| registry.get(&key(user), limits).unwrap().increment(1)));
            }
        });
        let all = registry.all();
        assert_eq!((all.len(), limits.series()), (11, 11));
        assert_eq!(all.iter().map(|(_, counter)| counter.value()).sum::<u64>(), 2000);
        assert_eq!(limits.refused(), 4 * 490);
    }

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let (registry, limits) = (Registry::<Counter>::default(), Limits::new(1, 1));
        let held = registry.get(&key(1), &limits).unwrap();
        assert!(!registry.remove(&key(1), &limits, |_| true));
        drop(held);
        assert!(!registry.remove(&key(1), &limits, |_| false));
        assert!(registry.get(&key(2), &limits).is_none());
        assert!(registry.remove(&key(1), &limits, |_| true));
        assert!(!registry.remove(&key(1), &limits, |_| true));
        assert!(registry.get(&key(2), &limits).is_some());
    }
}
