//! The whole of delivery against a model: random sequences of events, answers, flushes, waits, broken disks, crashes, power
//! cuts and restarts, on a disk in memory and a clock that the test turns.

use super::{Engine, Step};
use crate::delivery::decisions::Delivery;
use crate::delivery::prepare::Prepare;
use crate::delivery::retry::RetryPolicy;
use crate::emit::defaults::Defaults;
use crate::emit::encode::Encoder;
use crate::emit::host::Host;
use crate::queue::completion::Completion;
use crate::queue::consumer::Consumer;
use crate::queue::limits::Limits;
use crate::queue::overflow::Admission;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::shared::Shared;
use crate::queue::wait::Goal;
use crate::report::diagnostics::Diagnostics;
use crate::report::loss::LossReason;
use crate::report::stats::Stats;
use crate::spool::disk::Disk;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::settings::Spool;
use crate::spool::settings::SpoolMode;
use crate::spool::spooler::Spooler;
use jkool_model::{Event, Severity};
use jkool_transport::{Disposition, ErrorKind, Failure, Outcome, Payload, Receipt, TransportError};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The server refuses for good each event of such a number.
const POISON: u64 = 13;

#[derive(Debug, Clone, Copy)]
struct Setup {
    mode: SpoolMode,
    window: usize,
    max_batch: usize,
    overflow: OverflowPolicy,
    /// How much memory may be taken.
    bytes: usize,
    shards: usize,
}

/// More than all events of a test, and so little that a few fill it.
const MUCH: usize = 1 << 20;
const LITTLE: usize = 8 << 10;

#[derive(Debug, Clone)]
enum Action {
    /// So many events, by one of the shards.
    Emit(u8, usize),
    Pass(Duration),
    /// The answer to one of the sends under way.
    Answer(prop::sample::Index, Answer),
    Flush {
        durable: bool,
    },
    BreakDisk,
    MendDisk,
    /// The process is killed, and started again.
    Kill,
    /// The machine loses power, and is started again.
    PowerCut,
    /// The program shuts down with that much patience, and is started again.
    Restart(Duration),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    /// All is well: stored, but for what is poison.
    Store,
    Busy,
    /// As it stores, but instead of refusing poison it fails over it.
    FailOver,
    /// The first is stored, unless it is poison, and the others are not.
    First,
    /// The connection breaks, before or after it was stored.
    Break {
        stored: bool,
    },
    BadToken,
}

fn limits(setup: Setup) -> Limits {
    Limits {
        events: 40,
        bytes: setup.bytes,
        overflow: setup.overflow,
        shed_below: Severity::None,
        flush_interval: Duration::from_millis(100),
        wake_at: 8,
        batch_events: setup.max_batch,
        batch_bytes: setup.bytes / 4,
        shards: setup.shards,
    }
}

fn engine(setup: Setup, disk: &FakeDisk, now: Instant) -> Engine {
    static DEFAULTS: OnceLock<Defaults> = OnceLock::new();
    let defaults = || {
        let source = "APPL=test".parse().unwrap();
        Defaults::new(Some(source), None, "".into(), Vec::new(), Host::look(|_| None)).unwrap()
    };
    let encoder = Encoder::new(DEFAULTS.get_or_init(defaults).clone(), false, 1);
    let shared = Arc::new(Shared::new(limits(setup), true, encoder));
    let disk = disk.clone();
    let disks = Box::new(move || Box::new(disk.clone()) as Box<dyn Disk>);
    let spool = Spool::new("/spool").mode(setup.mode);
    let mut engine = Engine {
        spooler: Some(Spooler::new(Arc::clone(&shared), spool, disks, now)),
        queue: Consumer::new(Arc::clone(&shared)),
        shared,
        delivery: Delivery::new(RetryPolicy::default(), setup.window, fastrand::Rng::with_seed(7)),
        prepare: Prepare::new(None),
        max_batch: setup.max_batch,
        on_dead_letter: None,
        diagnostics: Diagnostics::new(false, false, None),
        token_watch: None,
        next_look: None,
        flights: BTreeMap::new(),
        last_flight: 0,
    };
    engine.open_spool(now);
    engine
}

/// A program, its disk, and the server, run after run.
struct World {
    setup: Setup,
    disk: FakeDisk,
    now: Instant,
    engine: Engine,
    under_way: Vec<(u64, Arc<Vec<Payload>>)>,
    /// The number of the next event.
    next: u64,
    accepted: HashSet<u64>,
    /// By which shard each event came.
    shards: HashMap<u64, usize>,
    /// By this process.
    accepted_now: HashSet<u64>,
    /// As it was sent first.
    sent: HashMap<u64, Payload>,
    /// What the server has stored, by when it came first.
    stored: Vec<u64>,
    refused: HashSet<u64>,
    /// What counts as delivered: it is not to be sent again.
    delivered: HashSet<u64>,
    /// Flushes for durability, and the number of the next event when they began.
    flushes: Vec<(u64, Arc<Completion>)>,
    /// What a flush has called delivered or durable.
    promised: HashSet<u64>,
    /// What was in memory alone when the process was killed.
    killed: u64,
    dropped: u64,
    disk_failed: bool,
    power_failed: bool,
}

fn number(payload: &Payload) -> u64 {
    payload.key().unwrap().parse().unwrap()
}

fn is_poison(number: u64) -> bool {
    number % POISON == 0
}

impl World {
    fn new(setup: Setup) -> Self {
        let (disk, now) = (FakeDisk::default(), crate::emit::clock::now());
        Self {
            engine: engine(setup, &disk, now),
            setup,
            disk,
            now,
            under_way: Vec::new(),
            next: 1,
            accepted: HashSet::new(),
            shards: HashMap::new(),
            accepted_now: HashSet::new(),
            sent: HashMap::new(),
            stored: Vec::new(),
            refused: HashSet::new(),
            delivered: HashSet::new(),
            flushes: Vec::new(),
            promised: HashSet::new(),
            killed: 0,
            dropped: 0,
            disk_failed: false,
            power_failed: false,
        }
    }

    fn stats(&self) -> Stats {
        self.engine.shared.stats()
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Emit(events, shard) => (0..events).for_each(|_| self.emit(shard % self.setup.shards)),
            Action::Pass(time) => self.now += time,
            Action::Answer(pick, answer) if !self.under_way.is_empty() => {
                self.answer(pick.index(self.under_way.len()), answer);
            }
            Action::Answer(..) => {}
            Action::Flush { durable } => {
                let goal = if durable { Goal::Durable } else { Goal::Delivered };
                let (_, completion) = self.engine.shared.start_wait(Duration::from_secs(3600), goal, self.now);
                if durable {
                    self.flushes.push((self.next, completion));
                }
            }
            Action::BreakDisk => {
                self.disk.break_all(std::io::ErrorKind::StorageFull);
                self.disk_failed = true;
            }
            Action::MendDisk => self.disk.mend(),
            Action::Kill => self.kill(false),
            Action::PowerCut => self.kill(true),
            Action::Restart(patience) => self.restart(patience),
        }
        self.run();
    }

    fn emit(&mut self, shard: usize) {
        let event = Event::builder().operation(self.next.to_string()).source("APPL=a".parse().unwrap()).build();
        self.shards.insert(self.next, shard);
        if self.engine.shared.emit_at(shard, event.unwrap().into(), None) == Admission::Accepted {
            self.accepted.insert(self.next);
            self.accepted_now.insert(self.next);
        }
        self.next += 1;
    }

    /// Everything that can be done now.
    fn run(&mut self) {
        for round in 0.. {
            assert!(round < 1_000, "it never comes to rest");
            if self.engine.tend(self.now).is_none() {
                break;
            }
            match self.engine.step(self.now) {
                Step::Send { flight, payloads } => {
                    for payload in payloads.iter() {
                        let again = self.delivered.contains(&number(payload));
                        assert!(!again || self.power_failed || self.disk_failed, "sent again: {payload:?}");
                        assert_eq!(self.sent.entry(number(payload)).or_insert_with(|| payload.clone()), payload);
                    }
                    self.under_way.push((flight, payloads));
                }
                Step::Again => {}
                Step::Wait { until } => {
                    assert!(until.is_none_or(|until| until > self.now), "a busy loop");
                    break;
                }
            }
        }
        assert!(self.under_way.len() < 2 * self.setup.window);
        self.check();
    }

    fn check(&mut self) {
        let stats = self.stats();
        let ended = stats.delivered() + stats.dropped_total();
        assert_eq!(stats.accepted() + stats.recovered(), ended + stats.spooled() + stats.in_memory(), "{stats}");
        // A file of the spool is loaded into a full queue too, for only what is sent makes room.
        let allowed = self.setup.bytes * 11 / 10 + LITTLE;
        assert!(stats.in_memory() <= 40 && stats.bytes_in_memory() <= allowed, "{stats:?}");
        // This only looks, and does not wait.
        let (accepted, now) = (&self.accepted_now, crate::emit::clock::now());
        let promised = &mut self.promised;
        // Which ones made room for others is not known here.
        let evicted = self.setup.overflow == OverflowPolicy::DropOldest && stats.dropped(LossReason::Overflow) > 0;
        self.flushes.retain(|(next, completion)| match completion.wait_until(now) {
            Some(report) if report.is_durable() && !evicted => {
                promised.extend(accepted.iter().filter(|number| *number < next));
                false
            }
            report => report.is_none(),
        });
    }

    fn store(&mut self, payloads: &[Payload]) {
        for number in payloads.iter().map(number) {
            if !self.stored.contains(&number) {
                self.stored.push(number);
            }
        }
    }

    fn answer(&mut self, pick: usize, answer: Answer) {
        let (flight, payloads) = self.under_way.swap_remove(pick);
        let failed = |disposition| Failure::new(disposition, TransportError::new(ErrorKind::Answer, "no"));
        let retry = Disposition::Retry { after: None };
        let failure = match answer {
            Answer::Store | Answer::FailOver if payloads.iter().any(|payload| is_poison(number(payload))) => {
                if payloads.len() == 1 {
                    self.refused.insert(number(&payloads[0]));
                }
                match answer {
                    Answer::FailOver => Some(failed(retry).in_doubt().content_in_doubt()),
                    _ => Some(failed(Disposition::Rejected)),
                }
            }
            Answer::Store | Answer::FailOver => None,
            Answer::Busy | Answer::First => Some(failed(retry)),
            Answer::Break { .. } => Some(failed(retry).in_doubt()),
            Answer::BadToken => Some(failed(Disposition::Misconfigured)),
        };
        if failure.is_none() {
            self.delivered.extend(payloads.iter().map(number));
        }
        if failure.is_none() || matches!(answer, Answer::Break { stored: true }) {
            self.store(&payloads);
        }
        let receipt = match failure {
            Some(failure) if matches!(answer, Answer::First) && !is_poison(number(&payloads[0])) => {
                self.delivered.insert(number(&payloads[0]));
                self.store(&payloads[..1]);
                let others = vec![Outcome::Failed(failure); payloads.len() - 1];
                Receipt::new([vec![Outcome::Delivered], others].concat())
            }
            Some(failure) => Receipt::failed(payloads.len(), failure),
            None => Receipt::delivered(payloads.len()),
        };
        drop(payloads);
        self.engine.settle(flight, receipt, self.now);
    }

    fn start(&mut self) {
        self.under_way.clear();
        self.accepted_now.clear();
        self.flushes.clear();
        self.engine = engine(self.setup, &self.disk, self.now);
    }

    fn kill(&mut self, power_cut: bool) {
        let before = self.stats();
        self.killed += before.in_memory();
        self.dropped += before.dropped_total();
        self.disk.mend();
        if power_cut {
            self.power_failed = true;
            self.disk.power_cut();
        } else {
            self.disk.kill();
        }
        self.start();
        let recovered = self.stats().recovered();
        if power_cut || self.disk_failed {
            assert!(recovered >= before.spooled(), "{before}; {}", self.stats());
        } else {
            assert_eq!(recovered, before.spooled(), "{before}; {}", self.stats());
        }
    }

    fn restart(&mut self, patience: Duration) {
        self.engine.shared.close(patience, self.now);
        self.now += patience.mul_f64(0.9);
        self.run();
        self.now += patience + Duration::from_secs(1);
        self.run();
        assert!(self.engine.tend(self.now).is_none());
        self.engine.finish();
        let before = self.stats();
        assert_eq!(before.in_memory(), 0);
        self.dropped += before.dropped_total();
        if !self.disk_failed {
            assert_eq!(before.dropped(LossReason::Shutdown), 0, "{before}");
        }
        self.disk.mend();
        self.start();
        assert!(self.stats().recovered() >= before.spooled());
    }

    /// The server and the disk are well from now on, until nothing is left.
    fn recover(&mut self) {
        self.disk.mend();
        for round in 0.. {
            assert!(round < 1_000, "it never ends: {}", self.stats());
            self.now += Duration::from_secs(1000);
            self.run();
            if self.under_way.is_empty() && self.stats().in_memory() + self.stats().spooled() == 0 {
                break;
            }
            while !self.under_way.is_empty() {
                self.answer(0, Answer::Store);
            }
        }
        self.dropped += self.stats().dropped_total();
    }

    /// What is true in the end.
    fn judge(&self) {
        let stored: HashSet<u64> = self.stored.iter().copied().collect();
        let arrived = |number: &u64| stored.contains(number) || self.refused.contains(number);
        let missing: Vec<_> = self.promised.iter().filter(|number| !arrived(number)).collect();
        assert!(missing.is_empty(), "promised and lost: {missing:?}");
        let lost = self.accepted.iter().filter(|number| !arrived(number)).count() as u64;
        assert!(lost <= self.killed + self.dropped, "{lost} lost, {} + {} counted", self.killed, self.dropped);
        if self.setup.window == 1 && !self.disk_failed {
            // Over which event the server fails, that one lets others go first.
            for shard in 0..self.setup.shards {
                let here = |number: &&u64| !is_poison(**number) && self.shards[*number] == shard;
                let others = self.stored.iter().filter(here);
                assert!(others.is_sorted(), "out of order in {shard}: {:?}", self.stored);
            }
        }
        let stats = self.stats();
        assert_eq!((stats.bytes_in_memory(), stats.bytes_spooled(), stats.damaged_bytes()), (0, 0, 0));
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Store),
        2 => Just(Answer::Busy),
        1 => Just(Answer::FailOver),
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
    (modes, 1..4_usize, prop_oneof![Just(1_usize), Just(3), Just(8)], policies, bytes, shards).prop_map(
        |(mode, window, max_batch, overflow, bytes, shards)| Setup { mode, window, max_batch, overflow, bytes, shards },
    )
}

/// Ten thousand, unless the environment says otherwise.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { config } else { ProptestConfig { cases: 10_000, ..config } }
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

#[test]
fn an_outage_takes_no_memory_for_what_is_on_disk() {
    let policies = [OverflowPolicy::DropNewest, OverflowPolicy::Block(Duration::ZERO), OverflowPolicy::Spill];
    for (overflow, window) in policies.into_iter().flat_map(|policy| [(policy, 1), (policy, 4)]) {
        let setup = Setup { mode: SpoolMode::WriteAhead, window, max_batch: 8, overflow, bytes: LITTLE, shards: 1 };
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
        world.stored.sort_unstable();
        assert!(world.stored.iter().copied().eq((1..=480).filter(|number| !is_poison(*number))));
    }
}

#[test]
fn what_memory_lets_go_of_keeps_its_order() {
    let (overflow, bytes) = (OverflowPolicy::DropNewest, LITTLE);
    let mut world =
        World::new(Setup { mode: SpoolMode::WriteAhead, window: 1, max_batch: 8, overflow, bytes, shards: 1 });
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
    assert_eq!((world.stored.len(), world.stats().accepted(), world.stats().dropped_total()), (45, 48, 3));
}

#[test]
fn poison_is_found_although_memory_lets_go_of_all_that_it_can() {
    for (window, max_batch) in [(1, 8), (3, 8), (3, 1), (1, 40)] {
        let (mode, overflow) = (SpoolMode::Overflow, OverflowPolicy::DropNewest);
        let mut world = World::new(Setup { mode, window, max_batch, overflow, bytes: MUCH, shards: 1 });
        for _ in 0..3 {
            world.act(Action::Emit(20, 0));
            world.act(Action::Flush { durable: true });
        }
        world.act(Action::Kill);
        assert_eq!(world.stats().recovered(), 60);
        for round in 0.. {
            assert!(round < 1_000, "it is never found: {}", world.stats());
            // What stands behind the poison, and fills the queue.
            world.act(Action::Emit(40, 0));
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
