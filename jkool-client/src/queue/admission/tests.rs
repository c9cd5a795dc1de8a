//! The queue and its limits.

use super::{Answer, Intake, Limits, Taken};
use crate::emit::decoration::Lacks;
use crate::emit::encode::Shape;
use crate::queue::blocks::{self, Block, Incoming};
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::queue::overflow::Admission;
use crate::queue::overflow::OverflowPolicy;
use crate::report::loss::LossReason;
use jkool_model::Severity;
use jkool_transport::Kind;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(100);

fn intake(overflow: OverflowPolicy) -> Intake {
    Intake::new(Limits {
        events: 3,
        bytes: 100,
        overflow,
        shed_below: Severity::None,
        flush_interval: INTERVAL,
        wake_at: 3,
        batch_bytes: 100,
    })
}

/// The queue does not care what an event's bytes say.
const SHAPE: Shape = Shape { kind: Kind::Event, lacks: Lacks::NOTHING, key_len: 0 };

fn offer_as(intake: &mut Intake, name: &str, severity: Severity, weight: usize) -> (Admission, bool) {
    match intake.admit(severity, weight, false) {
        Answer::Admitted { mark, wake } => {
            intake.put(Incoming::Encoded(SHAPE, &mut name.into()), mark);
            (Admission::Accepted, wake)
        }
        Answer::Refused { reason, wake } => (Admission::Dropped(reason), wake),
        Answer::Wait(_) => panic!("asked to wait"),
    }
}

fn offer(intake: &mut Intake, name: &str, weight: usize) -> (Admission, bool) {
    offer_as(intake, name, Severity::Info, weight)
}

fn events(blocks: Vec<Block>) -> Vec<(Mark, String)> {
    let mut events = Vec::new();
    for mut block in blocks {
        while let Some((mark, event)) = block.pop() {
            let blocks::Taken::Encoded(SHAPE, name) = event else { panic!("came in otherwise") };
            events.push((mark, String::from_utf8(name.to_vec()).unwrap()));
        }
    }
    events
}

/// How many events are taken; they stay on their way.
fn take(intake: &mut Intake, max: usize, under_way: bool, now: Instant) -> Option<usize> {
    match intake.take(max, under_way, now) {
        Taken::Events(blocks) => Some(events(blocks).len()),
        Taken::Nothing { .. } => None,
    }
}

fn taken(intake: &mut Intake, max: usize, now: Instant) -> Vec<String> {
    let Taken::Events(blocks) = intake.take(max, false, now) else { return Vec::new() };
    let events = events(blocks).into_iter();
    let ended = events.map(|(mark, name)| {
        intake.ledger.end(mark, End::Delivered);
        name
    });
    ended.collect()
}

const DROPPED: Admission = Admission::Dropped(LossReason::Overflow);

#[test]
fn the_newest_is_dropped_when_events_or_bytes_run_out() {
    let mut intake = intake(OverflowPolicy::DropNewest);
    assert_eq!(offer(&mut intake, "a", 60).0, Admission::Accepted);
    assert_eq!(offer(&mut intake, "too many bytes", 41).0, DROPPED);
    assert_eq!(offer(&mut intake, "b", 20).0, Admission::Accepted);
    assert_eq!(offer(&mut intake, "c", 20).0, Admission::Accepted);
    assert_eq!(offer(&mut intake, "too many", 0).0, DROPPED);
    intake.close();
    assert_eq!(taken(&mut intake, 9, crate::emit::clock::now()), ["a", "b", "c"]);
    assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 2);
}

#[test]
fn the_oldest_make_room() {
    let mut intake = intake(OverflowPolicy::DropOldest);
    for name in ["a", "b", "c", "d"] {
        assert_eq!(offer(&mut intake, name, 30).0, Admission::Accepted);
    }
    assert_eq!(offer(&mut intake, "big", 100).0, Admission::Accepted);
    // One that never fits drops nothing but itself.
    assert_eq!(offer(&mut intake, "too big", 101).0, DROPPED);
    intake.close();
    assert_eq!(taken(&mut intake, 9, crate::emit::clock::now()), ["big"]);
    assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 5);
}

#[test]
fn what_is_on_its_way_counts_too_and_cannot_make_room() {
    let mut intake = intake(OverflowPolicy::DropOldest);
    let now = crate::emit::clock::now();
    for name in ["a", "b", "c"] {
        offer(&mut intake, name, 1);
    }
    assert_eq!(take(&mut intake, 3, false, now), Some(3));
    assert_eq!(offer(&mut intake, "d", 1).0, DROPPED);
}

#[test]
fn what_waits_is_not_dropped_for_one_that_will_not_fit_beside_what_is_on_its_way() {
    let mut intake = intake(OverflowPolicy::DropOldest);
    offer(&mut intake, "under way", 60);
    intake.close();
    assert_eq!(take(&mut intake, 1, false, crate::emit::clock::now()), Some(1));
    intake.closed = false;
    assert_eq!(offer(&mut intake, "waits", 30).0, Admission::Accepted);
    assert_eq!(offer(&mut intake, "too big", 50).0, DROPPED);
    assert_eq!(offer(&mut intake, "fits in its place", 40).0, Admission::Accepted);
    assert_eq!(intake.ledger.stats().dropped(LossReason::Overflow), 2);
}

#[test]
fn a_batch_is_bounded_in_bytes_and_none_is_taken_beyond_the_limit() {
    let mut intake = Intake::new(Limits {
        events: 9,
        bytes: 100,
        overflow: OverflowPolicy::DropNewest,
        shed_below: Severity::None,
        flush_interval: INTERVAL,
        wake_at: 3,
        batch_bytes: 50,
    });
    for name in ["a", "b", "c", "d"] {
        offer(&mut intake, name, 25);
    }
    intake.close();
    let now = crate::emit::clock::now();
    let Taken::Events(blocks) = intake.take(9, false, now) else { panic!("a batch") };
    let mut events = events(blocks);
    assert_eq!(events.len(), 2);
    // Encoded, one turns out to be larger.
    intake.ledger.reweigh(std::mem::replace(&mut events[0].0.weight, 60), 60);
    assert!(matches!(intake.take(9, true, now), Taken::Nothing { until: None }));
    assert_eq!(take(&mut intake, 9, false, now), Some(2));
}

#[test]
fn blocking_is_asked_for_only_when_it_can_help() {
    let mut intake = intake(OverflowPolicy::Block(INTERVAL));
    for name in ["a", "b", "c"] {
        offer(&mut intake, name, 1);
    }
    assert_eq!(intake.admit(Severity::Info, 1, true), Answer::Wait(INTERVAL));
    let never_fits = intake.admit(Severity::Info, 101, true);
    assert!(matches!(never_fits, Answer::Refused { reason: LossReason::Overflow, .. }), "{never_fits:?}");
    assert_eq!(offer(&mut intake, "d", 1).0, DROPPED);
}

#[test]
fn the_worker_is_woken_by_the_first_event_and_by_a_full_batch() {
    let mut intake = intake(OverflowPolicy::DropNewest);
    let start = crate::emit::clock::now();
    assert!(matches!(intake.take(9, false, start), Taken::Nothing { until: None }));
    assert_eq!(offer(&mut intake, "a", 1), (Admission::Accepted, true));
    let due = start + INTERVAL;
    assert!(matches!(intake.take(9, false, start), Taken::Nothing { until: Some(until) } if until == due));
    assert_eq!(offer(&mut intake, "b", 1), (Admission::Accepted, false));
    assert_eq!(offer(&mut intake, "c", 1), (Admission::Accepted, true));
    assert_eq!(taken(&mut intake, 2, start), ["a", "b"]);
    // Less than a batch is left, and it waits for company again.
    assert!(taken(&mut intake, 2, start).is_empty());
    assert_eq!(taken(&mut intake, 2, start + INTERVAL), ["c"]);
}

#[test]
fn large_events_wake_the_worker_before_the_queue_is_full() {
    let limits = Limits { events: 99, wake_at: 99, batch_bytes: 10, ..intake(OverflowPolicy::DropNewest).limits };
    let mut intake = Intake::new(limits);
    let start = crate::emit::clock::now();
    assert_eq!(offer(&mut intake, "first", 5), (Admission::Accepted, true));
    assert!(taken(&mut intake, 9, start).is_empty());
    let wakes = [10, 10, 10, 10].map(|weight| offer(&mut intake, "large", weight).1);
    assert_eq!(wakes, [false, true, false, false], "at a quarter of the bytes");
    assert_eq!(taken(&mut intake, 9, start), ["first", "large"]);
    assert_eq!(taken(&mut intake, 9, start), ["large"]);
    assert_eq!(taken(&mut intake, 9, start), ["large"]);
    assert_eq!(taken(&mut intake, 9, start), ["large"], "a full batch");
    assert_eq!(offer(&mut intake, "small", 9), (Admission::Accepted, false));
    assert!(taken(&mut intake, 9, start).is_empty(), "it waits for company");
}

#[test]
fn steady_traffic_costs_one_wake_an_interval_and_silence_none() {
    let mut intake = intake(OverflowPolicy::DropNewest);
    let start = crate::emit::clock::now();
    offer(&mut intake, "a", 1);
    assert!(taken(&mut intake, 9, start).is_empty());
    assert_eq!(taken(&mut intake, 9, start + INTERVAL), ["a"]);
    assert_eq!(offer(&mut intake, "b", 1), (Admission::Accepted, false));
    assert_eq!(taken(&mut intake, 9, start + 2 * INTERVAL), ["b"]);
    assert!(matches!(intake.take(9, false, start + 3 * INTERVAL), Taken::Nothing { until: None }));
    assert_eq!(offer(&mut intake, "c", 1), (Admission::Accepted, true));
}

#[test]
fn a_full_queue_does_not_wait_for_company() {
    let mut intake = intake(OverflowPolicy::DropNewest);
    let start = crate::emit::clock::now();
    offer(&mut intake, "a", 90);
    assert!(taken(&mut intake, 9, start).is_empty());
    assert_eq!(offer(&mut intake, "too many bytes", 20), (DROPPED, true));
    assert_eq!(offer(&mut intake, "too many bytes", 20), (DROPPED, false));
    assert_eq!(taken(&mut intake, 9, start), ["a"]);
}

#[test]
fn after_closing_nothing_comes_in() {
    let mut intake = intake(OverflowPolicy::DropNewest);
    offer(&mut intake, "a", 1);
    intake.close();
    assert_eq!(offer(&mut intake, "b", 1).0, Admission::Dropped(LossReason::AfterShutdown));
    assert_eq!(taken(&mut intake, 9, crate::emit::clock::now()), ["a"]);
}

#[test]
fn the_last_quarter_is_kept_for_what_is_severe() {
    let limits = Limits { events: 8, shed_below: Severity::Info, ..intake(OverflowPolicy::DropNewest).limits };
    let mut intake = Intake::new(limits);
    let mut offer = |severity| offer_as(&mut intake, "a", severity, 1).0;
    for _ in 0..6 {
        assert_eq!(offer(Severity::Trace), Admission::Accepted);
    }
    assert_eq!(offer(Severity::Trace), Admission::Dropped(LossReason::Shed));
    assert_eq!(offer(Severity::Debug), Admission::Dropped(LossReason::Shed));
    // What says nothing of its severity may be anything.
    assert_eq!(offer(Severity::None), Admission::Accepted);
    assert_eq!(offer(Severity::Info), Admission::Accepted);
    assert_eq!(offer(Severity::Fatal), DROPPED);
}

#[test]
fn the_worker_is_woken_when_half_is_taken_and_there_is_a_spool() {
    let limits = Limits { events: 8, wake_at: 100, ..intake(OverflowPolicy::Spill).limits };
    let mut intake = Intake::new(limits);
    let wakes = |intake: &mut Intake| (0..8).map(|_| offer(intake, "a", 1).1).collect::<Vec<_>>();
    assert!(taken(&mut intake, 9, crate::emit::clock::now()).is_empty());
    offer(&mut intake, "first", 1);
    assert!(taken(&mut intake, 9, crate::emit::clock::now()).is_empty());
    assert_eq!(wakes(&mut intake), [false, false, true, false, false, false, false, true]);
    assert!(intake.wants_relief());
    for (mark, _) in events(intake.take_some(5)) {
        intake.ledger.end(mark, End::Delivered);
    }
    assert!(!intake.wants_relief());
    assert_eq!(offer(&mut intake, "a", 1), (Admission::Accepted, true));
}
