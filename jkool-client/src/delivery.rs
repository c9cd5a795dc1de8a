//! The decisions of delivery: what is sent next, what a failure leads to, how an event ends. Pure: it is told what happened
//! and when, and never waits, sends or reads a clock.

use crate::encode::shorten;
use crate::ledger::{End, Mark};
use crate::window::Window;
use crate::{DeadLetter, LossReason, RetryPolicy};
use jkool_transport::{Disposition, ErrorKind, Outcome, Payload, Receipt, TransportError};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Payloads that are sent together, and what each is known by.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) payloads: Vec<Payload>,
    pub(crate) marks: Vec<Mark>,
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.payloads.len()
    }

    pub(crate) fn push(&mut self, payload: Payload, mark: Mark) {
        self.payloads.push(payload);
        self.marks.push(mark);
    }

    fn split_off(&mut self, at: usize) -> Self {
        Self { payloads: self.payloads.split_off(at), marks: self.marks.split_off(at) }
    }
}

/// What the worker may do now.
#[derive(Debug)]
pub(crate) enum Permit {
    /// Send this batch again.
    Resend(Batch),
    /// Send a new batch, if there is one.
    Fresh,
    /// Nothing, until then or until a send comes back.
    Wait { until: Option<Instant> },
}

/// Remembers under which circumstances a send started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u32,
    started: Instant,
}

/// What came of a send.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) ended: Vec<(Mark, End)>,
    pub(crate) maybe_duplicated: u64,
    /// What the server refused for good.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// Something that a person should know.
    pub(crate) notice: Option<Notice>,
}

#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// Nothing gets through until a person mends it.
    Paused(TransportError),
    /// It works again.
    Resumed,
}

/// Why nothing gets through at present.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It may pass.
    Passing(TransportError),
    /// A person must mend it, and has been told.
    Misconfigured(TransportError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// Waiting after a failure.
    Waiting {
        until: Instant,
    },
    /// The wait is over: one send tries whether it works.
    Trying,
}

#[derive(Debug)]
pub(crate) struct Delivery {
    policy: RetryPolicy,
    window: Window,
    random: fastrand::Rng,
    state: State,
    /// Why the last send did not get through.
    trouble: Option<Trouble>,
    /// Failures in a row.
    failures: u32,
    /// Grows with each failure, so that sends that started before it neither count it twice nor clear it.
    epoch: u32,
    in_flight: usize,
    /// What is to be sent again, before anything new.
    resend: VecDeque<Batch>,
}

impl Delivery {
    /// With at most `in_flight` sends under way.
    pub(crate) fn new(policy: RetryPolicy, in_flight: usize, random: fastrand::Rng) -> Self {
        let (state, resend, window) = (State::Running, VecDeque::new(), Window::new(in_flight));
        Self { policy, window, random, state, trouble: None, failures: 0, epoch: 0, in_flight: 0, resend }
    }

    pub(crate) fn permit(&mut self, now: Instant) -> Permit {
        if let State::Waiting { until } = self.state {
            if until > now {
                return Permit::Wait { until: Some(until) };
            }
            self.state = State::Trying;
        }
        let window = if self.state == State::Running { self.window.size() } else { 1 };
        if self.in_flight >= window {
            return Permit::Wait { until: None };
        }
        match self.resend.pop_front() {
            Some(batch) => Permit::Resend(batch),
            None => Permit::Fresh,
        }
    }

    /// Why nothing gets through at present, if so.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Whether a person must mend something.
    pub(crate) fn is_paused(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Misconfigured(_)))
    }

    /// What stood in the way may be gone: the next send tries at once.
    pub(crate) fn try_now(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.state = State::Trying;
        }
    }

    /// A send starts.
    pub(crate) fn start(&mut self, now: Instant) -> Ticket {
        self.in_flight += 1;
        Ticket { epoch: self.epoch, started: now }
    }

    /// A send is back.
    pub(crate) fn settle(&mut self, ticket: Ticket, batch: Batch, receipt: Receipt, now: Instant) -> Settled {
        self.in_flight -= 1;
        let mut settled = Settled::default();
        let whole = batch.len();
        let mut sorted = Sorted::default();
        let mut outcomes = receipt.into_outcomes().into_iter();
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            // A transport that forgets a payload has not delivered it.
            sorted.add(payload, mark, outcomes.next(), &mut settled);
        }
        if sorted.resend.len() > 0 {
            self.resend.push_front(std::mem::take(&mut sorted.resend));
        }
        self.isolate(std::mem::take(&mut sorted.rejected), whole, LossReason::Rejected, &mut settled);
        self.isolate(std::mem::take(&mut sorted.too_large), whole, LossReason::TooLarge, &mut settled);
        self.judge(ticket, &sorted, now, &mut settled);
        settled
    }

    /// What the server refused: alone, it ends or is cut; in company, the halves are tried apart until the guilty is alone.
    fn isolate(&mut self, refused: Refused, whole: usize, reason: LossReason, settled: &mut Settled) {
        let Refused { mut batch, error: Some(error) } = refused else { return };
        if batch.len() > 1 && batch.len() == whole {
            let second = batch.split_off(batch.len() / 2);
            self.resend.push_front(second);
            self.resend.push_front(batch);
            return;
        }
        let mut shorter = Batch::default();
        for (payload, mark) in batch.payloads.into_iter().zip(batch.marks) {
            match Some(&payload).filter(|_| reason == LossReason::TooLarge).and_then(shorten) {
                Some(payload) => shorter.push(payload, mark),
                None => {
                    settled.ended.push((mark, End::Dropped(reason)));
                    settled.dead_letters.push(DeadLetter { payload, reason, error: error.clone() });
                }
            }
        }
        if shorter.len() > 0 {
            self.resend.push_front(shorter);
        }
    }

    /// What the send says about the link.
    fn judge(&mut self, ticket: Ticket, sorted: &Sorted, now: Instant, settled: &mut Settled) {
        let current = ticket.epoch == self.epoch;
        if let Some(error) = &sorted.misconfigured {
            if current {
                self.fail(now, |policy, failures, random| policy.probe_delay(failures, random));
                if !self.is_paused() {
                    settled.notice = Some(Notice::Paused(error.clone()));
                }
                self.trouble = Some(Trouble::Misconfigured(error.clone()));
            }
        } else if let Some((after, error)) = &sorted.retry {
            if current {
                self.window.failed();
                self.fail(now, |policy, failures, random| policy.backoff(failures, random, *after));
                // Who was told of a misconfiguration is told when it works again, and not before.
                if !self.is_paused() {
                    self.trouble = Some(Trouble::Passing(error.clone()));
                }
            } else if let (State::Waiting { until }, Some(_)) = (&mut self.state, after) {
                *until = (*until).max(now + self.policy.backoff(1, 0.0, *after));
            }
        } else if current {
            self.window.succeeded(now.saturating_duration_since(ticket.started));
            self.state = State::Running;
            self.failures = 0;
            if let Some(Trouble::Misconfigured(_)) = self.trouble.take() {
                settled.notice = Some(Notice::Resumed);
            }
        }
    }

    fn fail(&mut self, now: Instant, delay: impl Fn(&RetryPolicy, u32, f64) -> Duration) {
        self.epoch = self.epoch.wrapping_add(1);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until: now + delay(&self.policy, self.failures, self.random.f64()) };
    }
}

/// A batch that came back, by what each payload's outcome means.
#[derive(Debug, Default)]
struct Sorted {
    resend: Batch,
    rejected: Refused,
    too_large: Refused,
    /// Some payload is to be sent again; no sooner than that, when the server said so, and why.
    retry: Option<(Option<Duration>, TransportError)>,
    misconfigured: Option<TransportError>,
}

/// What the server refused, and why it refused the first of it.
#[derive(Debug, Default)]
struct Refused {
    batch: Batch,
    error: Option<TransportError>,
}

impl Refused {
    fn add(&mut self, payload: Payload, mark: Mark, error: TransportError) {
        self.error.get_or_insert(error);
        self.batch.push(payload, mark);
    }
}

impl Sorted {
    fn add(&mut self, payload: Payload, mark: Mark, outcome: Option<Outcome>, settled: &mut Settled) {
        let failure = match outcome {
            Some(Outcome::Delivered) => return settled.ended.push((mark, End::Delivered)),
            Some(Outcome::Failed(failure)) => failure,
            _ => {
                settled.maybe_duplicated += 1;
                let error = TransportError::new(ErrorKind::Other, "the transport said nothing of a payload");
                self.retry.get_or_insert((None, error));
                return self.resend.push(payload, mark);
            }
        };
        match failure.disposition {
            Disposition::TooLarge => self.too_large.add(payload, mark, failure.error),
            Disposition::Rejected => self.rejected.add(payload, mark, failure.error),
            disposition => {
                match disposition {
                    Disposition::Misconfigured => {
                        self.misconfigured.get_or_insert(failure.error);
                    }
                    Disposition::Retry { after } => {
                        let (latest, _) = self.retry.get_or_insert((None, failure.error));
                        *latest = (*latest).max(after);
                    }
                    // A disposition that this version does not know: keeping is never wrong.
                    _ => {
                        self.retry.get_or_insert((None, failure.error));
                    }
                }
                settled.maybe_duplicated += u64::from(failure.maybe_delivered);
                self.resend.push(payload, mark);
            }
        }
    }
}

#[cfg(test)]
mod tests;
