//! One send at a time to a server, which fails over some events or all.

use super::{
    Batch, Delivery, Disposition, End, Failure, LossReason, Permit, RETRY, Receipt, Settled, batch, delivery, failure,
    numbers, settled,
};
use crate::queue::batch::Suspicion;
use std::time::Instant;

pub(super) fn doubtful() -> Failure {
    failure(RETRY).in_doubt().content_in_doubt()
}

/// A firewall that takes the event for an attack.
pub(super) fn forbidden() -> Failure {
    failure(Disposition::Misconfigured).content_in_doubt()
}

pub(super) fn refused() -> Failure {
    failure(Disposition::Rejected)
}

/// One send at a time to a server, and what came of it.
pub(super) struct Link {
    pub(super) delivery: Delivery,
    pub(super) now: Instant,
    /// How many sends there were.
    pub(super) sends: usize,
    pub(super) delivered: Vec<usize>,
    pub(super) rejected: Vec<usize>,
}

impl Link {
    pub(super) fn new() -> Self {
        let (delivered, rejected) = (Vec::new(), Vec::new());
        let (delivery, now) = (delivery(1), crate::emit::clock::now());
        let mut link = Self { delivery, now, sends: 0, delivered, rejected };
        link.is_long_well();
        link
    }

    /// Sends `batch`, and the server fails over it or not.
    pub(super) fn send(&mut self, batch: Batch, failure: Option<Failure>) -> Settled {
        self.sends += 1;
        let len = batch.len();
        let receipt = failure.map_or(Receipt::delivered(len), |failure| Receipt::failed(len, failure));
        let ticket = self.delivery.start(self.now);
        let settled = settled(self.delivery.settle(ticket, batch, receipt, self.now));
        for (mark, end) in &settled.ended {
            match end {
                End::Delivered => self.delivered.push(mark.weight),
                End::Dropped(reason) => {
                    assert_eq!(*reason, LossReason::Rejected);
                    self.rejected.push(mark.weight);
                }
            }
        }
        settled
    }

    /// What may be sent, after any wait: something again, or `None` for something fresh.
    pub(super) fn resend(&mut self) -> Option<Batch> {
        loop {
            match self.delivery.permit(self.now) {
                Permit::Resend(batch) => return Some(batch),
                Permit::Fresh => return None,
                Permit::Wait { until } => self.now = until.expect("nothing is under way"),
            }
        }
    }

    /// The same when there is nothing fresh.
    pub(super) fn next(&mut self) -> Option<Batch> {
        loop {
            let next = self.resend().or_else(|| self.delivery.instead(self.now));
            match (next, self.delivery.next_due()) {
                (None, Some(due)) if due > self.now => self.now = due,
                (next, _) => return next,
            }
        }
    }

    /// Goes on until nothing is left, or for so many sends, with a server that fails in this way over these.
    pub(super) fn run(&mut self, poison: &[usize], failure: &Failure, sends: usize) {
        for _ in 0..sends {
            let Some(batch) = self.next() else { return };
            let fails = numbers(&batch).iter().any(|number| poison.contains(number));
            self.send(batch, fails.then(|| failure.clone()));
        }
    }

    /// So many others come one by one, and get through.
    pub(super) fn others(&mut self, numbers: std::ops::Range<usize>, poison: &[usize], failure: &Failure) {
        for number in numbers {
            self.send(batch([number]), None);
            self.run(poison, failure, 1);
        }
    }

    /// An event comes and makes the server fail until it is set aside.
    pub(super) fn suspect(&mut self, number: usize) {
        let mut next = batch([number]);
        for _ in 0..2 {
            self.send(next, Some(doubtful()));
            next = self.resend().expect("it goes before anything fresh");
        }
        self.send(next, Some(doubtful()));
        assert_eq!(self.delivery.resend.len(), 0);
    }

    /// Others have long got through.
    pub(super) fn is_long_well(&mut self) {
        (0..100).for_each(|_| self.delivery.suspects.saw(Suspicion::default(), false, self.now));
    }

    pub(super) fn kept(&mut self) -> Vec<Vec<usize>> {
        self.delivery.kept().map(|batch| numbers(batch)).collect()
    }
}
