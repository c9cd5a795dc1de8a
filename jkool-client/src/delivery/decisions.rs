//! The decisions of delivery: what is sent next, what follows from a failure, how an event ends. Pure: events and times are
//! passed in; it never waits, sends or reads a clock.

mod isolate;
mod outcome;
mod suspects;

use self::isolate::Pick;
use self::outcome::{BatchOutcome, Proof};
use self::suspects::Suspects;
use crate::delivery::batch_limit::BatchLimit;
use crate::delivery::retry::RetryPolicy;
use crate::delivery::window::Window;
use crate::queue::batch::Batch;
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::report::diagnostics::Notice;
use crate::report::health::Trouble;
use crate::report::loss::DeadLetter;
use jkool_transport::Receipt;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the worker may do now.
#[derive(Debug)]
pub(crate) enum Permit {
    /// Send this batch again.
    Resend(Batch),
    /// Send a new batch, if there is one, or else one from [`instead`](Delivery::instead).
    Fresh,
    /// Nothing, until this time or until a send returns.
    Wait { until: Option<Instant> },
}

/// The circumstances under which a send started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u32,
    attempt: u32,
    /// The number of sends so far, including this one.
    number: u64,
    started: Instant,
}

/// The result of a send.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) ended: Vec<(Mark, End)>,
    pub(crate) maybe_duplicated: u64,
    /// A batch that was delivered as a whole, and so has ended too.
    pub(crate) delivered: Batch,
    /// Events that were given up because the server rejected them.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// A notice for the operator.
    pub(crate) notice: Option<Notice>,
}

impl Settled {
    /// Whether some event got through.
    pub(crate) fn is_success(&self) -> bool {
        self.delivered.len() > 0 || self.ended.iter().any(|(_, end)| *end == End::Delivered)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Waiting after a failure. The wait may be shortened, but not below what the server asked for.
    Waiting {
        until: Instant,
        soonest: Instant,
    },
    /// The wait is over: a single send tries the server.
    Trying,
}

#[derive(Debug)]
pub(crate) struct Delivery {
    policy: RetryPolicy,
    window: Window,
    batch_limit: BatchLimit,
    random: fastrand::Rng,
    state: State,
    /// Why the last send failed.
    trouble: Option<Trouble>,
    /// Failures in a row.
    failures: u32,
    /// How many of these only a person can fix.
    misconfigured: u32,
    /// How many of these the content may have caused.
    doubtful: u32,
    /// How many events were rejected alone, one after the other, without a success in between.
    refused: u32,
    /// How many suspects failed since the last success; these are not failures of the connection.
    excused: u32,
    /// How many events were set aside since the last success.
    set_aside: u32,
    /// Whether a new batch was tried since then.
    tried_fresh: bool,
    /// Whether the last permit was for a new batch.
    fresh: bool,
    /// Incremented with each failure, so that sends that started before it neither count as further failures nor clear it.
    epoch: u32,
    /// Incremented with each failure, and with every other reason for a fresh start.
    attempt: u32,
    in_flight: usize,
    /// How many of these started in the current attempt. Those of earlier attempts may hang, and are not waited for.
    in_attempt: usize,
    /// Batches to be sent again, before new ones.
    resend: VecDeque<Batch>,
    suspects: Suspects,
    /// The number of sends so far.
    sends: u64,
    /// The number of the last successful send, if it started after the last failure; otherwise 0.
    through: u64,
    /// The number of sends when the shutdown began.
    ends_at: Option<u64>,
}

impl Delivery {
    /// With at most `in_flight` concurrent sends.
    pub(crate) fn new(policy: RetryPolicy, in_flight: usize, random: fastrand::Rng) -> Self {
        Self {
            policy: policy.bounded(),
            window: Window::new(in_flight),
            batch_limit: BatchLimit::default(),
            random,
            state: State::Running,
            trouble: None,
            failures: 0,
            misconfigured: 0,
            doubtful: 0,
            refused: 0,
            excused: 0,
            set_aside: 0,
            tried_fresh: false,
            fresh: false,
            epoch: 0,
            attempt: 0,
            in_flight: 0,
            in_attempt: 0,
            resend: VecDeque::new(),
            suspects: Suspects::default(),
            sends: 0,
            through: 0,
            ends_at: None,
        }
    }

    pub(crate) fn permit(&mut self, now: Instant) -> Permit {
        if let State::Waiting { until, .. } = self.state {
            if until > now {
                return Permit::Wait { until: Some(until) };
            }
            self.state = State::Trying;
        }
        let window = if self.state == State::Running { self.window.size() } else { 1 };
        if self.in_attempt >= window || self.in_flight >= self.window.hanging() {
            return Permit::Wait { until: None };
        }
        let batch = self.suspects.trial(self.through, now).or_else(|| match self.pick() {
            Pick::First => self.again(),
            Pick::Last => self.last_again(),
            Pick::Fresh => None,
        });
        self.fresh = batch.is_none();
        batch.map_or(Permit::Fresh, Permit::Resend)
    }

    /// Returns a batch to send if there is a permit for a new batch but no new batch.
    pub(crate) fn instead(&mut self, now: Instant) -> Option<Batch> {
        self.fresh = false;
        self.again().or_else(|| self.suspects.first(now))
    }

    /// When [`instead`](Self::instead) may have another batch.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.suspects.next_due()
    }

    /// The number of events in the next batch, at most `max`.
    pub(crate) fn batch_size(&self, max: usize) -> usize {
        if self.sends_one_by_one() { 1 } else { self.batch_limit.of(max) }
    }

    /// Why no event gets through at the moment, if so.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether a person must fix something.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Misconfigured(_) | Trouble::Refused(_)))
    }

    /// The problem may be solved: the next send tries at once, and sends that started before no longer count.
    pub(crate) fn try_now(&mut self, now: Instant) {
        self.begin_anew();
        self.suspects.try_now(now);
        if matches!(self.state, State::Waiting { .. }) {
            self.state = State::Trying;
        }
    }

    /// Shortens a wait for the server because of callers. A caller waits for delivery until `deadline`, and a new caller until
    /// `new`. If the wait is longer, the next send tries at once for the new caller, and then whenever half of the remaining
    /// time has passed.
    pub(crate) fn hurry(&mut self, new: Option<Instant>, deadline: Option<Instant>, now: Instant) {
        if new.is_some() {
            self.suspects.try_now(now);
        }
        let State::Waiting { until, soonest } = &mut self.state else { return };
        if new.is_some_and(|new| *until >= new) {
            *until = (*until).min(now.max(*soonest));
        } else if let Some(deadline) = deadline.filter(|deadline| *until >= *deadline) {
            let half = deadline.saturating_duration_since(now) / 2;
            if half >= MIN_HURRIED {
                *until = (*until).min((now + half).max(*soonest));
            }
        }
    }

    /// Whether no new batch can be sent now.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        match self.state {
            State::Waiting { until, .. } => until > now || self.in_attempt > 0,
            State::Trying => self.in_attempt > 0,
            State::Running => self.in_attempt >= self.window.size(),
        }
    }

    /// Records the start of a send.
    pub(crate) fn start(&mut self, now: Instant) -> Ticket {
        self.in_flight += 1;
        self.in_attempt += 1;
        self.sends += 1;
        self.tried_fresh |= std::mem::take(&mut self.fresh);
        Ticket { epoch: self.epoch, attempt: self.attempt, number: self.sends, started: now }
    }

    /// Handles the result of a send.
    pub(crate) fn settle(&mut self, ticket: Ticket, batch: Batch, receipt: Receipt, now: Instant) -> Settled {
        self.in_flight -= 1;
        self.in_attempt -= usize::from(ticket.attempt == self.attempt);
        let mut settled = Settled::default();
        if receipt.is_delivered() && receipt.outcomes().len() >= batch.len() {
            self.batch_limit.succeeded(batch.len());
            self.suspects.saw(batch.suspicion, false, now);
            settled.delivered = batch;
            self.succeed(ticket, now, &mut settled);
            return settled;
        }
        let whole = batch.len();
        let proof = Proof {
            current: ticket.epoch == self.epoch,
            others: batch.suspicion.failed_at.is_some_and(|failed_at| self.through > failed_at),
            enough: self.suspects.trials_beyond_verdict(batch.suspicion.trials).is_some(),
        };
        let mut outcome = BatchOutcome { whole, suspicion: batch.suspicion, proof, ..BatchOutcome::default() };
        let mut outcomes = receipt.into_outcomes().into_iter();
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            // A payload without an outcome was not delivered.
            outcome.add(payload, mark, outcomes.next(), &mut settled);
        }
        outcome.detach_parts();
        if outcome.late || outcome.too_large.batch.len() > 1 {
            self.batch_limit.too_many(whole);
        }
        if outcome.may_be_for_content() {
            self.suspects.saw(outcome.suspicion, true, now);
        }
        self.judge(ticket, &outcome, now, &mut settled);
        self.sort(outcome, now, &mut settled);
        settled
    }

    /// Evaluates what a send that was not fully delivered says about the connection.
    fn judge(&mut self, ticket: Ticket, outcome: &BatchOutcome, now: Instant, settled: &mut Settled) {
        if outcome.suspicion.alone && outcome.may_be_for_content() && self.works() {
            // As far as is known the connection works, so no other event has to wait. But it is reported if nothing else gets
            // through.
            self.excused = self.excused.saturating_add(1);
            if self.excused >= STRAY && self.trouble.is_none() {
                self.trouble = outcome.error().cloned().map(Trouble::Passing);
            }
        } else if outcome.is_own_fault() && (outcome.proof.enough || self.excused < STRAY) {
            self.excused = self.excused.saturating_add(1);
        } else if outcome.failed() && outcome.proof.current {
            self.fail(outcome, now, settled);
        } else if let Some((Some(after), _)) = &outcome.retry {
            if let State::Waiting { until, soonest } = &mut self.state {
                *soonest = (*soonest).max(now + self.policy.backoff(1, 0.0, Some(*after)));
                *until = (*until).max(*soonest);
            }
        } else if settled.is_success() {
            self.succeed(ticket, now, settled);
        } else if outcome.whole == 1 && !outcome.failed() && !outcome.proof.others {
            self.refused = self.refused.saturating_add(1);
            if self.refused >= STRAY && outcome.proof.current {
                self.fail(outcome, now, settled);
            }
        }
    }

    /// Handles a full or partial success.
    fn succeed(&mut self, ticket: Ticket, now: Instant, settled: &mut Settled) {
        (self.refused, self.excused) = (0, 0);
        if ticket.epoch != self.epoch {
            return;
        }
        self.window.succeeded(now.saturating_duration_since(ticket.started));
        self.state = State::Running;
        (self.failures, self.misconfigured, self.doubtful, self.set_aside) = (0, 0, 0, 0);
        self.tried_fresh = false;
        self.through = self.through.max(ticket.number);
        if let Some(Trouble::Misconfigured(_) | Trouble::Refused(_)) = self.trouble.take() {
            settled.notice = Some(Notice::Resumed);
        }
    }

    /// Handles a failure: the next send waits, at least as long as the server asked.
    fn fail(&mut self, outcome: &BatchOutcome, now: Instant, settled: &mut Settled) {
        self.begin_anew();
        self.failures = self.failures.saturating_add(1);
        let mut after = None;
        let of_content = outcome.may_be_for_content();
        // How often only a person could fix it, beyond what a single bad server behind a load balancer explains.
        let (error, times) = if let Some(error) = &outcome.misconfigured {
            self.misconfigured = self.misconfigured.saturating_add(1);
            // A problem that may be caused by an event is not reported before others were tried.
            (error, self.misconfigured.checked_sub(if of_content { STRAY + TRIED } else { STRAY }))
        } else if let Some((asked, error)) = &outcome.retry {
            self.window.failed();
            after = *asked;
            (error, None)
        } else {
            let Some(error) = outcome.refusal() else { return };
            (error, self.refused.checked_sub(ALL_REFUSED))
        };
        let random = self.random.f64();
        let mut delay = self.policy.backoff(self.failures, random, after);
        if of_content {
            self.doubtful = self.doubtful.saturating_add(if outcome.late { 2 } else { 1 });
        }
        if of_content && !self.looked_around() {
            delay = delay.min(OTHERS_WAIT);
        } else if let Some(times) = times {
            delay = self.policy.probe_delay(times + 1, random);
        }
        let asked = after.map_or(MIN_HURRIED, |after| self.policy.backoff(1, 0.0, Some(after)).max(MIN_HURRIED));
        self.state = State::Waiting { until: now + delay, soonest: now + asked };
        let trouble = match times {
            None => Trouble::Passing(error.clone()),
            Some(_) if outcome.failed() => Trouble::Misconfigured(error.clone()),
            Some(_) => Trouble::Refused(error.clone()),
        };
        // After a problem was reported, the next report is that it is solved.
        if !self.is_paused() {
            settled.notice = times.map(|_| Notice::Paused(trouble.clone()));
        }
        if times.is_some() || !self.is_paused() {
            self.trouble = Some(trouble);
        }
    }

    fn begin_anew(&mut self) {
        self.forget_proof();
        self.attempt = self.attempt.wrapping_add(1);
        self.in_attempt = 0;
    }
}

/// A response about the configuration is trusted after so many in a row without a success: a single bad server behind a load
/// balancer responds like this too.
const STRAY: u32 = 3;

/// The number of other events that are tried before trusting a response that may be about the event.
const TRIED: u32 = 2;

/// After so many events were rejected one after the other without a success in between, the cause is not their content.
const ALL_REFUSED: u32 = 8;

/// While the connection works, an event that was set aside is tried again after this time if nothing got through since.
const QUIET: Duration = Duration::from_secs(5);

/// After so many failures in a row that the content of a batch may have caused, events are tried one by one.
const ENOUGH: u32 = 3;

/// Until so many events were set aside since the last success, and a new batch was tried, waits are not longer than
/// `OTHERS_WAIT`.
const OTHERS: u32 = 4;
const OTHERS_WAIT: Duration = Duration::from_secs(20);

/// The minimum wait, so that a server that is away is not tried more often, however many callers wait and however short their
/// deadlines are.
const MIN_HURRIED: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
