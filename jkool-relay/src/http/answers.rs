//! Requests that wait until their records are settled.

use crate::source::Position;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Each request is a partition of the source, and each of its records advances the offset by one.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    by_number: HashMap<u64, Waiter>,
}

#[derive(Debug)]
struct Waiter {
    records: u64,
    settled: oneshot::Sender<()>,
}

/// Keeps a request in the list of waiting requests until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    /// Returns an error if the records will not be settled any more.
    pub(super) settled: oneshot::Receiver<()>,
    answers: Arc<Answers>,
}

impl Answers {
    /// Adds a request with this number of records.
    pub(super) fn wait_for(self: &Arc<Self>, records: usize) -> Ticket {
        let (sender, settled) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.last += 1;
        let number = waiting.last;
        waiting.by_number.insert(number, Waiter { records: records as u64, settled: sender });
        Ticket { number, settled, answers: Arc::clone(self) }
    }

    /// All records before these positions are settled.
    pub(super) fn settled(&self, positions: &[Position]) {
        let mut waiting = self.waiting();
        for Position { partition, offset } in positions {
            let Entry::Occupied(entry) = waiting.by_number.entry(*partition) else { continue };
            if entry.get().records <= *offset {
                let _listened = entry.remove().settled.send(());
            }
        }
    }

    /// No more records will be settled.
    pub(super) fn give_up(&self) {
        self.waiting().by_number.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.answers.waiting().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, Position};
    use std::sync::Arc;
    use tokio::sync::oneshot::error::TryRecvError;

    #[test]
    fn a_request_is_answered_when_all_of_it_is_settled() {
        let answers = Arc::<Answers>::default();
        let (mut one, mut other) = (answers.wait_for(2), answers.wait_for(1));
        let position = |partition, offset| Position { partition, offset };
        answers.settled(&[position(one.number, 1), position(99, 1)]);
        assert_eq!(one.settled.try_recv(), Err(TryRecvError::Empty));
        answers.settled(&[position(one.number, 2)]);
        assert_eq!((one.settled.try_recv(), other.settled.try_recv()), (Ok(()), Err(TryRecvError::Empty)));
        answers.give_up();
        assert_eq!(other.settled.try_recv(), Err(TryRecvError::Closed));
        drop(answers.wait_for(1));
        assert!(answers.waiting().by_number.is_empty());
    }
}
