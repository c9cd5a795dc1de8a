//! What the worker gets, and when.

use super::{Consumer, Taken};
use crate::emit::defaults::Defaults;
use crate::emit::encode::Encoder;
use crate::emit::host::Host;
use crate::emit::more::More;
use crate::queue::block::{self, Block};
use crate::queue::ledger::End;
use crate::queue::limits::Limits;
use crate::queue::mark::Mark;
use crate::queue::overflow::{Admission, OverflowPolicy};
use crate::queue::shared::Shared;
use crate::queue::wait::Goal;
use jkool_model::{Event, Severity};
use std::sync::Arc;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(100);

fn queue(limits: impl FnOnce(&mut Limits)) -> (Arc<Shared>, Consumer, Instant) {
    let source = Some("APPL=a".parse().unwrap());
    let defaults = Defaults::new(source, None, "".into(), Vec::new(), Host::look(|_| None)).unwrap();
    let mut settings = Limits {
        events: 100,
        bytes: 1 << 20,
        overflow: OverflowPolicy::DropNewest,
        shed_below: Severity::None,
        priority: None,
        flush_interval: INTERVAL,
        wake_at: 6,
        batch_events: 3,
        batch_bytes: 1 << 17,
        shards: 4,
    };
    limits(&mut settings);
    let shared = Arc::new(Shared::new(settings, false, Encoder::new(defaults, false, 1)));
    (Arc::clone(&shared), Consumer::new(shared), crate::emit::clock::now())
}

fn emit(shared: &Shared, shard: usize, name: &str) -> Admission {
    let mut event = Event::default();
    event.operation = name.to_owned().into();
    shared.emit_at(shard, event.into(), More::NOTHING)
}

fn names(queue: &mut Consumer, blocks: Vec<Block>) -> Vec<(Mark, String)> {
    let mut events = Vec::new();
    for mut block in blocks {
        while let Some((admitted, event)) = block.pop() {
            let block::Taken::Encoded(_, _, key) = event else { panic!("came in otherwise") };
            events.push((admitted.into(), String::from_utf8(key.to_vec()).unwrap()));
        }
        queue.reuse(block);
    }
    events
}

/// A batch, which is delivered at once.
fn taken(shared: &Shared, queue: &mut Consumer, max: usize, now: Instant) -> Vec<String> {
    let Taken::Events(blocks, _) = queue.take(max, false, now) else { return Vec::new() };
    let (marks, names): (Vec<_>, Vec<_>) = names(queue, blocks).into_iter().unzip();
    shared.account(|ledger| ledger.end_all(&marks, End::Delivered));
    names
}

#[test]
fn the_shards_have_their_turns_and_each_keeps_its_order() {
    let (shared, mut queue, now) = queue(|_| {});
    for name in ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "c1"] {
        emit(&shared, usize::from(name.as_bytes()[0] - b'a'), name);
    }
    shared.close(Duration::from_secs(60), now);
    let mut batches = Vec::new();
    for _ in 0..4 {
        batches.push(taken(&shared, &mut queue, 3, now).join(" "));
    }
    assert_eq!(batches, ["a1 a2 a3", "b1 b2 b3", "c1 a4", ""]);
    assert_eq!((shared.stats().delivered(), shared.stats().in_memory()), (8, 0));
    assert_eq!(shared.stats().bytes_in_memory(), 0);
}

#[test]
fn nothing_is_due_before_its_time_and_silence_lets_the_worker_sleep() {
    let (shared, mut queue, start) = queue(|_| {});
    assert!(matches!(queue.take(3, false, start), Taken::Nothing { until: None }));
    emit(&shared, 0, "a");
    emit(&shared, 1, "b");
    let due = start + INTERVAL;
    assert!(matches!(queue.take(3, false, start), Taken::Nothing { until: Some(until) } if until == due));
    assert_eq!(taken(&shared, &mut queue, 3, due), ["a", "b"]);
    assert!(matches!(queue.take(3, false, due), Taken::Nothing { until: Some(_) }));
    assert!(matches!(queue.take(3, false, due + INTERVAL), Taken::Nothing { until: None }));
}

#[test]
fn much_goes_in_full_batches() {
    let (shared, mut queue, start) = queue(|_| {});
    for number in 0..8 {
        emit(&shared, number % 2, "a");
    }
    let lens: Vec<_> = (0..4).map(|_| taken(&shared, &mut queue, 3, start).len()).collect();
    assert_eq!(lens, [3, 3, 0, 0]);
    assert_eq!(taken(&shared, &mut queue, 3, start + INTERVAL).len(), 2);
}

#[test]
fn who_waits_for_events_or_for_room_hurries_them() {
    let (shared, mut queue, now) = queue(|_| {});
    emit(&shared, 2, "a");
    assert!(taken(&shared, &mut queue, 3, now).is_empty());
    shared.start_wait(Duration::from_secs(60), Goal::Delivered, now);
    assert_eq!(taken(&shared, &mut queue, 3, now), ["a"]);
    assert!(taken(&shared, &mut queue, 3, now).is_empty());
    emit(&shared, 2, "b");
    assert!(taken(&shared, &mut queue, 3, now).is_empty());
    shared.shards.signals.press();
    assert_eq!(taken(&shared, &mut queue, 3, now), ["b"]);
}

#[test]
fn none_are_taken_beyond_the_limit_of_bytes() {
    let (shared, mut queue, now) = queue(|limits| limits.bytes = 4 << 10);
    for _ in 0..4 {
        emit(&shared, 0, "a");
    }
    shared.close(Duration::from_secs(60), now);
    let Taken::Events(blocks, _) = queue.take(2, false, now) else { panic!("a batch") };
    let marks: Vec<_> = names(&mut queue, blocks).into_iter().map(|(mark, _)| mark).collect();
    // Encoded, it turns out to be larger.
    shared.account(|ledger| ledger.reweigh(marks[0].weight, 8 << 10));
    assert!(matches!(queue.take(2, true, now), Taken::Nothing { until: None }));
    assert_eq!(taken(&shared, &mut queue, 2, now).len(), 2);
}

#[test]
fn steady_traffic_stays_in_the_same_blocks_and_an_outage_leaves_little_behind() {
    let (shared, mut queue, now) = queue(|limits| (limits.events, limits.bytes) = (1 << 20, 8 << 20));
    let mut most = 0;
    for round in 0..50 {
        let events = if round == 10 { 5_000 } else { 20 };
        for number in 0..events {
            emit(&shared, number % 4, &"a".repeat(100));
        }
        shared.shards.signals.press();
        while !taken(&shared, &mut queue, 3, now).is_empty() {}
        let (room, empty) = queue.spare.look();
        assert!(empty);
        most = most.max(room);
    }
    assert!(most <= shared.shards.max_spare(), "{most}");
    assert_eq!((shared.stats().in_memory(), shared.stats().bytes_in_memory()), (0, 0));
}
