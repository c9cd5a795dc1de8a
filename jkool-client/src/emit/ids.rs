//! Tracking ids for all threads.

use crate::emit::host;
use jkool_model::{TrackingId, TrackingIds};

/// A source of ids for each of some threads, so that those which run at the same time seldom share one.
#[derive(Debug)]
pub(crate) struct Ids(Box<[Source]>);

/// On cache lines of its own: it is written to with each id.
#[derive(Debug)]
#[repr(align(128))]
struct Source(TrackingIds);

impl Ids {
    /// As many sources as that; a power of two.
    pub(crate) fn new(sources: usize) -> Self {
        Self((0..sources.next_power_of_two()).map(|_| Source(TrackingIds::new())).collect())
    }

    /// The next id of this thread's source.
    pub(crate) fn next(&self) -> TrackingId {
        self.source().next()
    }

    /// What an id of another form is made of.
    pub(crate) fn next_bits(&self) -> u128 {
        self.source().next_bits()
    }

    fn source(&self) -> &TrackingIds {
        let Source(ids) = &self.0[host::thread_number() & (self.0.len() - 1)];
        ids
    }
}
