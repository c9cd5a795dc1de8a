//! Which event it is over which the server fails. Pure.
//!
//! Five failures in a row that a batch's content may have caused make it suspicious. Then it is halved, and so is each half that
//! fails again, until a suspicious event is alone. It is rejected when it fails while the server works, of which the proof is
//! that something got through since the last failure. Until then it is kept and lets others go first, so that they can give
//! the proof; when they have, it is tried at once.
//!
//! A proof is good for one verdict. A server that is well for a moment between two outages would else have every event of
//! the first one rejected in the second.
//!
//! An outage in which the server answers everything so proves nothing, and loses nothing. It leaves smaller batches behind,
//! since each try halves one at most: afterwards there are no more requests to make up for than there were tries. These are
//! few, for the waits between them grow as in any outage, and nothing that comes later is halved.

use super::{Delivery, Ticket};
use crate::queue::batch::{Batch, Suspicion};

impl Delivery {
    /// Everything that waits here, in the order in which it would be sent.
    pub(crate) fn kept(&mut self) -> impl Iterator<Item = &mut Batch> {
        let (first, second) = match self.proven {
            true => (&mut self.suspects, &mut self.resend),
            false => (&mut self.resend, &mut self.suspects),
        };
        first.iter_mut().chain(second)
    }

    /// What memory is to let go of, since nothing gets through: all that is to be sent again from the first that is durable on,
    /// in this order, but not what is next. That one keeps its count of failures, so that its guilt is found however often
    /// this happens; the count of the others begins anew. Suspects stay.
    pub(crate) fn let_go(&mut self) -> impl DoubleEndedIterator<Item = Batch> {
        let waiting = self.resend.iter().skip(1).position(Batch::is_durable);
        if let Some(next) = self.resend.front_mut() {
            // It may share its bytes with what goes.
            next.detach();
        }
        self.resend.drain(waiting.map_or(self.resend.len(), |place| place + 1)..)
    }

    /// A suspect to be tried again, when there is a permit for something fresh and nothing fresh.
    pub(crate) fn suspect(&mut self) -> Option<Batch> {
        self.suspects.pop_front()
    }

    /// A suspect whose next failure decides.
    pub(super) fn trial(&mut self) -> Option<Batch> {
        if self.proven { self.suspects.pop_front() } else { None }
    }

    /// Whether `batch`, back from a send, is rejected if its content may be why it failed. When anything else has failed since
    /// that send started, the server may have been in trouble.
    pub(super) fn can_convict(&self, ticket: Ticket, batch: &Batch) -> bool {
        self.proven && ticket.epoch == self.epoch && batch.is_suspect()
    }

    /// From now on only what starts from now on tells how the server does.
    pub(super) fn forget_proof(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.proven = false;
    }

    /// What failed and is to be sent again. A suspect goes behind the others, and each of them has its turn.
    pub(super) fn keep(&mut self, mut batch: Batch, suspicion: Suspicion) {
        batch.suspicion = suspicion;
        if batch.is_suspect() {
            self.suspects.push_back(batch);
        } else if batch.len() > 0 {
            self.resend.push_front(batch);
        }
    }

    /// The same, of what may have failed for its content.
    pub(super) fn keep_doubtful(&mut self, mut batch: Batch, suspicion: Suspicion) {
        if batch.len() > 1 && suspicion.is_strong() {
            batch.suspicion = suspicion;
            self.halve(batch);
        } else {
            self.keep(batch, suspicion);
        }
    }
}
