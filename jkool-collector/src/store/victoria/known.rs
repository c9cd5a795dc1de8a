//! What was stored lately, so that a client that sends something again stores nothing twice. To ask the server for each would
//! take too long, and nothing could be acknowledged while it is away.

use crate::store::same::canonical;
use jkool_model::Entity;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Of the last one to two million.
const GENERATION: usize = 1_000_000;

/// Hashes of what was stored lately.
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

    /// Of 128 bits, with keys of this process: no two different ones are taken for one.
    fn hash(&self, entity: &Entity) -> u128 {
        let json = canonical(entity);
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(&json)));
        high << 64 | low
    }
}
