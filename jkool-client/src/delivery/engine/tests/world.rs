//! A program, its disk and the server, and what must be true of them at every step.

mod laws;

use crate::delivery::decisions::Delivery;
use crate::delivery::echo::Echo;
use crate::delivery::engine::{Engine, Step};
use crate::delivery::prepare::Prepare;
use crate::delivery::retry::RetryPolicy;
use crate::emit::defaults::Defaults;
use crate::emit::encode::Encoder;
use crate::emit::host::Host;
use crate::emit::more::More;
use crate::queue::completion::Completion;
use crate::queue::consumer::Consumer;
use crate::queue::limits::Limits;
use crate::queue::overflow::Admission;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::receipts::Receipt as EventReceipt;
use crate::queue::shared::Shared;
use crate::queue::wait::Goal;
use crate::report::diagnostics::Diagnostics;
use crate::report::loss::LossReason;
use crate::report::stats::{Report, Stats};
use crate::spool::disk::Disk;
use crate::spool::fake_disk::FakeDisk;
use crate::spool::settings::Spool;
use crate::spool::settings::SpoolMode;
use crate::spool::spooler::Spooler;
use jkool_model::{Event, Severity};
use jkool_transport::{Disposition, ErrorKind, Failure, Outcome, Payload, Receipt, TransportError};
use proptest::prelude::prop;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The server refuses for good each event of such a number.
pub(super) const POISON: u64 = 13;

#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) mode: SpoolMode,
    pub(super) window: usize,
    pub(super) max_batch: usize,
    pub(super) overflow: OverflowPolicy,
    /// How much memory may be taken.
    pub(super) bytes: usize,
    pub(super) shards: usize,
    /// Severe events go first.
    pub(super) lanes: bool,
}

/// More than all events of a test, and so little that a few fill it.
pub(super) const MUCH: usize = 1 << 20;
pub(super) const LITTLE: usize = 8 << 10;

#[derive(Debug, Clone)]
pub(super) enum Action {
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
pub(super) enum Answer {
    /// All is well: stored, but for what is poison.
    Store,
    Busy,
    /// As it stores, but instead of refusing poison it fails over it, or says that the set-up is wrong.
    FailOver,
    ForbidOver,
    /// It answers so to everything.
    RefuseAll,
    FailAll,
    ForbidAll,
    /// The first is stored, unless it is poison, and the others are not.
    First,
    /// The connection breaks, before or after it was stored.
    Break {
        stored: bool,
    },
    BadToken,
}

pub(super) fn limits(setup: Setup) -> Limits {
    Limits {
        events: 40,
        bytes: setup.bytes,
        overflow: setup.overflow,
        shed_below: Severity::None,
        priority: setup.lanes.then_some(Severity::Error),
        flush_interval: Duration::from_millis(100),
        wake_at: 8,
        batch_events: setup.max_batch,
        batch_bytes: setup.bytes / 4,
        shards: setup.shards,
    }
}

pub(super) fn engine(setup: Setup, disk: &FakeDisk, dead_letters: Arc<Mutex<Vec<u64>>>, now: Instant) -> Engine {
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
        echo: Echo::default(),
        prepare: Prepare::new(None),
        max_batch: setup.max_batch,
        on_dead_letter: Some(Box::new(move |letter| dead_letters.lock().unwrap().push(number(&letter.payload)))),
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
pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) disk: FakeDisk,
    pub(super) now: Instant,
    pub(super) engine: Engine,
    pub(super) under_way: Vec<(u64, Arc<Vec<Payload>>)>,
    /// The number of the next event.
    pub(super) next: u64,
    pub(super) accepted: HashSet<u64>,
    /// By which shard each event came.
    pub(super) shards: HashMap<u64, usize>,
    /// By this process.
    pub(super) accepted_now: HashSet<u64>,
    /// As it was sent first.
    pub(super) sent: HashMap<u64, Payload>,
    /// What the server has stored, by when it came first.
    pub(super) stored: Vec<u64>,
    pub(super) refused: HashSet<u64>,
    /// How often each event failed alone, perhaps for what it holds, and something got through since it failed before; and how
    /// much had got through when it failed last.
    pub(super) trials: HashMap<u64, (u32, usize)>,
    pub(super) got_through: usize,
    pub(super) dead_letters: Arc<Mutex<Vec<u64>>>,
    /// What counts as delivered: it is not to be sent again.
    pub(super) delivered: HashSet<u64>,
    /// Flushes for durability, and the number of the next event when they began.
    pub(super) flushes: Vec<(u64, Arc<Completion<Report>>)>,
    /// Of some of the events of this process.
    pub(super) receipts: HashMap<u64, Arc<EventReceipt>>,
    /// What a flush or a receipt has called delivered or durable.
    pub(super) promised: HashSet<u64>,
    /// What was in memory alone when the process was killed.
    pub(super) killed: u64,
    pub(super) dropped: u64,
    pub(super) disk_failed: bool,
    pub(super) power_failed: bool,
    /// What the server said, or left unsaid, may have been for the content of others than poison.
    pub(super) misled: bool,
}

pub(super) fn number(payload: &Payload) -> u64 {
    payload.key().unwrap().parse().unwrap()
}

pub(super) fn is_severe(number: u64) -> bool {
    number.is_multiple_of(5)
}

pub(super) fn is_poison(number: u64) -> bool {
    number % POISON == 0
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let (disk, now) = (FakeDisk::default(), crate::emit::clock::now());
        let dead_letters = Arc::default();
        Self {
            engine: engine(setup, &disk, Arc::clone(&dead_letters), now),
            dead_letters,
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
            trials: HashMap::new(),
            got_through: 0,
            delivered: HashSet::new(),
            flushes: Vec::new(),
            receipts: HashMap::new(),
            promised: HashSet::new(),
            killed: 0,
            dropped: 0,
            disk_failed: false,
            power_failed: false,
            misled: false,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        self.engine.shared.stats()
    }

    pub(super) fn act(&mut self, action: Action) {
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

    pub(super) fn emit(&mut self, shard: usize) {
        let severity = if is_severe(self.next) { Severity::Error } else { Severity::Info };
        let event = Event::builder().operation(self.next.to_string()).severity(severity);
        let event = event.source("APPL=a".parse().unwrap()).build().unwrap();
        self.shards.insert(self.next, shard);
        let admission = if self.next.is_multiple_of(3) {
            let (admission, receipt) = self.engine.shared.emit_tracked_at(shard, event.into(), None);
            self.receipts.insert(self.next, receipt);
            admission
        } else {
            self.engine.shared.emit_at(shard, event.into(), More::NOTHING)
        };
        if admission == Admission::Accepted {
            self.accepted.insert(self.next);
            self.accepted_now.insert(self.next);
        }
        self.next += 1;
    }

    /// Everything that can be done now.
    pub(super) fn run(&mut self) {
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

    pub(super) fn store(&mut self, payloads: &[Payload]) {
        for number in payloads.iter().map(number) {
            if !self.stored.contains(&number) {
                self.stored.push(number);
            }
        }
    }

    pub(super) fn answer(&mut self, pick: usize, answer: Answer) {
        let (flight, payloads) = self.under_way.swap_remove(pick);
        let failed = |disposition| Failure::new(disposition, TransportError::new(ErrorKind::Answer, "no"));
        let retry = Disposition::Retry { after: None };
        let forbidden = failed(Disposition::Misconfigured).content_in_doubt();
        let doubtful = failed(retry).in_doubt().content_in_doubt();
        let poisoned = payloads.iter().any(|payload| is_poison(number(payload)));
        let failure = match answer {
            Answer::Store if poisoned => Some(failed(Disposition::Rejected)),
            Answer::FailOver if poisoned => Some(doubtful),
            Answer::ForbidOver if poisoned => Some(forbidden),
            Answer::Store | Answer::FailOver | Answer::ForbidOver => None,
            Answer::RefuseAll => Some(failed(Disposition::Rejected)),
            Answer::FailAll => Some(doubtful),
            Answer::ForbidAll => Some(forbidden),
            Answer::Busy | Answer::First => Some(failed(retry)),
            Answer::Break { .. } => Some(failed(retry).in_doubt().content_in_doubt()),
            Answer::BadToken => Some(failed(Disposition::Misconfigured)),
        };
        let for_content = |failure: &Failure| failure.maybe_rejected || failure.disposition == Disposition::Rejected;
        match &failure {
            None => self.got_through += 1,
            Some(failure) if for_content(failure) => {
                self.misled |= !poisoned;
                for number in payloads.iter().map(number) {
                    let (trials, before) = self.trials.entry(number).or_insert((0, usize::MAX));
                    *trials += u32::from(payloads.len() == 1 && *before < self.got_through);
                    *before = self.got_through;
                }
            }
            _ => {}
        }
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
                self.got_through += 1;
                let others = vec![Outcome::Failed(failure); payloads.len() - 1];
                Receipt::new([vec![Outcome::Delivered], others].concat())
            }
            Some(failure) => Receipt::failed(payloads.len(), failure),
            None => Receipt::delivered(payloads.len()),
        };
        drop(payloads);
        self.engine.settle(flight, receipt, self.now);
        for number in self.dead_letters.lock().unwrap().drain(..) {
            let (trials, _) = self.trials.get(&number).copied().unwrap_or_default();
            assert!(trials >= 3, "{number} was dropped after {trials} trials");
            self.refused.insert(number);
        }
    }

    pub(super) fn start(&mut self) {
        self.under_way.clear();
        self.accepted_now.clear();
        self.flushes.clear();
        self.receipts.clear();
        self.engine = engine(self.setup, &self.disk, Arc::clone(&self.dead_letters), self.now);
    }

    pub(super) fn kill(&mut self, power_cut: bool) {
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

    pub(super) fn restart(&mut self, patience: Duration) {
        self.engine.shared.close(patience, self.now);
        self.now += patience.mul_f64(0.9);
        self.run();
        self.now += patience + Duration::from_secs(1);
        self.run();
        assert!(self.engine.tend(self.now).is_none());
        let before = self.stats();
        // What still comes back was reported as spooled, and so it stays.
        for (flight, payloads) in std::mem::take(&mut self.under_way) {
            self.store(&payloads);
            let receipt = Receipt::delivered(payloads.len());
            drop(payloads);
            self.engine.settle(flight, receipt, self.now);
        }
        self.engine.finish();
        assert!(self.receipts.values().all(|receipt| receipt.end.get().is_some()));
        self.check_receipts();
        assert_eq!(self.stats().spooled(), before.spooled());
        assert_eq!(before.in_memory(), 0);
        self.dropped += before.dropped_total();
        if !self.disk_failed {
            assert_eq!(before.dropped(LossReason::Shutdown), 0, "{before}");
        }
        self.disk.mend();
        self.start();
        if self.disk_failed || self.power_failed {
            assert!(self.stats().recovered() >= before.spooled());
        } else {
            assert_eq!(self.stats().recovered(), before.spooled(), "{before}");
        }
    }

    /// The server and the disk are well from now on, until nothing is left.
    pub(super) fn recover(&mut self) {
        self.disk.mend();
        for round in 0.. {
            assert!(round < 1_000, "it never ends: {}", self.stats());
            self.now += Duration::from_secs(1000);
            self.run();
            while !self.under_way.is_empty() {
                self.answer(0, Answer::Store);
                self.run();
            }
            if self.stats().in_memory() + self.stats().spooled() == 0 {
                break;
            }
            // Something else gives the proof against poison.
            self.next += u64::from(is_poison(self.next));
            self.emit(0);
        }
        self.dropped += self.stats().dropped_total();
        assert!(self.receipts.values().all(|receipt| receipt.end.get().is_some()));
    }
}
