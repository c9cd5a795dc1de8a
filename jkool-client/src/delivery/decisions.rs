//! The decisions of delivery: what is sent next, what a failure leads to, how an event ends. Pure: it is told what happened
//! and when, and never waits, sends or reads a clock.

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
    /// Send a new batch, if there is one, else something [`instead`](Delivery::instead).
    Fresh,
    /// Nothing, until then or until a send comes back.
    Wait { until: Option<Instant> },
}

/// Remembers under which circumstances a send started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u32,
    attempt: u32,
    /// How many sends there had been, with this one.
    number: u64,
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
    /// How many of these the content may have caused.
    doubtful: u32,
    /// How many events were refused alone, one after the other, with nothing that got through between.
    refused: u32,
    /// How many suspects failed since something got through, which is no failure of the link.
    excused: u32,
    /// How many events were set aside since something got through.
    set_aside: u32,
    /// Whether something fresh was tried since.
    tried_fresh: bool,
    /// What was permitted last is something fresh.
    fresh: bool,
    /// Grows with each failure, so that sends that started before it neither count it twice nor clear it.
    epoch: u32,
    /// Grows with each failure and whatever else makes delivery begin anew.
    attempt: u32,
    in_flight: usize,
    /// How many of these started in this attempt. Those of earlier ones may hang, and are not waited for.
    in_attempt: usize,
    /// What is to be sent again, before anything new.
    resend: VecDeque<Batch>,
    suspects: Suspects,
    /// How many sends there were.
    sends: u64,
    /// The last send that got through, if it began after the last failure; else 0.
    through: u64,
    /// How many sends there were when the client began to end.
    ends_at: Option<u64>,
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

    /// What is sent when there is a permit for something fresh and nothing fresh.
    pub(crate) fn instead(&mut self, now: Instant) -> Option<Batch> {
        self.fresh = false;
        self.again().or_else(|| self.suspects.first(now))
    }

    /// When that may be more than now.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.suspects.next_due()
    }

    /// How many events of up to `max` are to travel together.
    pub(crate) fn batch_size(&self, max: usize) -> usize {
        if self.sends_one_by_one() { 1 } else { self.batch_limit.of(max) }
    }

    /// Why nothing gets through at present, if so.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether a person must mend something.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Misconfigured(_) | Trouble::Refused(_)))
    }

    /// What stood in the way may be gone: the next send tries at once, and what began before says nothing any more.
    pub(crate) fn try_now(&mut self, now: Instant) {
        self.begin_anew();
        self.suspects.try_now(now);
        if matches!(self.state, State::Waiting { .. }) {
            self.state = State::Trying;
        }
    }

    /// Somebody waits for what is here until `deadline`, and somebody else began to wait, until `new`. A wait for the server that
    /// lasts longer is cut short: the next send tries at once for who began to wait, and then whenever half of the time that
    /// is left is over.
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
        self.sends += 1;
        self.tried_fresh |= std::mem::take(&mut self.fresh);
        Ticket { epoch: self.epoch, attempt: self.attempt, number: self.sends, started: now }
    }

    /// A send is back.
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
            // A transport that forgets a payload has not delivered it.
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

    /// What a send that did not get through as a whole says about the link.
    fn judge(&mut self, ticket: Ticket, outcome: &BatchOutcome, now: Instant, settled: &mut Settled) {
        if outcome.suspicion.alone && outcome.may_be_for_content() && self.works() {
            // As far as is known the link works, so nobody is to wait for that. But it is told when nothing else gets through.
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

    /// It got through, or some of it did.
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

    /// It did not get through: the next send waits, and so long at least as the server asked.
    fn fail(&mut self, outcome: &BatchOutcome, now: Instant, settled: &mut Settled) {
        self.begin_anew();
        self.failures = self.failures.saturating_add(1);
        let mut after = None;
        let of_content = outcome.may_be_for_content();
        // How often only a person could mend it, beyond what one bad server of many explains.
        let (error, times) = if let Some(error) = &outcome.misconfigured {
            self.misconfigured = self.misconfigured.saturating_add(1);
            // What may be for an event is not told before others were tried.
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
        // Who was told that something is to be put right is told when it works again, and not before.
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

/// The answer that something is to be put right is believed when it comes so often with no success between: one bad server
/// of many behind a balancer answers so too.
const STRAY: u32 = 3;

/// So many other events are tried before it is believed of an answer that may be for the event.
const TRIED: u32 = 2;

/// When so many events were refused one after the other, with nothing that got through between, it is not for what they hold.
const ALL_REFUSED: u32 = 8;

/// While the link works, an event that was set aside is tried again so late when nothing got through since.
const QUIET: Duration = Duration::from_secs(5);

/// After so many failures in a row that a batch may have caused by what it holds, events are tried one by one.
const ENOUGH: u32 = 3;

/// Until so many events were set aside since something got through, and something fresh was tried, others are not to wait
/// longer for them than `OTHERS_WAIT`.
const OTHERS: u32 = 4;
const OTHERS_WAIT: Duration = Duration::from_secs(20);

/// However many wait, and however little time they have: a server that is away is not tried more often.
const MIN_HURRIED: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
