//! The accounts.

use super::{End, Ledger};
use crate::queue::amount::Amount;
use crate::queue::completion::Completion;
use crate::queue::mark::{Mark, SegmentId, Slot};
use crate::queue::shard::{Counts, Evicted};
use crate::report::loss::LossReason;
use crate::report::stats::{Report, Stats};
use proptest::prelude::{any, prop, proptest};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The ledger, and what a shard would count beside it.
#[derive(Default)]
struct Accounts {
    ledger: Ledger,
    came: Counts,
    generation: u64,
}

impl Accounts {
    fn accept(&mut self, weight: usize) -> Mark {
        self.came.accepted += 1;
        self.came.entered += Amount::one(weight);
        Mark { generation: self.generation, weight, ..Mark::default() }
    }

    fn refuse(&mut self, reason: LossReason) {
        self.came.accepted += 1;
        self.came.dropped[reason as usize] += 1;
    }

    /// As a shard of that generation does it.
    fn evict(&mut self, mark: Mark, before: u64) {
        self.came.entered -= Amount::one(mark.weight);
        self.came.dropped[LossReason::Overflow as usize] += 1;
        if mark.generation != before {
            self.ledger.evicted(Evicted { generation: mark.generation, before, receipt: None });
        }
    }

    fn wait(&mut self, deadline: Instant, durable: bool, completion: &Arc<Completion<Report>>) {
        self.generation = self.ledger.wait(&self.came, deadline, durable, completion);
    }

    fn end(&mut self, mark: Mark, end: End) {
        self.ledger.end(&mark, end);
    }

    fn end_all(&mut self, reason: LossReason) {
        self.ledger.give_up(&self.came, reason);
    }

    fn recover(&mut self, events: u64) -> u64 {
        self.ledger.recover(events)
    }

    fn spool(&mut self, mark: &mut Mark, slot: Slot) {
        self.ledger.spool(mark, slot);
    }

    fn stats(&self) -> Stats {
        self.ledger.stats(&self.came)
    }
}

fn far() -> Instant {
    crate::emit::clock::now() + Duration::from_secs(3600)
}

#[test]
fn a_flush_waits_for_what_came_before_it_and_not_for_what_came_after() {
    let mut accounts = Accounts::default();
    let before = [accounts.accept(10), accounts.accept(10)];
    let completion = Arc::new(Completion::default());
    accounts.wait(far(), false, &completion);
    let after = accounts.accept(10);
    accounts.end(before[1], End::Delivered);
    assert_eq!(completion.wait_until(crate::emit::clock::now()), None);
    accounts.end(before[0], End::Dropped(LossReason::Rejected));
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
    accounts.end(after, End::Delivered);
    assert_eq!(accounts.stats().bytes_in_memory(), 0);
}

#[test]
fn a_deadline_tells_what_is_true_then() {
    let mut accounts = Accounts::default();
    let marks = [accounts.accept(1), accounts.accept(1)];
    let completion = Arc::new(Completion::default());
    let deadline = far();
    accounts.wait(deadline, false, &completion);
    accounts.end(marks[0], End::Delivered);
    assert_eq!(accounts.ledger.expire(deadline - Duration::from_secs(1)), Some(deadline));
    assert_eq!(accounts.ledger.expire(deadline), None);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.pending()), (1, 1));
    accounts.end(marks[1], End::Delivered);
}

#[test]
fn who_waits_for_an_event_that_makes_room_is_told_and_nobody_else() {
    let mut accounts = Accounts::default();
    let (early, first) = (accounts.accept(10), Arc::new(Completion::default()));
    accounts.wait(far(), false, &first);
    let (late, second) = (accounts.accept(10), Arc::new(Completion::default()));
    accounts.evict(early, accounts.generation);
    let report = first.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.dropped(), report.delivered(), report.pending()), (1, 0, 0));
    // It goes from its shard, somebody else begins to wait, and only then the ledger hears of it.
    let before = accounts.generation;
    accounts.came.entered -= Amount::one(10);
    accounts.wait(far(), false, &second);
    assert!(second.wait_until(crate::emit::clock::now()).unwrap().is_delivered(), "there was nothing any more");
    accounts.ledger.evicted(Evicted { generation: late.generation, before, receipt: None });
    assert!(!accounts.ledger.is_awaited());
}

#[test]
fn an_empty_ledger_answers_at_once() {
    let completion = Arc::new(Completion::default());
    Accounts::default().wait(far(), false, &completion);
    assert!(completion.wait_until(crate::emit::clock::now()).unwrap().is_delivered());
}

#[test]
fn flushes_of_a_long_outage_know_what_is_there() {
    let mut accounts = Accounts::default();
    let mut marks = Vec::new();
    let now = crate::emit::clock::now();
    for _ in 0..1_000 {
        marks.push(accounts.accept(1));
        let completion = Arc::new(Completion::default());
        accounts.wait(now, false, &completion);
        accounts.ledger.expire(now);
        assert_eq!(completion.wait_until(now).unwrap().pending(), marks.len() as u64);
    }
    for mark in marks {
        accounts.end(mark, End::Delivered);
    }
    assert_eq!(accounts.stats().in_memory(), 0);
}

#[test]
fn the_end_leaves_nothing_pending() {
    let mut accounts = Accounts::default();
    let delivered = accounts.accept(10);
    let late = accounts.accept(10);
    let completion = Arc::new(Completion::default());
    accounts.wait(far(), false, &completion);
    accounts.end(delivered, End::Delivered);
    accounts.end_all(LossReason::Shutdown);
    accounts.end(late, End::Delivered);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (1, 1, 0));
    assert_eq!((accounts.stats().in_memory(), accounts.stats().bytes_in_memory()), (0, 0));
}

fn slot(index: u32) -> Slot {
    Slot { segment: SegmentId(1), index }
}

#[test]
fn a_flush_for_durability_is_content_with_the_spool_and_another_is_not() {
    let mut accounts = Accounts::default();
    let mut marks = [accounts.accept(10), accounts.accept(10)];
    let [durable, delivered] = [Arc::new(Completion::default()), Arc::new(Completion::default())];
    accounts.wait(far(), true, &durable);
    accounts.wait(far(), false, &delivered);
    assert!(accounts.ledger.is_durability_awaited());
    for (index, mark) in (0..).zip(&mut marks) {
        assert_eq!(durable.wait_until(crate::emit::clock::now()), None);
        accounts.spool(mark, slot(index));
    }
    assert!(!accounts.ledger.is_durability_awaited());
    let report = durable.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.spooled(), report.pending()), (2, 0));
    assert!(report.is_durable() && !report.is_delivered());
    accounts.end(marks[0], End::Delivered);
    assert_eq!(delivered.wait_until(crate::emit::clock::now()), None);
    accounts.end(marks[1], End::Delivered);
    assert!(delivered.wait_until(crate::emit::clock::now()).unwrap().is_delivered());
    assert_eq!((accounts.stats().spooled(), accounts.stats().in_memory()), (0, 0));
}

#[test]
fn the_end_takes_nothing_from_the_spool() {
    let mut accounts = Accounts::default();
    let (mut kept, _lost) = (accounts.accept(10), accounts.accept(10));
    accounts.recover(3);
    accounts.spool(&mut kept, slot(0));
    let completion = Arc::new(Completion::default());
    accounts.wait(far(), false, &completion);
    accounts.end_all(LossReason::Shutdown);
    let report = completion.wait_until(crate::emit::clock::now()).unwrap();
    assert_eq!((report.spooled(), report.dropped(), report.pending()), (4, 1, 0));
    assert_eq!((accounts.stats().spooled(), accounts.stats().recovered()), (4, 3));
}

#[test]
fn what_is_recovered_during_a_flush_is_not_waited_for() {
    let mut accounts = Accounts::default();
    let mark = accounts.accept(10);
    let completion = Arc::new(Completion::default());
    accounts.wait(far(), false, &completion);
    accounts.recover(5);
    accounts.end(mark, End::Delivered);
    assert_eq!(completion.wait_until(crate::emit::clock::now()).unwrap().delivered(), 1);
}

proptest! {
    /// Whatever order events come, are spooled, end and are waited for in: the sum holds, and every report adds up.
    #[test]
    fn the_accounts_always_balance(steps in prop::collection::vec((0..8_u8, any::<prop::sample::Index>()), 0..200)) {
        let mut accounts = Accounts::default();
        let mut open = Vec::new();
        let mut waits = Vec::new();
        for (step, pick) in steps {
            match step {
                0 | 1 => open.push(accounts.accept(pick.index(100))),
                2 => accounts.refuse(LossReason::Overflow),
                3 if !open.is_empty() => {
                    let mark = open.swap_remove(pick.index(open.len()));
                    let end = if pick.index(2) == 0 { End::Delivered } else { End::Dropped(LossReason::Rejected) };
                    accounts.end(mark, end);
                }
                4 => {
                    let events = pick.index(4) as u64;
                    let generation = accounts.recover(events);
                    open.extend((0..events).map(|_| Mark { generation, slot: Some(slot(0)), ..Mark::default() }));
                }
                5 if !open.is_empty() => {
                    let place = pick.index(open.len());
                    match &mut open[place] {
                        mark if mark.slot.is_none() => accounts.spool(mark, slot(0)),
                        mark if mark.weight == 0 => {
                            mark.weight = pick.index(100);
                            accounts.ledger.load(mark);
                        }
                        mark => {
                            accounts.ledger.unload(mark);
                            mark.weight = 0;
                        }
                    }
                }
                _ => {
                    let completion = Arc::new(Completion::default());
                    accounts.wait(far(), step == 6, &completion);
                    waits.push((open.len() as u64, completion));
                }
            }
            let stats = accounts.stats();
            let known = stats.accepted() + stats.recovered();
            assert_eq!(known, stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total());
            assert_eq!(stats.in_memory() + stats.spooled(), open.len() as u64);
            assert_eq!(stats.in_memory(), open.iter().filter(|mark| mark.slot.is_none()).count() as u64);
            assert_eq!(stats.bytes_in_memory(), open.iter().map(|mark| mark.weight).sum::<usize>());
        }
        for mark in open {
            accounts.end(mark, End::Delivered);
        }
        assert!(!accounts.ledger.is_awaited());
        for (events, completion) in waits {
            let report = completion.wait_until(crate::emit::clock::now()).unwrap();
            assert_eq!(report.delivered() + report.dropped() + report.spooled(), events);
            assert_eq!(report.pending(), 0);
        }
    }
}

#[test]
fn what_was_being_written_when_it_was_given_up_is_counted_as_spooled_once_it_is() {
    let mut accounts = Accounts::default();
    let mut marks = [accounts.accept(1), accounts.accept(1), accounts.accept(1)];
    accounts.end_all(LossReason::Shutdown);
    assert_eq!((accounts.stats().dropped(LossReason::Shutdown), accounts.stats().spooled()), (3, 0));
    for (index, mark) in (0..).zip(&mut marks[..2]) {
        accounts.spool(mark, Slot { segment: SegmentId(1), index });
    }
    assert_eq!((accounts.stats().dropped(LossReason::Shutdown), accounts.stats().spooled()), (1, 2));
    // What still comes back of it changes nothing.
    accounts.end(marks[0], End::Delivered);
    assert_eq!((accounts.stats().delivered(), accounts.stats().spooled()), (0, 2));
}
