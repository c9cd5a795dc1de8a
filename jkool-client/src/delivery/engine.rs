//! The steps of the delivery thread, without waiting: which batch is sent next, what is written to the spool, how a result is
//! handled. The time is passed in, and it sends nothing itself.

use crate::delivery::decisions::{Delivery, Permit, Settled, Ticket};
use crate::delivery::echo::Echo;
use crate::delivery::prepare::Prepare;
use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::emit::more::More;
use crate::queue::batch::Batch;
use crate::queue::block::Block;
use crate::queue::consumer::{Consumer, Taken};
use crate::queue::lane::Lane;
use crate::queue::ledger::{End, Ledger};
use crate::queue::shared::{Look, Shared};
use crate::report::diagnostics::Diagnostics;
use crate::report::loss::DeadLetter;
use crate::report::loss::LossReason;
use crate::spool::spooler::Spooler;
use jkool_transport::{Payload, Receipt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Called with each event that was given up because the server rejected it.
pub(crate) type OnDeadLetter = Box<dyn Fn(DeadLetter) + Send>;

/// Checks whether the files of token and certificates have changed, and passes new content to the transport. Returns whether it
/// did.
pub(crate) type TokenWatch = Box<dyn FnMut() -> bool + Send>;

pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Consumer,
    pub(crate) delivery: Delivery,
    pub(crate) echo: Echo,
    pub(crate) prepare: Prepare,
    pub(crate) spooler: Option<Spooler>,
    /// The maximum batch size of the transport.
    pub(crate) max_batch: usize,
    pub(crate) on_dead_letter: Option<OnDeadLetter>,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) token_watch: Option<TokenWatch>,
    /// When to check the token file again.
    pub(crate) next_look: Option<Instant>,
    /// The batches in flight, in the order in which they started.
    pub(crate) flights: BTreeMap<u64, Flight>,
    pub(crate) last_flight: u64,
}

/// A batch in flight. The transport has its payloads, and its marks stay here.
pub(crate) struct Flight {
    ticket: Ticket,
    payloads: Arc<Vec<Payload>>,
    batch: Batch,
}

/// What the worker must do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send these payloads, and call again.
    Send { flight: u64, payloads: Arc<Vec<Payload>> },
    /// Handle finished sends, and call again at once.
    Again,
    /// Nothing, until this time, or until a send returns or the worker is woken.
    Wait { until: Option<Instant> },
}

/// How often the token file is checked while no event gets through.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum number of events in a spool file, and its approximate maximum size in bytes.
const SEGMENT_EVENTS: usize = 4096;
const SEGMENT_BYTES: usize = 1 << 20;

/// Takes from `items` the first one, and those of the same lane, as long as they fit into a spool file.
fn up_to_a_segment<T>(items: impl Iterator<Item = T>, batch: impl Fn(&T) -> &Batch) -> impl Iterator<Item = T> {
    let (mut bytes, mut lane) = (0, None);
    items.filter(move |item| {
        let batch = batch(item);
        let fits = bytes < SEGMENT_BYTES && *lane.get_or_insert(batch.lane()) == batch.lane();
        bytes += if fits { batch.weight() } else { 0 };
        fits
    })
}

impl Engine {
    /// Looks for files that earlier processes left.
    pub(crate) fn open_spool(&mut self, now: Instant) {
        if let Some(spooler) = &mut self.spooler {
            spooler.tend(now);
        }
    }

    /// Does what depends on time only, and returns when to call it next. `None` if there is nothing left to do.
    pub(crate) fn tend(&mut self, now: Instant) -> Option<Option<Instant>> {
        let look = self.shared.look(now)?;
        if look.try_now || self.token_changed(now) {
            self.delivery.try_now(now);
        }
        self.delivery.hurry(look.new_wait, look.awaited, now);
        if self.shared.is_closed() && self.flights.is_empty() && self.spooler.is_none() {
            if let Some(settled) = self.delivery.conclude(self.shared.stats().in_memory()) {
                self.account(settled, now);
            }
        }
        let spool = self.spooler.as_mut().map(|spooler| {
            if let Some(oldest) = spooler.oldest_allowed(now) {
                let (expired, next) = self.delivery.take_expired(oldest);
                spooler.expire(oldest, expired, next, now);
            }
            spooler.tend(now)
        });
        let deadline = look.deadline;
        self.tell(look, now);
        Some(deadline.into_iter().chain(self.next_look).chain(spool).min())
    }

    /// Publishes the time of the oldest event that has left the queue, or slightly earlier.
    pub(crate) fn tell_oldest(&mut self) {
        let flights = self.flights.values().filter_map(|flight| flight.batch.since());
        let spool = self.spooler.as_ref().and_then(Spooler::oldest);
        let oldest = flights.chain(self.delivery.kept().filter_map(|batch| batch.since())).chain(spool).min();
        self.shared.set_oldest(oldest);
    }

    /// Checks the token file while a person must fix something: the problem may be the token or a certificate, and its file may
    /// have new content.
    fn token_changed(&mut self, now: Instant) -> bool {
        let Some(watch) = self.token_watch.as_mut().filter(|_| self.delivery.is_paused()) else {
            self.next_look = None;
            return false;
        };
        if self.next_look.is_some_and(|next| next > now) {
            return false;
        }
        self.next_look = Some(now + LOOK_INTERVAL);
        watch()
    }

    /// Reports problems.
    fn tell(&mut self, Look { invalid, .. }: Look, now: Instant) {
        if let Some(invalid) = invalid {
            self.diagnostics.refused(&invalid);
        }
        // Counting takes all locks, so it is only done if needed.
        let stats = (self.shared.is_lossy() && self.diagnostics.may_tell(now)).then(|| self.shared.stats());
        if let Some(stats) = &stats {
            self.diagnostics.tell_losses(stats, self.delivery.trouble(), now);
        }
        if let Some(spooler) = &mut self.spooler {
            self.diagnostics.tell_spool(spooler.error(), now);
            self.diagnostics.tell_unread(spooler.load_error(), now);
            self.diagnostics.tell_newer_files(spooler.take_newer_files());
        }
        if let Some(stats) = stats.filter(|_| self.delivery.trouble().is_none() && self.shared.has_room()) {
            if let Some(event) = self.diagnostics.summary(&stats, now) {
                self.shared.emit(event.into(), More::NOTHING);
            }
        }
    }

    /// Returns the next step.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        self.let_go();
        if self.spool_some(now) {
            return Step::Again;
        }
        match self.delivery.permit(now) {
            Permit::Resend(batch) => self.launch(batch, now),
            Permit::Fresh => self.fresh(now),
            Permit::Wait { until } if self.writes_ahead(now) => self.write_ahead(now, until),
            Permit::Wait { until } => Step::Wait { until },
        }
    }

    fn launch(&mut self, mut batch: Batch, now: Instant) -> Step {
        if self.flights.is_empty() {
            self.echo.send_begins(self.shared.shards.waits().events, now);
        }
        let ticket = self.delivery.start(now);
        self.last_flight += 1;
        let payloads = Arc::new(std::mem::take(&mut batch.payloads));
        let flight = Flight { ticket, payloads: Arc::clone(&payloads), batch };
        self.flights.insert(self.last_flight, flight);
        Step::Send { flight: self.last_flight, payloads }
    }

    /// Sends the oldest events that were not sent yet: from the spool, then from the queue.
    fn fresh(&mut self, now: Instant) -> Step {
        let room = self.spooler.is_some() && (self.flights.is_empty() || self.shared.is_half_free());
        let ahead = self.writes_ahead(now);
        let max = self.delivery.batch_size(self.max_batch);
        loop {
            if let Some(spooler) = &mut self.spooler {
                if let Some(batch) = spooler.next(Lane::Priority, max, room, now) {
                    return self.launch(batch, now);
                }
                if spooler.has_lane(Lane::Normal) && !spooler.has_lane(Lane::Priority) {
                    match self.take_priority(if ahead { SEGMENT_EVENTS } else { max }) {
                        Some(batch) if ahead => {
                            self.append(batch, now);
                            continue;
                        }
                        Some(batch) => return self.launch(batch, now),
                        None => {}
                    }
                }
            }
            if let Some(spooler) = &mut self.spooler {
                if let Some(batch) = spooler.next(Lane::Normal, max, room, now) {
                    return self.launch(batch, now);
                }
                if !room && spooler.has_line() {
                    // A send that returns makes room.
                    return self.instead(None, now);
                }
            }
            let until = match self.take(if ahead { SEGMENT_EVENTS } else { max }, now) {
                Ok(batch) if batch.len() == 0 => continue,
                Ok(batch) if ahead => {
                    self.append(batch, now);
                    continue;
                }
                Ok(batch) => return self.launch(batch, now),
                Err(until) => until,
            };
            return self.instead(until, now);
        }
    }

    /// Sends something else if there is no new batch before `until`.
    fn instead(&mut self, until: Option<Instant>, now: Instant) -> Step {
        match self.delivery.instead(now) {
            Some(batch) => self.launch(batch, now),
            None => Step::Wait { until: until.into_iter().chain(self.delivery.next_due()).min() },
        }
    }

    /// Takes the events that are due from the queue as a batch, or returns when some will be due.
    fn take(&mut self, max: usize, now: Instant) -> Result<Batch, Option<Instant>> {
        match self.queue.take(max, !self.flights.is_empty(), now) {
            Taken::Events(blocks, lane) => {
                let taken: usize = blocks.iter().map(Block::len).sum();
                let waited = taken as i64 + self.shared.shards.waits().events;
                let mut batch =
                    self.prepare.batch((blocks, lane), &self.shared, &mut self.queue, &mut self.diagnostics);
                if self.echo.is_caught(waited, now) {
                    let ended = std::mem::take(&mut batch.marks).into_iter();
                    let ended = ended.map(|mark| (mark, End::Dropped(LossReason::Recursion))).collect();
                    self.account(Settled { ended, ..Settled::default() }, now);
                    batch = Batch::default();
                }
                Ok(batch)
            }
            Taken::Nothing { until } => Err(until),
        }
    }

    /// Takes the priority events of the queue, which are sent before everything in the spool, without waiting for a batch to
    /// fill.
    fn take_priority(&mut self, max: usize) -> Option<Batch> {
        let events = self.queue.take_priority(max);
        if events.is_empty() {
            return None;
        }
        let events = (events, Lane::Priority);
        let batch = self.prepare.batch(events, &self.shared, &mut self.queue, &mut self.diagnostics);
        Some(batch).filter(|batch| batch.len() > 0)
    }

    fn append(&mut self, batch: Batch, now: Instant) {
        if let Some(spooler) = self.spooler.as_mut().filter(|_| batch.len() > 0) {
            spooler.append(batch, now);
        }
    }

    /// Whether events are written to the spool before they are sent, and it accepts them.
    fn writes_ahead(&self, now: Instant) -> bool {
        let spooler = self.spooler.as_ref();
        spooler.is_some_and(|spooler| spooler.writes_ahead() && spooler.is_writable(now))
    }

    /// Writes the events that are due although nothing can be sent before `until`.
    fn write_ahead(&mut self, now: Instant, until: Option<Instant>) -> Step {
        match self.take(SEGMENT_EVENTS, now) {
            Ok(batch) => {
                self.append(batch, now);
                Step::Again
            }
            Err(due) => Step::Wait { until: until.into_iter().chain(due).min() },
        }
    }

    /// During an outage, and if half of the memory limit is used, removes from memory what is also on disk: it moves to the
    /// head of the spool's line, because it is older than everything there.
    fn let_go(&mut self) {
        let Some(spooler) = &mut self.spooler else { return };
        if self.delivery.trouble().is_some() && !self.shared.is_half_free() {
            spooler.put_back(self.delivery.let_go());
        }
    }

    /// Writes one spool file, if there is a reason. Returns whether it did. Older events are written first, so that the next
    /// process sends everything in the same order.
    fn spool_some(&mut self, now: Instant) -> bool {
        let Some(spooler) = &mut self.spooler else { return false };
        if !spooler.is_writable(now) {
            return false;
        }
        let held_up = spooler.has_line() || self.delivery.is_stalled(now);
        let relief = held_up && self.shared.wants_relief();
        if !relief && !self.shared.wants_writing_down(self.delivery.trouble().is_some(), now) {
            return false;
        }
        let flights = self.flights.values_mut().filter(|flight| !flight.batch.is_durable());
        let flights: Vec<_> = up_to_a_segment(flights, |flight| &flight.batch).collect();
        if !flights.is_empty() {
            let items = flights.into_iter().flat_map(|flight| flight.payloads.iter().zip(&mut flight.batch.marks));
            return spooler.write(items, now);
        }
        let kept = self.delivery.kept().filter(|batch| !batch.is_durable());
        let kept: Vec<_> = up_to_a_segment(kept, |batch| batch).collect();
        if !kept.is_empty() {
            return spooler.write(kept.into_iter().flat_map(|batch| batch.payloads.iter().zip(&mut batch.marks)), now);
        }
        if spooler.write_line(now) {
            return true;
        }
        let (events, lane) = self.queue.relieve(SEGMENT_EVENTS);
        let some = !events.is_empty();
        let batch = self.prepare.batch((events, lane), &self.shared, &mut self.queue, &mut self.diagnostics);
        self.append(batch, now);
        some
    }

    /// Handles the result of a send.
    pub(crate) fn settle(&mut self, flight: u64, receipt: Receipt, now: Instant) {
        let Some(Flight { ticket, payloads, mut batch }) = self.flights.remove(&flight) else { return };
        if self.flights.is_empty() {
            self.echo.sends_ended(self.shared.shards.waits().events, now);
        }
        batch.payloads = Arc::try_unwrap(payloads).unwrap_or_else(|payloads| payloads.to_vec());
        let settled = self.delivery.settle(ticket, batch, receipt, now);
        self.account(settled, now);
    }

    fn account(&mut self, settled: Settled, now: Instant) {
        let success = settled.is_success();
        let Batch { payloads, marks: delivered, .. } = settled.delivered;
        if let Some(notice) = settled.notice {
            self.diagnostics.tell(notice);
        }
        if let Some(spooler) = &mut self.spooler {
            spooler.keep(&settled.dead_letters, now);
        }
        for letter in settled.dead_letters {
            self.diagnostics.refused(&letter.error);
            if let Some(on_dead_letter) = &self.on_dead_letter {
                // A panic of the hook is ignored.
                catch_panic(|| on_dead_letter(letter));
            }
        }
        let spools = self.spooler.is_some();
        let counted = self.shared.settle(self.delivery.trouble(), success, clock::timestamp(), |ledger| {
            if spools {
                ledger.hold();
            }
            settled.ended.iter().for_each(|(mark, end)| ledger.end(mark, *end));
            ledger.end_all(&delivered, End::Delivered);
            ledger.maybe_duplicated(settled.maybe_duplicated);
            !ledger.is_over()
        });
        if let Some(spooler) = &mut self.spooler {
            let ended = settled.ended.iter().map(|(mark, _)| mark).chain(&delivered);
            if counted {
                spooler.end(ended);
                self.shared.account(Ledger::release);
            } else {
                // Events that a shutdown reported as spooled stay spooled: the next process sends them again.
                let spooled = ended.filter(|mark| mark.slot.is_some()).count();
                self.shared.account(|ledger| ledger.maybe_duplicated(spooled as u64));
            }
        }
        self.prepare.reuse(payloads, &mut self.queue);
    }

    /// Ends delivery: events that are in memory only are counted as lost.
    pub(crate) fn finish(&mut self) {
        self.shared.end_all(LossReason::Shutdown);
        let marks = self.flights.values().flat_map(|flight| &flight.batch.marks);
        let doubtful = marks.filter(|mark| mark.slot.is_some()).count();
        self.shared.account(|ledger| ledger.maybe_duplicated(doubtful as u64));
        if let Some(spooler) = &mut self.spooler {
            spooler.close();
        }
    }
}

#[cfg(test)]
mod tests;
