//! The spool as delivery uses it: a line of batches for each lane, each younger than those before it and older than the queue.
//! Most are only on disk, and loaded when they are next.

use crate::emit::clock;
use crate::emit::encode::payload_weight;
use crate::queue::batch::Batch;
use crate::queue::lane::Lane;
use crate::queue::ledger::End;
use crate::queue::mark::{Mark, SegmentId, Since, Slot};
use crate::queue::shared::Shared;
use crate::report::loss::DeadLetter;
use crate::report::loss::LossReason;
use crate::spool::disk::Disk;
use crate::spool::error::SpoolError;
use crate::spool::line::{Payloads, Run, Unread, Waiting, mark, runs};
use crate::spool::settings::Spool;
use crate::spool::settings::SpoolMode;
use crate::spool::store::{Found, Left, Loaded, Store};
use jkool_transport::Payload;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Creates the disk for each try to open the spool.
pub(crate) type Disks = Box<dyn Fn() -> Box<dyn Disk> + Send>;

pub(crate) struct Spooler {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Spool,
    disks: Disks,
    /// `None` until it could be opened.
    pub(super) store: Option<Store>,
    /// After a failure, the time of the next try.
    retry_at: Option<Instant>,
    /// The time at which the first unreadable file is tried again.
    load_at: Option<Instant>,
    /// The error of the last unreadable file, while there are any.
    load_error: Option<String>,
    /// Failures in a row.
    failures: u32,
    /// The current error.
    error: Option<String>,
    /// The number of files of a newer version that were not reported yet.
    newer_files: u64,
    /// When to look next for files that other processes left.
    look_at: Instant,
    pub(super) lines: [VecDeque<Waiting>; Lane::COUNT],
    /// When to look next for events that are too old.
    pub(super) expire_at: Instant,
}

/// Events that were just written are also kept in memory if they are next soon and take at most this many bytes.
const KEPT_BYTES: usize = 1 << 20;

pub(super) const FIRST_RETRY: Duration = Duration::from_secs(1);
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(60);

impl Spooler {
    pub(crate) fn new(shared: Arc<Shared>, settings: Spool, disks: Disks, now: Instant) -> Self {
        Self {
            shared,
            settings,
            disks,
            store: None,
            retry_at: None,
            load_at: None,
            load_error: None,
            failures: 0,
            error: None,
            newer_files: 0,
            look_at: now + LOOK_INTERVAL,
            lines: [VecDeque::new(), VecDeque::new()],
            expire_at: now,
        }
    }

    /// Whether every event is written before it is sent.
    pub(crate) fn writes_ahead(&self) -> bool {
        self.settings.mode == SpoolMode::WriteAhead
    }

    /// Opens the spool if it is not open, and periodically looks for files that other processes left. Returns when to call it
    /// again.
    pub(crate) fn tend(&mut self, now: Instant) -> Instant {
        if self.retry_at.is_none_or(|at| at <= now) {
            if self.store.is_none() {
                self.open(now);
            } else if self.look_at <= now {
                self.look_at = now + LOOK_INTERVAL;
                self.adopt();
            }
        }
        let expire_at = self.settings.max_age.map(|_| self.expire_at);
        let next = [self.retry_at, self.load_at, expire_at].into_iter().flatten().filter(|at| *at > now).min();
        next.unwrap_or(self.look_at).min(self.look_at)
    }

    /// The time of the oldest event here, as far as the heads of the lines show.
    pub(crate) fn oldest(&self) -> Option<Since> {
        self.lines.iter().filter_map(|line| Some(line.front()?.since())).min()
    }

    fn open(&mut self, now: Instant) {
        match Store::open(&self.settings, (self.disks)(), fastrand::u64(..)) {
            Ok((store, found)) => {
                self.store = Some(store);
                self.succeeded();
                self.line_up(found);
            }
            Err(error) => self.failed(&error, now),
        }
    }

    fn adopt(&mut self) {
        let Some(store) = &mut self.store else { return };
        store.tidy();
        let found = store.adopt();
        self.line_up(found);
    }

    fn line_up(&mut self, found: Found) {
        self.newer_files += found.unknown;
        let lines = &mut self.lines;
        let (now, today) = (self.shared.shards.since(clock::now()), clock::timestamp().as_usec());
        self.shared.account(|ledger| {
            ledger.damaged(found.damaged_bytes);
            for Left { segment, open, lane, modified } in found.segments {
                let generation = ledger.recover(u64::from(open));
                let age = today.saturating_sub(modified).max(0);
                let since = now.saturating_sub(age.saturating_mul(1_000));
                let runs = vec![Run { indices: 0..u32::MAX, generation, since }];
                lines[lane as usize].push_back(Waiting::OnDisk { segment, runs, unread: None });
            }
        });
        self.expire_at = clock::now();
        self.count_bytes();
    }

    fn count_bytes(&self) {
        let (bytes, files) = self.store.as_ref().map_or((0, 0), Store::size);
        self.shared.account(|ledger| ledger.set_spool(bytes, files));
    }

    /// Uses memory only for a while. Data that was to be written stays where it was.
    fn failed(&mut self, error: &SpoolError, now: Instant) {
        self.retry_at = Some(now + wait(self.failures));
        self.failures += 1;
        self.error = Some(error.to_string());
        self.show_error();
    }

    fn show_error(&self) {
        self.shared.set_spool_error(self.error.clone().or_else(|| self.load_error.clone()));
    }

    fn succeeded(&mut self) {
        self.retry_at = None;
        self.failures = 0;
        if self.error.take().is_some() {
            self.show_error();
        }
    }

    /// Why nothing can be written at the moment.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Why a file cannot be read at the moment.
    pub(crate) fn load_error(&self) -> Option<&str> {
        self.load_error.as_deref()
    }

    /// Returns the number of files of a newer version, once.
    pub(crate) fn take_newer_files(&mut self) -> u64 {
        std::mem::take(&mut self.newer_files)
    }

    /// Whether it accepts events now.
    pub(crate) fn is_writable(&self, now: Instant) -> bool {
        let store = self.store.as_ref().filter(|_| self.retry_at.is_none_or(|at| at <= now));
        store.is_some_and(|store| store.has_room(1))
    }

    /// Whether events wait here to be sent.
    pub(crate) fn has_line(&self) -> bool {
        Lane::ALL.into_iter().any(|lane| self.has_lane(lane))
    }

    /// Whether events of this lane wait here.
    pub(crate) fn has_lane(&self, lane: Lane) -> bool {
        !self.lines[lane as usize].is_empty()
    }

    /// Writes events that are in memory only, all of one lane. Returns whether they are durable now. If the spool is full they
    /// stay in memory.
    pub(crate) fn write<'a>(&mut self, items: impl Iterator<Item = (&'a Payload, &'a mut Mark)>, now: Instant) -> bool {
        let Some(store) = &mut self.store else { return false };
        let (payloads, marks): (Vec<_>, Vec<_>) = items.filter(|(_, mark)| mark.slot.is_none()).unzip();
        let bytes = payloads.iter().map(|payload| payload_weight(payload) as u64).sum();
        if payloads.is_empty() || !store.has_room(bytes) {
            return payloads.is_empty();
        }
        let lane = marks.first().map_or_else(Lane::default, |mark| mark.lane);
        match store.write(lane, &payloads) {
            Ok(segment) => {
                let (bytes, files) = store.size();
                self.shared.account(|ledger| {
                    // First, because a caller may be waiting for just this.
                    ledger.set_spool(bytes, files);
                    for (index, mark) in (0..).zip(marks) {
                        ledger.spool(mark, Slot { segment, index });
                    }
                });
                self.succeeded();
                true
            }
            Err(error) => {
                self.failed(&error, now);
                false
            }
        }
    }

    /// Writes a batch and appends it to the line. If it cannot be written it stays in memory.
    pub(crate) fn append(&mut self, mut batch: Batch, now: Instant) {
        let written = self.write(batch.payloads.iter().zip(&mut batch.marks), now);
        let lane = batch.lane();
        let soon = self.writes_ahead() && !self.has_lane(lane) && batch.weight() <= KEPT_BYTES;
        let items = batch.payloads.into_iter().zip(batch.marks).collect();
        let waiting = if written && !soon { unload(&self.shared, items) } else { Waiting::InMemory(items) };
        self.lines[lane as usize].push_back(waiting);
    }

    /// Writes the first entry of a line that is in memory only, if there is one. Returns whether it did.
    pub(crate) fn write_line(&mut self, now: Instant) -> bool {
        Lane::ALL.into_iter().any(|lane| self.write_lane(lane, now))
    }

    fn write_lane(&mut self, lane: Lane, now: Instant) -> bool {
        let volatile = |waiting: &Waiting| match waiting {
            Waiting::InMemory(items) => items.iter().any(|(_, mark)| mark.slot.is_none()),
            Waiting::OnDisk { .. } => false,
        };
        let line = &mut self.lines[lane as usize];
        let Some(place) = line.iter().position(volatile) else { return false };
        let Some(Waiting::InMemory(mut items)) = line.remove(place) else { return false };
        let written = self.write(items.iter_mut().map(|(payload, mark)| (&*payload, mark)), now);
        self.lines[lane as usize].insert(place, Waiting::InMemory(items));
        written
    }

    /// Takes back batches that are older than everything in their line, in this order, and releases the memory of those on
    /// disk.
    pub(crate) fn put_back(&mut self, batches: impl DoubleEndedIterator<Item = Batch>) {
        for batch in batches.rev() {
            self.lines[batch.lane() as usize]
                .push_front(Waiting::InMemory(batch.payloads.into_iter().zip(batch.marks).collect()));
        }
        for waiting in self.lines.iter_mut().flatten() {
            if let Waiting::InMemory(items) = waiting {
                *waiting = unload(&self.shared, std::mem::take(items));
            }
        }
    }

    /// Returns up to `max` payloads from the head of this lane's line, from several files if they are small. It loads files
    /// from disk only if there is room in memory. Files behind an unreadable one are sent first.
    pub(crate) fn next(&mut self, lane: Lane, max: usize, room: bool, now: Instant) -> Option<Batch> {
        let (mut batch, mut bytes) = (Batch::default(), 0);
        while batch.len() < max && bytes < self.shared.shards.limits.batch_bytes {
            let waits = |waiting: &Waiting| waiting.unread().is_some_and(|unread| unread.retry_at > now);
            let line = &mut self.lines[lane as usize];
            let Some(first) = line.iter().position(|waiting| !waits(waiting)) else { break };
            line.rotate_left(first);
            match &mut line[0] {
                Waiting::InMemory(items) => {
                    for (payload, mark) in items.drain(..(max - batch.len()).min(items.len())) {
                        bytes += mark.weight;
                        batch.push(payload, mark);
                    }
                    if items.is_empty() {
                        line.pop_front();
                    }
                }
                Waiting::OnDisk { segment, runs, unread } if room => {
                    let (segment, runs, unread) = (*segment, std::mem::take(runs), *unread);
                    let (waiting, error) = match self.load(segment, lane, &runs) {
                        Ok(items) => (Waiting::InMemory(items), None),
                        Err(error) => {
                            let unread = Some(again(unread, now));
                            (Waiting::OnDisk { segment, runs, unread }, Some(error.to_string()))
                        }
                    };
                    self.lines[lane as usize][0] = waiting;
                    if error.is_some() || unread.is_some() {
                        self.note_unread(error);
                    }
                }
                Waiting::OnDisk { .. } => break,
            }
        }
        Some(batch).filter(|batch| batch.len() > 0)
    }

    /// Records that a file could not be read, or that one could be read again.
    fn note_unread(&mut self, error: Option<String>) {
        self.load_at = self.lines.iter().flatten().filter_map(|waiting| Some(waiting.unread()?.retry_at)).min();
        self.load_error = self.load_at.and(error.or_else(|| self.load_error.take()));
        self.show_error();
    }

    /// Loads the events of these runs, which are sorted and disjoint.
    fn load(&mut self, segment: SegmentId, lane: Lane, runs: &[Run]) -> Result<Payloads, SpoolError> {
        let Some(store) = &mut self.store else { return Err(SpoolError::not_ours(&self.settings.dir, "is not open")) };
        let Loaded { records, lost, damaged_bytes } = store.load(segment)?;
        let mark = |index: u32, weight| mark(runs, lane, weight, Slot { segment, index });
        let lost: Vec<Mark> = lost.into_iter().filter_map(|index| mark(index, 0)).collect();
        let load = |(index, payload)| mark(index, payload_weight(&payload)).map(|mark| (payload, mark));
        let items: Payloads = records.into_iter().filter_map(load).collect();
        self.end(&lost);
        self.shared.account(|ledger| {
            ledger.damaged(damaged_bytes);
            lost.iter().for_each(|mark| ledger.end(mark, End::Dropped(LossReason::Damaged)));
            items.iter().for_each(|(_, mark)| ledger.load(mark));
        });
        Ok(items)
    }

    /// Records that these events have ended, and frees their places on disk.
    pub(crate) fn end<'a>(&mut self, marks: impl IntoIterator<Item = &'a Mark>) {
        let slots: Vec<Slot> = marks.into_iter().filter_map(|mark| mark.slot).collect();
        if let Some(store) = self.store.as_mut().filter(|_| !slots.is_empty()) {
            store.end(&slots);
            self.count_bytes();
        }
    }

    /// Stores events that the server rejected, one line of JSON each, before their places on disk are freed. They are counted
    /// as lost in any case.
    pub(crate) fn keep(&mut self, letters: &[DeadLetter], now: Instant) {
        let Some(store) = self.store.as_mut().filter(|_| !letters.is_empty()) else { return };
        let kept = letters.iter().map(|letter| store.dead_letter(&letter.to_json())).collect::<Vec<_>>();
        let synced = store.sync_dead_letters();
        for error in kept.into_iter().chain([synced]).filter_map(Result::err) {
            self.failed(&error, now);
        }
    }

    pub(crate) fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close();
        }
    }
}

/// Removes events that are on disk from memory; others stay.
fn unload(shared: &Shared, items: Payloads) -> Waiting {
    let Some((segment, runs)) = runs(&items) else { return Waiting::InMemory(items) };
    shared.account(|ledger| items.iter().for_each(|(_, mark)| ledger.unload(mark)));
    Waiting::OnDisk { segment, runs, unread: None }
}

fn again(unread: Option<Unread>, now: Instant) -> Unread {
    let times = unread.map_or(0, |unread| unread.times);
    Unread { times: times + 1, retry_at: now + wait(times) }
}

/// How long to wait after this many failures.
fn wait(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << failures.min(6)).min(LOOK_INTERVAL)
}
