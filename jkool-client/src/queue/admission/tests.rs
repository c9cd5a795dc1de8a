//! What comes in, what does not, and whom it wakes.

use super::{Admission, Evicted, Offer};
use crate::emit::encode::Shape;
use crate::queue::amount::Amount;
use crate::queue::block::{Block, Taken};
use crate::queue::blocks::Incoming;
use crate::queue::lane::Lane;
use crate::queue::limits::Limits;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::shards::Shards;
use crate::report::loss::LossReason;
use jkool_model::Severity;
use jkool_transport::Kind;
use std::cell::RefCell;
use std::time::Duration;

const DROPPED: Admission = Admission::Dropped(LossReason::Overflow);

fn limits(overflow: OverflowPolicy, shards: usize) -> Limits {
    Limits {
        events: 3,
        bytes: 100,
        overflow,
        shed_below: Severity::None,
        priority: None,
        flush_interval: Duration::from_millis(100),
        wake_at: 3,
        batch_events: 100,
        batch_bytes: 100,
        shards,
    }
}

fn shards(overflow: OverflowPolicy) -> Shards {
    Shards::new(limits(overflow, 2))
}

fn offer_as(shards: &Shards, shard: usize, name: &str, severity: Severity, weight: usize) -> (Admission, bool) {
    // The queue does not care what an event's bytes say.
    let mut bytes = name.into();
    let incoming = Incoming::Encoded(Shape { kind: Kind::Event, key_len: 0 }, &mut bytes);
    let offer = Offer { incoming, severity, weight, receipt: None, may_wait: false };
    shards.offer(shard, offer, || panic!("it does not wait"), |_| {})
}

fn offer(shards: &Shards, shard: usize, name: &str, weight: usize) -> Admission {
    offer_as(shards, shard, name, Severity::Info, weight).0
}

/// What is taken from a shard stays on its way.
fn take(shards: &Shards, shard: usize) -> Vec<String> {
    let mut blocks: Vec<Block> = Vec::new();
    shards[shard].lock().take(Lane::Normal, 100, usize::MAX, &mut blocks);
    shards[shard].show_oldest(&shards[shard].lock());
    let mut names = Vec::new();
    for mut block in blocks {
        while let Some((_, event)) = block.pop() {
            let Taken::Encoded(_, name, _) = event else { panic!("came in otherwise") };
            names.push(String::from_utf8(name.to_vec()).unwrap());
        }
    }
    names
}

fn overflows(shards: &Shards) -> u64 {
    shards.sum(&shards.lock_all()).dropped[LossReason::Overflow as usize]
}

#[test]
fn the_newest_is_dropped_when_events_or_bytes_run_out_in_all_shards_together() {
    let shards = shards(OverflowPolicy::DropNewest);
    assert_eq!(offer(&shards, 0, "a", 60), Admission::Accepted);
    assert_eq!(offer(&shards, 1, "too many bytes", 41), DROPPED);
    assert_eq!(offer(&shards, 1, "b", 20), Admission::Accepted);
    assert_eq!(offer(&shards, 0, "c", 20), Admission::Accepted);
    assert_eq!(offer(&shards, 1, "too many", 0), DROPPED);
    assert_eq!((take(&shards, 0), take(&shards, 1)), (vec!["a".into(), "c".into()], vec!["b".into()]));
    // What is on its way takes room until it ends.
    assert_eq!(offer(&shards, 0, "d", 1), DROPPED);
    shards.budget.give(Amount::one(60));
    assert_eq!(offer(&shards, 0, "d", 60), Admission::Accepted);
    assert_eq!(overflows(&shards), 3);
}

#[test]
fn the_last_place_is_found_although_another_shard_has_drawn_it() {
    for overflow in [OverflowPolicy::DropNewest, OverflowPolicy::Spill, OverflowPolicy::Block(Duration::ZERO)] {
        let shards = Shards::new(Limits { events: 10_000, bytes: 1 << 20, ..limits(overflow, 4) });
        let mut accepted = 0;
        // Each of these holds credit for many more.
        for shard in 1..4 {
            accepted += u64::from(offer(&shards, shard, "a", 10) == Admission::Accepted);
            assert_ne!(shards[shard].lock().lacks(1 << 20), Amount::one(1 << 20), "no credit");
        }
        while offer(&shards, 0, "a", 10) == Admission::Accepted {
            accepted += 1;
        }
        assert_eq!(accepted, 10_000, "{overflow:?}");
    }
}

#[test]
fn the_oldest_of_all_shards_make_room() {
    let shards = shards(OverflowPolicy::DropOldest);
    for (shard, name) in [(0, "a"), (1, "b"), (1, "c"), (0, "d")] {
        assert_eq!(offer(&shards, shard, name, 30), Admission::Accepted);
    }
    assert_eq!(offer(&shards, 0, "e", 30), Admission::Accepted);
    assert_eq!((take(&shards, 0), take(&shards, 1)), (vec!["d".into(), "e".into()], vec!["c".into()]));
    assert_eq!(overflows(&shards), 2);
}

#[test]
fn there_is_always_an_oldest_however_all_that_waits_moves_between_shards() {
    const THREADS: usize = 4;
    // Little enough to move as a whole while a thread looks, and more than the threads hold.
    let shards = Shards::new(Limits { events: 4 * THREADS, bytes: 1000, ..limits(OverflowPolicy::DropOldest, 2) });
    let emit = |thread| (0..30_000).all(|_| offer(&shards, thread, "x", 10) == Admission::Accepted);
    let all = std::thread::scope(|scope| {
        let emit = &emit;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || emit(thread))).collect();
        threads.into_iter().all(|thread| thread.join().unwrap())
    });
    assert!(all, "one was refused");
    assert!(shards.waits().events <= 4 * THREADS as i64);
}

#[test]
fn one_that_never_fits_drops_nothing_but_itself() {
    let shards = shards(OverflowPolicy::DropOldest);
    for name in ["a", "b", "c"] {
        offer(&shards, 0, name, 30);
    }
    assert_eq!(offer(&shards, 1, "too big", 101), DROPPED);
    assert_eq!(offer(&shards, 1, "big", 100), Admission::Accepted);
    assert_eq!((take(&shards, 0), take(&shards, 1)), (vec![], vec!["big".into()]));
    assert_eq!(overflows(&shards), 4);
}

#[test]
fn what_is_on_its_way_counts_too_and_cannot_make_room() {
    let shards = shards(OverflowPolicy::DropOldest);
    offer(&shards, 0, "under way", 60);
    take(&shards, 0);
    assert_eq!(offer(&shards, 1, "waits", 30), Admission::Accepted);
    assert_eq!(offer(&shards, 0, "too big", 50), DROPPED);
    assert_eq!(offer(&shards, 0, "fits in its place", 40), Admission::Accepted);
    assert_eq!((take(&shards, 0), take(&shards, 1)), (vec!["fits in its place".into()], vec![]));
    assert_eq!(overflows(&shards), 2);
}

#[test]
fn a_flush_is_told_of_what_makes_room_and_came_before_it() {
    let shards = shards(OverflowPolicy::DropOldest);
    offer(&shards, 0, "before", 1);
    shards.lock_all().iter_mut().for_each(|shard| shard.begin_generation(7));
    offer(&shards, 0, "after", 1);
    offer(&shards, 0, "after", 1);
    let told = RefCell::new(Vec::new());
    for _ in 0..2 {
        let mut bytes = b"new".to_vec();
        let incoming = Incoming::Encoded(Shape { kind: Kind::Event, key_len: 0 }, &mut bytes);
        let offer = Offer { incoming, severity: Severity::Info, weight: 1, receipt: None, may_wait: false };
        shards.offer(1, offer, || {}, |evicted| told.borrow_mut().push(evicted));
    }
    assert_eq!(*told.borrow(), [Evicted { generation: 0, before: 7, receipt: None }]);
}

#[test]
fn after_closing_nothing_comes_in() {
    let shards = shards(OverflowPolicy::DropNewest);
    offer(&shards, 0, "a", 1);
    shards.lock_all().iter_mut().for_each(|shard| shard.close());
    assert_eq!(offer(&shards, 0, "b", 1), Admission::Dropped(LossReason::AfterShutdown));
    assert_eq!(take(&shards, 0), ["a"]);
}

#[test]
fn the_last_quarter_is_kept_for_what_is_severe() {
    let shed_below = Severity::Info;
    let shards = Shards::new(Limits { events: 8, shed_below, ..limits(OverflowPolicy::DropNewest, 2) });
    let offer = |severity| offer_as(&shards, 1, "a", severity, 1).0;
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
fn a_worker_that_sleeps_is_woken_once_and_then_for_much() {
    let shards = Shards::new(Limits { events: 99, wake_at: 4, ..limits(OverflowPolicy::DropNewest, 2) });
    let wakes = [0, 1, 0, 0, 1, 1].map(|shard| offer_as(&shards, shard, "a", Severity::Info, 1).1);
    assert_eq!(wakes, [true, false, false, true, false, false]);
}

#[test]
fn large_events_wake_the_worker_before_the_queue_is_full() {
    let shards = Shards::new(Limits { events: 99, wake_at: 99, ..limits(OverflowPolicy::DropNewest, 2) });
    assert!(offer_as(&shards, 0, "first", Severity::Info, 5).1);
    let wakes = [0, 1, 0, 1].map(|shard| offer_as(&shards, shard, "large", Severity::Info, 10).1);
    assert_eq!(wakes, [false, true, false, false], "at a quarter of the bytes");
}

#[test]
fn who_finds_no_room_wakes_the_worker_once() {
    let shards = shards(OverflowPolicy::DropNewest);
    offer(&shards, 0, "a", 90);
    let wakes = [0, 1].map(|shard| offer_as(&shards, shard, "too many bytes", Severity::Info, 20));
    assert_eq!(wakes, [(DROPPED, true), (DROPPED, false)]);
}

#[test]
fn the_worker_is_woken_when_half_is_taken_and_there_is_a_spool() {
    let shards = Shards::new(Limits { events: 8, wake_at: 100, ..limits(OverflowPolicy::Spill, 2) });
    let wakes = |shard| offer_as(&shards, shard, "a", Severity::Info, 1).1;
    assert_eq!([0, 1, 0, 1, 0].map(wakes), [true, false, false, true, false]);
    shards.signals.relieved();
    assert!(wakes(0));
}

/// Callers of two shards wait for room; each gets its part, and the last is not forgotten.
#[test]
fn callers_that_wait_get_room_in_turn() {
    const EACH: usize = 200;
    let shards = Shards::new(Limits { events: 4, ..limits(OverflowPolicy::Block(Duration::from_secs(60)), 2) });
    let emit = |shard: usize| {
        for _ in 0..EACH {
            let mut bytes = b"x".to_vec();
            let incoming = Incoming::Encoded(Shape { kind: Kind::Event, key_len: 0 }, &mut bytes);
            let offer = Offer { incoming, severity: Severity::Info, weight: 1, receipt: None, may_wait: true };
            assert_eq!(shards.offer(shard, offer, || {}, |_| {}).0, Admission::Accepted);
        }
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..6).map(|caller| scope.spawn(move || emit(caller % 2))).collect();
        let mut taken = 0;
        while taken < 6 * EACH {
            for shard in 0..2 {
                let events = take(&shards, shard).len();
                shards.budget.give(Amount::new(events, events));
                taken += events;
            }
            shards.deal();
            std::thread::yield_now();
        }
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
    assert_eq!(shards.signals.blocked_shards(), 0);
    let counts = shards.sum(&shards.lock_all());
    assert_eq!((counts.accepted as usize, overflows(&shards)), (6 * EACH, 0));
    shards.reclaim();
    assert_eq!(shards.budget.used(), Amount::NOTHING);
}

#[test]
fn a_caller_waits_no_longer_than_it_may_and_not_at_all_for_what_never_fits() {
    let shards = shards(OverflowPolicy::Block(Duration::from_millis(30)));
    let offer = |weight| {
        let mut bytes = b"x".to_vec();
        let incoming = Incoming::Encoded(Shape { kind: Kind::Event, key_len: 0 }, &mut bytes);
        let offer = Offer { incoming, severity: Severity::Info, weight, receipt: None, may_wait: true };
        let start = crate::emit::clock::now();
        (shards.offer(0, offer, || {}, |_| {}).0, start.elapsed() >= Duration::from_millis(30))
    };
    assert_eq!(offer(101), (DROPPED, false));
    assert_eq!(offer(100), (Admission::Accepted, false));
    assert_eq!(offer(1), (DROPPED, true));
    assert_eq!(shards.signals.blocked_shards(), 0);
}

#[test]
fn a_forked_process_takes_nothing_and_no_lock_that_another_thread_had() {
    let shards = shards(OverflowPolicy::DropNewest);
    let forked = Admission::Dropped(LossReason::Forked);
    assert_eq!(offer(&shards, 0, "a", 1), Admission::Accepted);
    shards.origin.pretend();
    // Whoever had it at the fork is not here to let it go.
    let held = shards[1].lock();
    assert_eq!(offer(&shards, 1, "b", 1), forked);
    assert!(shards.origin.is_forked());
    assert_eq!(offer(&shards, 0, "c", 1), forked);
    assert_eq!(shards.origin.stats().dropped(LossReason::Forked), 2);
    drop(held);
}

#[test]
fn a_forked_process_is_found_by_the_first_event_that_waits() {
    let shards = shards(OverflowPolicy::DropNewest);
    shards.origin.pretend();
    assert_eq!(offer(&shards, 0, "a", 1), Admission::Dropped(LossReason::Forked));
}
