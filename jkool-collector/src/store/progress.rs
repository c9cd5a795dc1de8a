//! The progress of long work while a store is opened.

use std::fmt;
use std::sync::Arc;

/// The progress of long work while a store is opened: importing an old file, or rebuilding a damaged index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// A description of the work.
    pub what: &'static str,
    /// The number of entities that are done.
    pub done: u64,
    /// The number of all entities.
    pub total: u64,
}

/// A callback for progress; by default there is none.
#[derive(Clone, Default)]
pub(crate) struct Report(Option<Arc<dyn Fn(Progress) + Send + Sync>>);

/// The number of entities after which progress is reported.
const EVERY: u64 = 1_000;

impl Report {
    pub(crate) fn to(tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(crate) fn tell(&self, what: &'static str, done: u64, total: u64) {
        if let Some(tell) = self.0.as_ref().filter(|_| done.is_multiple_of(EVERY) || done == total) {
            tell(Progress { what, done, total });
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Report")
    }
}
