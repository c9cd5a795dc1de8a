//! Recently stored entities, so that an entity that a client sends again is not stored twice. Asking the server about
//! each entity would be slow, and would prevent acknowledgements while the server is not reachable.

use crate::store::same::canonical;
use jkool_model::Entity;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The number of entities in a generation. Two generations are kept.
const GENERATION: usize = 1_000_000;

/// The hashes of recently stored entities.
#[derive(Debug, Default)]
pub(super) struct Known {
    keys: [RandomState; 2],
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl Known {
    pub(super) fn has(&self, entity: &Entity) -> bool {
        let hash = self.hash(entity);
        self.young.contains(&hash) || self.old.contains(&hash)
    }

    pub(super) fn add(&mut self, entity: &Entity) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(self.hash(entity));
    }

    /// Returns a hash of 128 bits with random keys, so that different entities do not get the same hash.
    fn hash(&self, entity: &Entity) -> u128 {
        let json = canonical(entity);
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(&json)));
        high << 64 | low
    }
}
