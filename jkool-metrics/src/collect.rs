//! Collects the snapshots of an interval. The time is passed in.

use crate::recorder::{Recorded, Recorder};
use crate::registry::Registry;
use crate::series::Series;
use crate::snapshot::snapshot;
use jkool_client::model::{Snapshot, Text};
use metrics::Key;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reads all series, and remembers their values.
#[derive(Debug)]
pub(crate) struct Collector {
    recorder: Recorder,
    category: Text,
    idle_after: Duration,
    last: Instant,
    counters: Seen,
    gauges: Seen,
    histograms: Seen,
}

type Seen = HashMap<Key, Last>;

/// A series as it was last seen.
#[derive(Debug)]
struct Last {
    count: u64,
    /// When it last changed.
    news: Instant,
}

/// The values that all series of a collection share.
struct Collection<'a> {
    recorded: &'a Recorded,
    category: &'a Text,
    idle_after: Duration,
    now: Instant,
    elapsed: Duration,
    snapshots: Vec<Snapshot>,
}

impl Collector {
    pub(crate) fn new(recorder: Recorder, category: Text, idle_after: Duration, now: Instant) -> Self {
        let (counters, gauges, histograms) = (Seen::new(), Seen::new(), Seen::new());
        Self { recorder, category, idle_after, last: now, counters, gauges, histograms }
    }

    /// Returns a snapshot of each series that is not idle.
    pub(crate) fn collect(&mut self, now: Instant) -> Vec<Snapshot> {
        let elapsed = now.saturating_duration_since(self.last);
        self.last = now;
        let recorded = Arc::clone(&self.recorder.recorded);
        let (category, idle_after) = (&self.category, self.idle_after);
        let mut collection =
            Collection { recorded: &recorded, category, idle_after, now, elapsed, snapshots: Vec::new() };
        collection.add(&recorded.counters, &mut self.counters);
        collection.add(&recorded.gauges, &mut self.gauges);
        collection.add(&recorded.histograms, &mut self.histograms);
        collection.snapshots
    }
}

impl Collection<'_> {
    fn add<M: Series>(&mut self, registry: &Registry<M>, seen: &mut Seen) {
        for (key, series) in registry.all() {
            let last = seen.entry(key.clone()).or_insert(Last { count: 0, news: self.now });
            let (reading, is_news) = series.read(&mut last.count);
            if is_news {
                last.news = self.now;
            }
            if self.now.saturating_duration_since(last.news) < self.idle_after {
                let description = self.recorded.descriptions.get(key.name());
                self.snapshots.extend(snapshot(&key, reading, self.elapsed, description, self.category));
                continue;
            }
            // A series whose handle the program holds is kept, because it may be used again.
            drop(series);
            let count = last.count;
            if registry.remove(&key, &self.recorded.limits, |series| series.is_quiet(count)) {
                seen.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
