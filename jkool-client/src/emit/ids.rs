//! Tracking ids for all threads.

use crate::emit::host;
use jkool_model::{TrackingId, TrackingIds};

/// Generators of ids, each for some of the threads, so that concurrent threads rarely share one.
#[derive(Debug)]
pub(crate) struct Ids(Box<[Source]>);

/// On its own cache lines, because it is written for each id.
#[derive(Debug)]
#[repr(align(128))]
struct Source(TrackingIds);

impl Ids {
    /// With this number of generators, a power of two.
    pub(crate) fn new(sources: usize) -> Self {
        Self((0..sources.next_power_of_two()).map(|_| Source(TrackingIds::new())).collect())
    }

    /// The next id of this thread's generator.
    pub(crate) fn next(&self) -> TrackingId {
        self.source().next()
    }

    /// The bytes for an id in another format.
    pub(crate) fn next_bits(&self) -> u128 {
        self.source().next_bits()
    }

    /// The bytes for two ids.
    pub(crate) fn next_two(&self) -> [u128; 2] {
        self.source().next_two()
    }

    fn source(&self) -> &TrackingIds {
        let Source(ids) = &self.0[host::thread_number() & (self.0.len() - 1)];
        ids
    }
}
