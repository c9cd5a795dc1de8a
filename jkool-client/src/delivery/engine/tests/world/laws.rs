//! What is true of the world at any time, and in the end.

use super::{LITTLE, World, is_poison, is_severe};
use crate::queue::overflow::OverflowPolicy;
use crate::report::loss::LossReason;
use crate::report::outcome::DeliveryOutcome;
use std::collections::HashSet;

impl World {
    pub(in super::super) fn check(&mut self) {
        let stats = self.stats();
        let ended = stats.delivered() + stats.dropped_total();
        assert_eq!(stats.accepted() + stats.recovered(), ended + stats.spooled() + stats.in_memory(), "{stats}");
        // A file of the spool is loaded into a full queue too, for only what is sent makes room.
        let allowed = self.setup.bytes * 11 / 10 + LITTLE;
        assert!(stats.in_memory() <= 40 && stats.bytes_in_memory() <= allowed, "{stats:?}");
        // This only looks, and does not wait.
        let (accepted, now) = (&self.accepted_now, crate::emit::clock::now());
        let promised = &mut self.promised;
        // Which ones made room for others is not known here.
        let evicted = self.setup.overflow == OverflowPolicy::DropOldest && stats.dropped(LossReason::Overflow) > 0;
        self.flushes.retain(|(next, completion)| match completion.wait_until(now) {
            Some(report) if report.is_durable() && !evicted => {
                promised.extend(accepted.iter().filter(|number| *number < next));
                false
            }
            report => report.is_none(),
        });
        self.check_receipts();
    }

    /// What receipts say is so.
    pub(super) fn check_receipts(&mut self) {
        for (number, receipt) in &self.receipts {
            match receipt.end.get().or_else(|| receipt.durable.get()) {
                Some(DeliveryOutcome::Delivered) => {
                    let arrived = self.delivered.contains(number) || self.stored.contains(number);
                    assert!(arrived, "{number} was not delivered");
                }
                Some(DeliveryOutcome::Spooled) => drop(self.promised.insert(*number)),
                Some(DeliveryOutcome::Dropped(LossReason::Rejected)) => {
                    assert!(is_poison(*number) || self.misled, "{number} was not refused");
                }
                Some(DeliveryOutcome::Dropped(_)) | None => {}
            }
        }
    }

    /// What is true in the end.
    pub(in super::super) fn judge(&self) {
        let stored: HashSet<u64> = self.stored.iter().copied().collect();
        let arrived = |number: &u64| stored.contains(number) || self.refused.contains(number);
        let missing: Vec<_> = self.promised.iter().filter(|number| !arrived(number)).collect();
        assert!(missing.is_empty(), "promised and lost: {missing:?}");
        let lost = self.accepted.iter().filter(|number| !arrived(number)).count() as u64;
        assert!(lost <= self.killed + self.dropped, "{lost} lost, {} + {} counted", self.killed, self.dropped);
        if self.setup.window == 1 && !self.disk_failed && !self.misled {
            // The event over which the server fails lets others go first.
            let lane = |number: u64| self.setup.lanes && is_severe(number);
            for (shard, severe) in (0..self.setup.shards).flat_map(|shard| [(shard, false), (shard, true)]) {
                let here =
                    |number: &&u64| !is_poison(**number) && self.shards[*number] == shard && lane(**number) == severe;
                let others = self.stored.iter().filter(here);
                assert!(others.is_sorted(), "out of order in {shard}: {:?}", self.stored);
            }
        }
        let stats = self.stats();
        assert_eq!((stats.bytes_in_memory(), stats.bytes_spooled(), stats.damaged_bytes()), (0, 0, 0));
    }
}
