//! Removes events that have waited in the spool for too long.

use crate::queue::batch::Batch;
use crate::queue::lane::Lane;
use crate::queue::ledger::End;
use crate::queue::mark::{Mark, Since, Slot};
use crate::report::loss::LossReason;
use crate::spool::line::{Waiting, mark};
use crate::spool::spooler::{FIRST_RETRY, LOOK_INTERVAL, Spooler};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

impl Spooler {
    /// The time before which events are too old, if it is time to check.
    pub(crate) fn oldest_allowed(&self, now: Instant) -> Option<Since> {
        let max_age = self.settings.max_age.filter(|_| self.expire_at <= now)?;
        let nanos = Since::try_from(max_age.as_nanos()).unwrap_or(Since::MAX);
        Some(self.shared.shards.since(now).saturating_sub(nanos))
    }

    /// Drops events from before `oldest`: those in the lines, and these batches. `next` is the time of the first of the other
    /// events that were already sent.
    pub(crate) fn expire(&mut self, oldest: Since, batches: Vec<Batch>, next: Since, now: Instant) {
        // Events from now on are not older.
        let mut next = next.min(self.shared.shards.since(now));
        let mut expired: Vec<Mark> = batches.into_iter().flat_map(|batch| batch.marks).collect();
        for lane in Lane::ALL {
            let line = std::mem::take(&mut self.lines[lane as usize]);
            let (old, rest): (VecDeque<_>, _) = line.into_iter().partition(|waiting| waiting.since() < oldest);
            next = rest.iter().map(Waiting::since).fold(next, Since::min);
            self.lines[lane as usize] = rest;
            expired.extend(old.into_iter().flat_map(|waiting| self.marks_of(lane, waiting)));
        }
        self.end(&expired);
        self.shared.account(|ledger| ledger.end_all(&expired, End::Dropped(LossReason::Expired)));
        let wait = Duration::from_nanos(u64::try_from(next.saturating_sub(oldest)).unwrap_or(0));
        self.expire_at = now + wait.clamp(FIRST_RETRY, LOOK_INTERVAL);
    }

    fn marks_of(&mut self, lane: Lane, waiting: Waiting) -> Vec<Mark> {
        match (waiting, &mut self.store) {
            (Waiting::OnDisk { segment, runs, .. }, Some(store)) => {
                let open = store.open_records(segment).into_iter();
                open.filter_map(|index| mark(&runs, lane, 0, Slot { segment, index })).collect()
            }
            (Waiting::InMemory(items), _) => items.into_iter().map(|(_, mark)| mark).collect(),
            (Waiting::OnDisk { .. }, None) => Vec::new(),
        }
    }
}
