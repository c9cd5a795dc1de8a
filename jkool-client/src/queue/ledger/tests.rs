//! The accounts.

use super::{End, Ledger, Mark};
use crate::queue::completion::Completion;
use crate::queue::mark::SegmentId;
use crate::queue::mark::Slot;
use crate::report::loss::LossReason;
use proptest::prelude::{any, prop, proptest};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn far() -> Instant {
    crate::emit::clock::now() + Duration::from_secs(3600)
}

#[test]
fn a_flush_waits_for_what_came_before_it_and_not_for_what_came_after() {
    let mut ledger = Ledger::default();
    let before = [ledger.accept(10), ledger.accept(10)];
    let completion = Arc::new(Completion::default());
    ledger.wait(far(), false, &completion);
    let after = ledger.accept(10);
    ledger.end(before[1], End::Delivered);
    assert_eq!(completion.wait_until(crate::emit::clock::now()), None);
    ledger.end(before[0], End::Dropped(LossReason::Rejected));
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
    ledger.end(after, End::Delivered);
    assert_eq!(ledger.stats().bytes_in_memory(), 0);
}

#[test]
fn a_deadline_tells_what_is_true_then() {
    let mut ledger = Ledger::default();
    let marks = [ledger.accept(1), ledger.accept(1)];
    let completion = Arc::new(Completion::default());
    let deadline = far();
    ledger.wait(deadline, false, &completion);
    ledger.end(marks[0], End::Delivered);
    assert_eq!(ledger.expire(deadline - Duration::from_secs(1)), Some(deadline));
    assert_eq!(ledger.expire(deadline), None);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.pending()), (1, 1));
    ledger.end(marks[1], End::Delivered);
}

#[test]
fn an_empty_ledger_answers_at_once() {
    let completion = Arc::new(Completion::default());
    Ledger::default().wait(far(), false, &completion);
    assert!(completion.wait_until(crate::emit::clock::now()).unwrap().is_delivered());
}

#[test]
fn flushes_of_a_long_outage_take_no_room() {
    let mut ledger = Ledger::default();
    let mut marks = Vec::new();
    let now = crate::emit::clock::now();
    for _ in 0..1_000 {
        marks.push(ledger.accept(1));
        let completion = Arc::new(Completion::default());
        ledger.wait(now, false, &completion);
        ledger.expire(now);
        assert_eq!(completion.wait_until(now).unwrap().pending(), marks.len() as u64);
        assert!(ledger.outstanding.len() <= 3);
    }
    for mark in marks {
        ledger.end(mark, End::Delivered);
    }
    assert_eq!(ledger.stats().in_memory(), 0);
}

#[test]
fn the_end_leaves_nothing_pending() {
    let mut ledger = Ledger::default();
    let delivered = ledger.accept(10);
    let late = ledger.accept(10);
    let completion = Arc::new(Completion::default());
    ledger.wait(far(), false, &completion);
    ledger.end(delivered, End::Delivered);
    ledger.end_all(LossReason::Shutdown);
    ledger.end(late, End::Delivered);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
    assert_eq!((ledger.stats().in_memory(), ledger.stats().bytes_in_memory()), (0, 0));
}

fn slot(index: u32) -> Slot {
    Slot { segment: SegmentId(1), index }
}

#[test]
fn a_flush_for_durability_is_content_with_the_spool_and_another_is_not() {
    let mut ledger = Ledger::default();
    let mut marks = [ledger.accept(10), ledger.accept(10)];
    let [durable, delivered] = [Arc::new(Completion::default()), Arc::new(Completion::default())];
    ledger.wait(far(), true, &durable);
    ledger.wait(far(), false, &delivered);
    assert!(ledger.is_durability_awaited());
    for (index, mark) in (0..).zip(&mut marks) {
        assert_eq!(durable.wait_until(crate::emit::clock::now()), None);
        ledger.spool(mark, slot(index));
    }
    assert!(!ledger.is_durability_awaited());
    let report = durable.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.spooled(), report.pending()), (2, 0));
    assert!(report.is_durable() && !report.is_delivered());
    ledger.end(marks[0], End::Delivered);
    assert_eq!(delivered.wait_until(crate::emit::clock::now()), None);
    ledger.end(marks[1], End::Delivered);
    assert!(delivered.wait_until(crate::emit::clock::now()).unwrap().is_delivered());
    assert_eq!((ledger.stats().spooled(), ledger.stats().in_memory()), (0, 0));
}

#[test]
fn the_end_takes_nothing_from_the_spool() {
    let mut ledger = Ledger::default();
    let (mut kept, _lost) = (ledger.accept(10), ledger.accept(10));
    ledger.recover(3);
    ledger.spool(&mut kept, slot(0));
    let completion = Arc::new(Completion::default());
    ledger.wait(far(), false, &completion);
    ledger.end_all(LossReason::Shutdown);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.spooled(), report.dropped(), report.pending()), (4, 1, 0));
    assert_eq!((ledger.stats().spooled(), ledger.stats().recovered()), (4, 3));
}

#[test]
fn what_is_recovered_during_a_flush_is_not_waited_for() {
    let mut ledger = Ledger::default();
    let mark = ledger.accept(10);
    let completion = Arc::new(Completion::default());
    ledger.wait(far(), false, &completion);
    ledger.recover(5);
    ledger.end(mark, End::Delivered);
    assert_eq!(completion.wait_until(crate::emit::clock::now()).unwrap().delivered(), 1);
}

proptest! {
    /// Whatever order events come, are spooled, end and are waited for in: the sum holds, and every report adds up.
    #[test]
    fn the_accounts_always_balance(steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>()), 0..200)) {
        let mut ledger = Ledger::default();
        let mut open = Vec::new();
        let mut waits = Vec::new();
        for (step, pick) in steps {
            match step {
                0 | 1 => open.push(ledger.accept(pick.index(100))),
                2 => ledger.refuse(LossReason::Overflow),
                3 if !open.is_empty() => {
                    let mark = open.swap_remove(pick.index(open.len()));
                    let end = if pick.index(2) == 0 { End::Delivered } else { End::Dropped(LossReason::Rejected) };
                    ledger.end(mark, end);
                }
                4 => {
                    let events = pick.index(4) as u64;
                    let generation = ledger.recover(events);
                    open.extend((0..events).map(|_| Mark { generation, weight: 0, slot: Some(slot(0)) }));
                }
                5 if !open.is_empty() => {
                    let place = pick.index(open.len());
                    match &mut open[place] {
                        mark if mark.slot.is_none() => ledger.spool(mark, slot(0)),
                        mark if mark.weight == 0 => {
                            mark.weight = pick.index(100);
                            ledger.load(mark);
                        }
                        mark => {
                            ledger.unload(mark);
                            mark.weight = 0;
                        }
                    }
                }
                _ => {
                    let completion = Arc::new(Completion::default());
                    ledger.wait(far(), step == 6, &completion);
                    waits.push((open.len() as u64, completion));
                }
            }
            let stats = ledger.stats();
            let known = stats.accepted() + stats.recovered();
            assert_eq!(known, stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total());
            assert_eq!(stats.in_memory() + stats.spooled(), open.len() as u64);
            assert_eq!(stats.in_memory(), open.iter().filter(|mark| mark.slot.is_none()).count() as u64);
            assert_eq!(stats.bytes_in_memory(), open.iter().map(|mark| mark.weight).sum::<usize>());
        }
        for mark in open {
            ledger.end(mark, End::Delivered);
        }
        assert!(!ledger.is_awaited());
        for (events, completion) in waits {
            let report = completion.wait_until(crate::emit::clock::now()).unwrap();
            assert_eq!(report.delivered() + report.dropped() + report.spooled(), events);
            assert_eq!(report.pending(), 0);
        }
    }
}
