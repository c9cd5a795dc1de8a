//! The whole of delivery against a model: random sequences of events, answers, flushes, waits, broken disks, crashes, power
//! cuts and restarts, on a disk in memory and a clock that the test turns.

use crate::delivery::worker::Worker;
use crate::delivery::worker_thread::WorkerThread;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::wait::Goal;
use crate::report::loss::LossReason;
use crate::spool::disk::Disk;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::settings::{Spool, SpoolMode};
use crate::spool::spooler::Spooler;
use jkool_transport::MemoryTransport;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

mod world;

use world::{Action, Answer, LITTLE, MUCH, Setup, World, is_poison};

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Store),
        2 => Just(Answer::Busy),
        2 => prop_oneof![Just(Answer::FailOver), Just(Answer::ForbidOver)],
        2 => prop_oneof![Just(Answer::RefuseAll), Just(Answer::FailAll), Just(Answer::ForbidAll)],
        1 => Just(Answer::First),
        2 => any::<bool>().prop_map(|stored| Answer::Break { stored }),
        1 => Just(Answer::BadToken),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (1..12_u8, 0..4_usize).prop_map(|(events, shard)| Action::Emit(events, shard)),
        4 => (0..40_000_u64).prop_map(|millis| Action::Pass(Duration::from_millis(millis))),
        6 => (any::<prop::sample::Index>(), answers()).prop_map(|(pick, answer)| Action::Answer(pick, answer)),
        2 => any::<bool>().prop_map(|durable| Action::Flush { durable }),
        1 => Just(Action::BreakDisk),
        1 => Just(Action::MendDisk),
        1 => Just(Action::Kill),
        1 => Just(Action::PowerCut),
        1 => (0..3_000_u64).prop_map(|millis| Action::Restart(Duration::from_millis(millis))),
    ]
}

fn setups() -> impl Strategy<Value = Setup> {
    let modes = prop_oneof![Just(SpoolMode::Overflow), Just(SpoolMode::WriteAhead)];
    let policies = prop_oneof![
        3 => Just(OverflowPolicy::Spill), 1 => Just(OverflowPolicy::DropNewest), 1 => Just(OverflowPolicy::DropOldest),
        1 => Just(OverflowPolicy::Block(Duration::ZERO)),
    ];
    let bytes = prop_oneof![Just(MUCH), Just(LITTLE)];
    let shards = prop_oneof![Just(1_usize), Just(2), Just(4)];
    (modes, 1..4_usize, prop_oneof![Just(1_usize), Just(3), Just(8)], policies, bytes, shards, any::<bool>()).prop_map(
        |(mode, window, max_batch, overflow, bytes, shards, lanes)| Setup {
            mode,
            window,
            max_batch,
            overflow,
            bytes,
            shards,
            lanes,
        },
    )
}

/// As many as take some ten seconds, unless the environment says otherwise; `.ci/soak` has more.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { config } else { ProptestConfig { cases: 3000, ..config } }
}

proptest! {
    #![proptest_config(cases())]

    /// Whatever happens in whatever order: the accounts balance at every step, what was called durable arrives, nothing
    /// that counts as delivered is sent again, order is kept, memory is bounded, and nothing stays behind.
    #[test]
    fn nothing_is_lost_uncounted(setup in setups(), actions in prop::collection::vec(actions(), 1..40)) {
        let mut world = World::new(setup);
        for action in actions {
            world.act(action);
        }
        world.recover();
        world.judge();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// A server that fails over each thirteenth event, in whatever way, and takes all others: none of these waits longer than a
    /// minute, however many are sent together and at once.
    #[test]
    fn nothing_waits_a_minute_for_what_never_gets_through(
        setup in setups(),
        answer in prop_oneof![Just(Answer::Store), Just(Answer::FailOver), Just(Answer::ForbidOver)],
        steps in prop::collection::vec((0..12_usize, 0..20_000_u64), 1..60),
    ) {
        let mut world = World::new(Setup { bytes: MUCH, overflow: OverflowPolicy::Spill, ..setup });
        let mut emitted = HashMap::new();
        let late = |world: &mut World, emitted: &mut HashMap<u64, Instant>| {
            for number in world.stored.drain(..) {
                let waited = world.now - emitted[&number];
                assert!(waited <= Duration::from_secs(60), "{number} waited for {waited:?}");
                emitted.remove(&number);
            }
            let now = world.now;
            let waits = |(number, since): (&u64, &Instant)| !is_poison(*number) && now - *since > Duration::from_secs(60);
            let waiting: Vec<_> = emitted.iter().filter(|entry| waits(*entry)).collect(); assert!(waiting.is_empty(), "{waiting:?} of {}", emitted.len());
        };
        for (events, pause) in steps {
            let first = world.next;
            world.act(Action::Emit(u8::try_from(events).unwrap().max(1), 0));
            emitted.extend((first..world.next).filter(|number| world.accepted.contains(number)).map(|number| (number, world.now)));
            let until = world.now + Duration::from_millis(pause);
            while world.now < until {
                while !world.under_way.is_empty() {
                    world.answer(0, answer);
                    world.run();
                }
                late(&mut world, &mut emitted);
                world.act(Action::Pass(Duration::from_millis(200)));
            }
        }
        let last = world.now;
        while world.now - last < Duration::from_secs(61) {
            while !world.under_way.is_empty() {
                world.answer(0, answer);
                world.run();
            }
            late(&mut world, &mut emitted);
            world.act(Action::Pass(Duration::from_millis(500)));
        }
    }
}

#[test]
fn an_outage_takes_no_memory_for_what_is_on_disk() {
    let policies = [OverflowPolicy::DropNewest, OverflowPolicy::Block(Duration::ZERO), OverflowPolicy::Spill];
    for (overflow, window) in policies.into_iter().flat_map(|policy| [(policy, 1), (policy, 4)]) {
        let setup = Setup {
            mode: SpoolMode::WriteAhead,
            window,
            max_batch: 8,
            overflow,
            bytes: LITTLE,
            shards: 1,
            lanes: false,
        };
        let mut world = World::new(setup);
        for round in 0..80 {
            // At first all that may be is under way, and takes most of the room.
            while round >= window && !world.under_way.is_empty() {
                world.answer(0, Answer::Busy);
            }
            world.run();
            world.act(Action::Emit(6, 0));
            world.act(Action::Pass(Duration::from_secs(1)));
            let stats = world.stats();
            assert_eq!(stats.dropped_total(), 0, "{setup:?}, round {round}: {stats:?}");
            assert!(stats.bytes_in_memory() <= LITTLE, "{setup:?}, round {round}: {stats:?}");
        }
        assert_eq!(world.stats().spooled(), 480, "{}", world.stats());
        world.recover();
        world.judge();
        world.stored.retain(|number| *number <= 480);
        world.stored.sort_unstable();
        assert!(world.stored.iter().copied().eq((1..=480).filter(|number| !is_poison(*number))));
    }
}

#[test]
fn what_memory_lets_go_of_keeps_its_order() {
    let (overflow, bytes) = (OverflowPolicy::DropNewest, LITTLE);
    let mut world = World::new(Setup {
        mode: SpoolMode::WriteAhead,
        window: 1,
        max_batch: 8,
        overflow,
        bytes,
        shards: 1,
        lanes: false,
    });
    for (events, answers) in [(6, vec![Answer::Store]), (6, vec![Answer::Store]), (6, vec![Answer::Store; 2])] {
        world.act(Action::Emit(events, 0));
        world.act(Action::Pass(Duration::from_secs(1)));
        for answer in answers {
            world.answer(0, answer);
            world.run();
        }
    }
    // From 13 on they are in parts now, since that one is poison, when the outage begins and memory fills up.
    world.answer(0, Answer::Busy);
    let kept: Vec<usize> = world.engine.delivery.kept().map(|batch| batch.len()).collect();
    assert_eq!(kept, [1, 2, 3]);
    for _ in 0..5 {
        world.act(Action::Emit(6, 0));
        world.act(Action::Pass(Duration::from_millis(1)));
    }
    assert_eq!(world.engine.delivery.kept().count() + world.engine.flights.len(), 1);
    world.recover();
    world.judge();
    let (stored, stats) = (world.stored.len() as u64, world.stats());
    assert_eq!((stored, stats.dropped_total()), (stats.accepted() - 3, 3));
}

#[test]
fn poison_is_found_although_memory_lets_go_of_all_that_it_can() {
    for (window, max_batch) in [(1, 8), (3, 8), (3, 1), (1, 40)] {
        let (mode, overflow) = (SpoolMode::Overflow, OverflowPolicy::DropNewest);
        let mut world = World::new(Setup { mode, window, max_batch, overflow, bytes: MUCH, shards: 1, lanes: false });
        for _ in 0..3 {
            world.act(Action::Emit(20, 0));
            world.act(Action::Flush { durable: true });
        }
        world.act(Action::Kill);
        assert_eq!(world.stats().recovered(), 60);
        for round in 0.. {
            assert!(round < 1_000, "it is never found: {}", world.stats());
            // What stands behind the poison, and fills the queue.
            for _ in 0..40 {
                world.next += u64::from(is_poison(world.next));
                world.emit(0);
            }
            world.run();
            if world.stats().dropped(LossReason::Rejected) == 4 {
                break;
            }
            while !world.under_way.is_empty() {
                world.answer(0, Answer::FailOver);
            }
            world.act(Action::Pass(Duration::from_secs(60)));
        }
        world.recover();
        world.judge();
        assert!((1..=60).all(|number| is_poison(number) != world.stored.contains(&number)));
    }
}

/// The spool is opened when the test says so, and not before: a program that waited for it would never go on.
#[test]
fn a_program_does_not_wait_long_for_its_spool_to_be_opened() {
    let (mode, overflow) = (SpoolMode::Overflow, OverflowPolicy::DropNewest);
    let setup = Setup { mode, window: 1, max_batch: 8, overflow, bytes: MUCH, shards: 1, lanes: false };
    let mut before = World::new(setup);
    before.emit(0);
    before.restart(Duration::ZERO);
    let (disk, now) = (before.disk.clone(), before.now);
    drop(before);
    let mut engine = world::engine(setup, &FakeDisk::default(), Arc::default(), now);
    let shared = Arc::clone(&engine.shared);
    let (open, opened) = mpsc::channel();
    let disks = move || {
        opened.recv_timeout(Duration::from_secs(60)).unwrap();
        Box::new(disk.clone()) as Box<dyn Disk>
    };
    let spool = Spool::new("/spool").mode(mode);
    engine.spooler = Some(Spooler::new(Arc::clone(&shared), spool, Box::new(disks), now));
    let memory = MemoryTransport::new();
    Arc::<WorkerThread>::default().add(Worker { engine, transport: Arc::new(memory.clone()) }).unwrap();
    assert_eq!(shared.stats().recovered(), 0);
    open.send(()).unwrap();
    assert!(shared.wait(Duration::from_secs(60), Goal::Closed).is_delivered());
    assert_eq!((shared.stats().recovered(), memory.payloads().len()), (1, 1));
}
