//! Intervals, without waiting for them.

use super::Collector;
use crate::clock;
use crate::limits::Limits;
use crate::recorder::Recorder;
use jkool_client::model::Snapshot;
use metrics::{counter, gauge, histogram, with_local_recorder};
use std::time::{Duration, Instant};

const IDLE: Duration = Duration::from_secs(60);

/// A recorder, and the time that tests turn.
struct World {
    recorder: Recorder,
    collector: Collector,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let (recorder, now) = (Recorder::new(Limits::new(3, 10)), clock::now());
        let collector = Collector::new(recorder.clone(), "Metrics".into(), IDLE, now);
        Self { recorder, collector, now }
    }

    fn record<T>(&self, record: impl FnOnce() -> T) -> T {
        with_local_recorder(&self.recorder, record)
    }

    /// What there is so many seconds later.
    fn after(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        let mut told: Vec<_> = self.collector.collect(self.now).iter().map(told).collect();
        told.sort();
        told
    }
}

fn told(snapshot: &Snapshot) -> String {
    let properties = snapshot.properties.iter().take(3).map(|p| format!("{}={}", p.name, p.value));
    format!("{}: {}", snapshot.name, properties.collect::<Vec<_>>().join(" "))
}

#[test]
fn a_rate_is_that_of_the_interval() {
    let mut world = World::new();
    world.record(|| counter!("orders").increment(30));
    assert_eq!(world.after(10), ["orders: value=30 rate=3.0"]);
    world.record(|| counter!("orders").absolute(50));
    assert_eq!(world.after(5), ["orders: value=50 rate=4.0"]);
    assert_eq!(world.after(5), ["orders: value=50 rate=0.0"]);
    // Without time there is no rate.
    assert_eq!(world.after(0), ["orders: value=50"]);
}

#[test]
fn labels_make_series() {
    let mut world = World::new();
    world.record(|| {
        for path in ["/a", "/b", "/a"] {
            counter!("hits", "path" => path).increment(1);
        }
        gauge!("load").set(0.25);
        gauge!("load").increment(0.5);
        gauge!("load").decrement(0.25);
    });
    let expected = ["hits: value=1 rate=1.0 path=/b", "hits: value=2 rate=2.0 path=/a", "load: value=0.5"];
    assert_eq!(world.after(1), expected);
}

#[test]
fn a_histogram_starts_anew_with_each_interval() {
    let mut world = World::new();
    world.record(|| histogram!("took").record(2.0));
    assert_eq!(world.after(10), ["took: count=1 sum=2.0 min=2.0"]);
    assert!(world.after(10).is_empty());
    world.record(|| histogram!("took").record(3.0));
    assert_eq!(world.after(10), ["took: count=1 sum=3.0 min=3.0"]);
}

#[test]
fn what_is_idle_leaves_and_may_come_back() {
    let mut world = World::new();
    world.record(|| {
        counter!("c").increment(1);
        gauge!("g").set(1);
        histogram!("h").record(1.0);
    });
    assert_eq!(world.after(1).len(), 3);
    // The same again is news of a gauge.
    world.record(|| gauge!("g").set(1));
    assert_eq!(world.after(58).len(), 2);
    assert_eq!(world.after(2), ["g: value=1.0"]);
    assert_eq!(world.recorder.stats().series, 1);
    assert!(world.after(60).is_empty());
    assert_eq!(world.recorder.stats().series, 0);
    world.record(|| counter!("c").increment(5));
    assert_eq!(world.after(1), ["c: value=5 rate=5.0"]);
}

#[test]
fn a_handle_that_is_held_loses_nothing_by_being_idle() {
    let mut world = World::new();
    let held = world.record(|| counter!("c"));
    held.increment(1);
    assert_eq!(world.after(1).len(), 1);
    assert!(world.after(60).is_empty());
    assert!(world.after(60).is_empty());
    held.increment(3);
    assert_eq!(world.after(1), ["c: value=4 rate=3.0"]);
}

#[test]
fn too_many_labels_are_bounded_counted_and_summed_up() {
    let mut world = World::new();
    world.record(|| (0..100).for_each(|user: u32| counter!("hits", "user" => user.to_string()).increment(1)));
    let told = world.after(1);
    assert_eq!(told.len(), 4);
    assert!(told.contains(&"hits: value=97 rate=97.0 overflow=true".to_owned()), "{told:?}");
    let stats = world.recorder.stats();
    assert_eq!((stats.series, stats.refused), (4, 97));
    // Nor is there room for names without end.
    world.record(|| (0..100).for_each(|name: u32| gauge!(name.to_string()).set(1)));
    assert_eq!(world.recorder.stats().series, 10);
}
