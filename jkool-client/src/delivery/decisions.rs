//! The decisions of delivery: what is sent next, what a failure leads to, how an event ends. Pure: it is told what happened
//! and when, and never waits, sends or reads a clock.

mod isolate;
mod outcome;

use self::outcome::{BatchOutcome, Refused};
use crate::delivery::batch_limit::BatchLimit;
use crate::delivery::retry::RetryPolicy;
use crate::delivery::truncate::truncate;
use crate::delivery::window::Window;
use crate::queue::batch::{Batch, Suspicion};
use crate::queue::ledger::End;
use crate::queue::mark::Mark;
use crate::report::diagnostics::Notice;
use crate::report::health::Trouble;
use crate::report::loss::DeadLetter;
use crate::report::loss::LossReason;
use jkool_transport::Receipt;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the worker may do now.
#[derive(Debug)]
pub(crate) enum Permit {
    /// Send this batch again.
    Resend(Batch),
    /// Send a new batch, if there is one, else a [`suspect`](Delivery::suspect).
    Fresh,
    /// Nothing, until then or until a send comes back.
    Wait { until: Option<Instant> },
}

/// Remembers under which circumstances a send started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u32,
    attempt: u32,
    started: Instant,
}

/// What came of a send.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) ended: Vec<(Mark, End)>,
    pub(crate) maybe_duplicated: u64,
    /// A batch that was delivered as a whole; that has ended too.
    pub(crate) delivered: Batch,
    /// What the server refused for good.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// Something that a person should know.
    pub(crate) notice: Option<Notice>,
}

impl Settled {
    /// Something got through.
    pub(crate) fn is_success(&self) -> bool {
        self.delivered.len() > 0 || self.ended.iter().any(|(_, end)| *end == End::Delivered)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Waiting after a failure, which may be cut short, but not by more than the server allows.
    Waiting {
        until: Instant,
        soonest: Instant,
    },
    /// The wait is over: one send tries whether it works.
    Trying,
}

#[derive(Debug)]
pub(crate) struct Delivery {
    policy: RetryPolicy,
    window: Window,
    batch_limit: BatchLimit,
    random: fastrand::Rng,
    state: State,
    /// Why the last send did not get through.
    trouble: Option<Trouble>,
    /// Failures in a row.
    failures: u32,
    /// How many of these only a person can mend.
    misconfigured: u32,
    /// Grows with each failure and verdict, so that sends that started before it neither count it twice nor clear it.
    epoch: u32,
    /// Grows with each failure and whatever else makes delivery begin anew.
    attempt: u32,
    in_flight: usize,
    /// How many of these started in this attempt. Those of earlier ones may hang, and are not waited for.
    in_attempt: usize,
    /// What is to be sent again, before anything new.
    resend: VecDeque<Batch>,
    /// Suspicious events, each alone, which let others go first.
    suspects: VecDeque<Batch>,
    /// Whether something got through that was sent after the last failure and verdict.
    proven: bool,
}

impl Delivery {
    /// With at most `in_flight` sends under way.
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
            epoch: 0,
            attempt: 0,
            in_flight: 0,
            in_attempt: 0,
            resend: VecDeque::new(),
            suspects: VecDeque::new(),
            proven: false,
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
        match self.trial().or_else(|| self.resend.pop_front()) {
            Some(batch) => Permit::Resend(batch),
            None => Permit::Fresh,
        }
    }

    /// How many events of up to `max` are to travel together.
    pub(crate) fn batch_size(&self, max: usize) -> usize {
        self.batch_limit.of(max)
    }

    /// Why nothing gets through at present, if so.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether a person must mend something.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Misconfigured(_)))
    }

    /// What stood in the way may be gone: the next send tries at once, and what began before says nothing any more.
    pub(crate) fn try_now(&mut self) {
        self.begin_anew();
        if matches!(self.state, State::Waiting { .. }) {
            self.state = State::Trying;
        }
    }

    /// Somebody waits for what is here until `deadline`, and somebody else began to wait, until `new`. A wait for the server that
    /// lasts longer is cut short: the next send tries at once for who began to wait, and then whenever half of the time that
    /// is left is over.
    pub(crate) fn hurry(&mut self, new: Option<Instant>, deadline: Option<Instant>, now: Instant) {
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

    /// Whether nothing new could be sent now.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        match self.state {
            State::Waiting { until, .. } => until > now || self.in_attempt > 0,
            State::Trying => self.in_attempt > 0,
            State::Running => self.in_attempt >= self.window.size(),
        }
    }

    /// A send starts.
    pub(crate) fn start(&mut self, now: Instant) -> Ticket {
        self.in_flight += 1;
        self.in_attempt += 1;
        Ticket { epoch: self.epoch, attempt: self.attempt, started: now }
    }

    /// A send is back.
    pub(crate) fn settle(&mut self, ticket: Ticket, batch: Batch, receipt: Receipt, now: Instant) -> Settled {
        self.in_flight -= 1;
        self.in_attempt -= usize::from(ticket.attempt == self.attempt);
        let mut settled = Settled::default();
        if receipt.is_delivered() && receipt.outcomes().len() >= batch.len() {
            self.batch_limit.succeeded(batch.len());
            settled.delivered = batch;
            self.judge(ticket, &BatchOutcome::default(), now, &mut settled);
            return settled;
        }
        let (whole, suspicion) = (batch.len(), batch.suspicion);
        let mut outcome = BatchOutcome { convict: self.can_convict(ticket, &batch), ..BatchOutcome::default() };
        let mut outcomes = receipt.into_outcomes().into_iter();
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            // A transport that forgets a payload has not delivered it.
            outcome.add(payload, mark, outcomes.next(), &mut settled);
        }
        outcome.detach_parts(whole);
        if outcome.late || outcome.too_large.batch.len() > 1 {
            self.batch_limit.too_many(whole);
        }
        let mut resend = std::mem::take(&mut outcome.resend);
        if outcome.late && resend.len() > 1 {
            // It may be too much for the line.
            resend.suspicion = suspicion.after_other_failure();
            self.halve(resend);
        } else {
            self.keep(resend, suspicion.after_other_failure());
        }
        self.keep_doubtful(std::mem::take(&mut outcome.doubtful), suspicion.after_doubtful_failure());
        self.isolate(std::mem::take(&mut outcome.rejected), whole, LossReason::Rejected, &mut settled);
        self.isolate(std::mem::take(&mut outcome.too_large), whole, LossReason::TooLarge, &mut settled);
        self.judge(ticket, &outcome, now, &mut settled);
        if outcome.convict && !settled.dead_letters.is_empty() {
            self.forget_proof();
        }
        settled
    }

    /// What the server refused: alone, it ends or is cut; in company, the halves are tried apart until the guilty is alone.
    fn isolate(&mut self, refused: Refused, whole: usize, reason: LossReason, settled: &mut Settled) {
        let Refused { batch, error: Some(error) } = refused else { return };
        if batch.len() > 1 && batch.len() == whole {
            return self.halve(batch);
        }
        let mut shorter = Batch::default();
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            match Some(&payload).filter(|_| reason == LossReason::TooLarge).and_then(truncate) {
                Some(payload) => shorter.push(payload, mark),
                None => {
                    settled.ended.push((mark, End::Dropped(reason)));
                    settled.dead_letters.push(DeadLetter { payload, reason, error: error.clone() });
                }
            }
        }
        self.keep(shorter, Suspicion::default());
    }

    fn halve(&mut self, mut batch: Batch) {
        let second = batch.split_off(batch.len() / 2);
        self.resend.push_front(second);
        self.resend.push_front(batch);
    }

    /// What the send says about the link.
    fn judge(&mut self, ticket: Ticket, outcome: &BatchOutcome, now: Instant, settled: &mut Settled) {
        let current = ticket.epoch == self.epoch;
        if let Some(error) = &outcome.misconfigured {
            if current {
                self.misconfigured = self.misconfigured.saturating_add(1);
                // One bad server of many behind a balancer answers so too.
                let Some(before) = self.misconfigured.checked_sub(STRAY) else {
                    self.fail(now, None, |policy, failures, random| policy.backoff(failures, random, None));
                    self.trouble = Some(Trouble::Passing(error.clone()));
                    return;
                };
                self.fail(now, None, |policy, _, random| policy.probe_delay(before + 1, random));
                if !self.is_paused() {
                    settled.notice = Some(Notice::Paused(error.clone()));
                }
                self.trouble = Some(Trouble::Misconfigured(error.clone()));
            }
        } else if let Some((after, error)) = &outcome.retry {
            if current {
                self.window.failed();
                self.fail(now, *after, |policy, failures, random| policy.backoff(failures, random, *after));
                // Who was told of a misconfiguration is told when it works again, and not before.
                if !self.is_paused() {
                    self.trouble = Some(Trouble::Passing(error.clone()));
                }
            } else if let (State::Waiting { until, soonest }, Some(_)) = (&mut self.state, after) {
                *soonest = (*soonest).max(now + self.policy.backoff(1, 0.0, *after));
                *until = (*until).max(*soonest);
            }
        } else if current {
            self.window.succeeded(now.saturating_duration_since(ticket.started));
            self.state = State::Running;
            self.failures = 0;
            self.misconfigured = 0;
            self.proven |= settled.is_success();
            if let Some(Trouble::Misconfigured(_)) = self.trouble.take() {
                settled.notice = Some(Notice::Resumed);
            }
        }
    }

    /// It did not get through: the next send waits, and so long at least as the server asked.
    fn fail(&mut self, now: Instant, asked: Option<Duration>, delay: impl Fn(&RetryPolicy, u32, f64) -> Duration) {
        self.begin_anew();
        self.failures = self.failures.saturating_add(1);
        let until = now + delay(&self.policy, self.failures, self.random.f64());
        let asked = asked.map_or(MIN_HURRIED, |asked| self.policy.backoff(1, 0.0, Some(asked)).max(MIN_HURRIED));
        self.state = State::Waiting { until, soonest: now + asked };
    }

    fn begin_anew(&mut self) {
        self.forget_proof();
        self.attempt = self.attempt.wrapping_add(1);
        self.in_attempt = 0;
    }
}

/// The answer that something is to be put right is believed when it comes so often with no success between.
const STRAY: u32 = 3;

/// However many wait, and however little time they have: a server that is away is not tried more often.
const MIN_HURRIED: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
