//! The records of one partition that are in flight, and the position that may be committed. Pure.

use std::collections::VecDeque;

/// The records of one partition that are in flight, oldest first.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    entries: VecDeque<Entry<T>>,
    /// All records before this offset are settled.
    settled: Option<u64>,
    committed: Option<u64>,
}

#[derive(Debug)]
struct Entry<T> {
    offset: u64,
    bytes: usize,
    what: T,
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), settled: None, committed: None }
    }
}

/// The number and size of settled records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl<T> InFlight<T> {
    /// Adds a record; `offset` is the position after it.
    pub(crate) fn push(&mut self, offset: u64, bytes: usize, what: T) {
        self.entries.push_back(Entry { offset, bytes, what });
    }

    /// Removes settled records from the front, up to the first that is not settled.
    pub(crate) fn settle(&mut self, mut is_settled: impl FnMut(&mut T, u64) -> bool) -> Progress {
        let mut progress = Progress::default();
        while let Some(entry) = self.entries.front_mut() {
            if !is_settled(&mut entry.what, entry.offset) {
                break;
            }
            self.settled = Some(entry.offset);
            progress.records += 1;
            progress.bytes += entry.bytes;
            self.entries.pop_front();
        }
        progress
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of records that are given up if the partition is revoked now.
    pub(crate) fn left(&self) -> Progress {
        Progress { records: self.entries.len(), bytes: self.entries.iter().map(|entry| entry.bytes).sum() }
    }

    /// The position to commit, if it has advanced since the last commit.
    pub(crate) fn to_commit(&self) -> Option<u64> {
        self.settled.filter(|settled| Some(*settled) != self.committed)
    }

    pub(crate) fn committed(&mut self, offset: u64) {
        self.committed = Some(offset);
    }
}

#[cfg(test)]
mod tests {
    use super::{InFlight, Progress};
    use proptest::prelude::{Just, Strategy, any};
    use proptest::{collection, proptest};

    #[test]
    fn nothing_is_committed_behind_what_is_not_settled() {
        let mut flight = InFlight::default();
        flight.push(10, 1, false);
        flight.push(20, 2, true);
        assert_eq!((flight.settle(|settled, _| *settled), flight.to_commit()), (Progress::default(), None));
        let progress = flight.settle(|_, offset| offset == 10);
        assert_eq!((progress, flight.to_commit()), (Progress { records: 1, bytes: 1 }, Some(10)));
        flight.committed(10);
        assert_eq!(flight.to_commit(), None);
        assert_eq!(flight.left(), Progress { records: 1, bytes: 2 });
    }

    /// Receipts arrive in any order, and some of the commits in between fail.
    fn runs() -> impl Strategy<Value = Vec<(usize, bool)>> {
        (1_usize..60).prop_flat_map(|len| {
            let order = Just((0..len).collect::<Vec<_>>()).prop_shuffle();
            (order, collection::vec(any::<bool>(), len)).prop_map(|(order, kept)| order.into_iter().zip(kept).collect())
        })
    }

    proptest! {
        #[test]
        fn a_commit_goes_up_to_the_first_record_that_is_not_settled(run in runs()) {
            let (mut flight, mut settled) = (InFlight::default(), vec![false; run.len()]);
            for number in 0..run.len() {
                flight.push(number as u64 + 1, 1, number);
            }
            let mut committed = None;
            for (number, is_kept) in run {
                settled[number] = true;
                flight.settle(|number, _| settled[*number]);
                let first_open = settled.iter().position(|settled| !settled).unwrap_or(settled.len()) as u64;
                let expected = Some(first_open).filter(|first| *first > 0 && Some(*first) != committed);
                assert_eq!(flight.to_commit(), expected);
                if let Some(offset) = flight.to_commit().filter(|_| is_kept) {
                    flight.committed(offset);
                    committed = Some(offset);
                }
            }
            assert!(flight.is_empty());
        }
    }
}
