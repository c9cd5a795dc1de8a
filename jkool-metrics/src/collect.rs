//! What an interval leaves: a snapshot a series. It is handed the time, and does nothing else.

use crate::recorder::{Recorded, Recorder};
use crate::registry::Registry;
use crate::series::Series;
use crate::snapshot::snapshot;
use jkool_client::model::{Snapshot, Text};
use metrics::Key;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reads all series, and remembers what they were.
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
    /// When there was news of it.
    news: Instant,
}

/// What is the same for all series of a collection.
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

    /// A snapshot of each series that is not idle.
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
            // What the program still holds is kept, for there may be news of it.
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
