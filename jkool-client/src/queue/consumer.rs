//! The worker's side of the queue: takes batches, and returns empty blocks.

use crate::queue::amount::Amount;
use crate::queue::block::Block;
use crate::queue::lane::Lane;
use crate::queue::overflow::OverflowPolicy;
use crate::queue::schedule::{Decision, Schedule, Sight};
use crate::queue::shared::Shared;
use crate::queue::spare::Spare;
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Consumer {
    shared: Arc<Shared>,
    schedule: Schedule,
    /// The shard to start with; the shards take turns.
    next: usize,
    spare: Spare,
}

/// The result of a look at the queue.
#[derive(Debug)]
pub(crate) enum Taken {
    Events(Vec<Block>, Lane),
    /// Nothing to do before this time, unless the worker is woken.
    Nothing {
        until: Option<Instant>,
    },
}

impl Consumer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let schedule = Schedule::new(shared.shards.limits.flush_interval);
        Self { shared, schedule, next: 0, spare: Spare::default() }
    }

    /// Takes up to `max` events if there are enough, if the first has waited long enough, or if a caller waits for
    /// delivery: the oldest of a shard, and of further shards if that is little. While other events are `under_way`,
    /// none are taken beyond the limit of bytes.
    pub(crate) fn take(&mut self, max: usize, under_way: bool, now: Instant) -> Taken {
        let shards = &self.shared.shards;
        if under_way && shards.budget.is_exceeded() {
            return Taken::Nothing { until: None };
        }
        let filled = shards.signals.filled_shards();
        match self.schedule.decide(self.sight(filled, max), now) {
            Decision::Take => {
                shards.signals.stay_awake();
                let (blocks, lane) = self.take_some(max);
                Taken::Events(blocks, lane)
            }
            Decision::LookAt(timer) => {
                shards.signals.stay_awake();
                Taken::Nothing { until: Some(timer) }
            }
            Decision::Sleep if shards.signals.fall_asleep() => self.take(max, under_way, now),
            Decision::Sleep => Taken::Nothing { until: None },
        }
    }

    fn sight(&self, filled: u32, max: usize) -> Sight {
        let shards = &self.shared.shards;
        let limits = &shards.limits;
        let empty = filled == 0;
        Sight {
            empty,
            hurry: !empty && (shards.signals.take_pressed() || shards.signals.is_closed() || self.shared.is_awaited()),
            waiting: shards.signals.waiting(),
            batch: Amount::new(max.min(limits.wake_at), limits.batch_bytes),
            much: limits.much(),
        }
    }

    /// Takes up to `max` events of the first lane that has any.
    fn take_some(&mut self, max: usize) -> (Vec<Block>, Lane) {
        let priority = self.take_priority(max);
        if priority.is_empty() { (self.take_lane(Lane::Normal, max), Lane::Normal) } else { (priority, Lane::Priority) }
    }

    /// Takes up to `max` events of the priority lane.
    pub(crate) fn take_priority(&mut self, max: usize) -> Vec<Block> {
        let lanes = self.shared.shards.limits.priority.is_some();
        if lanes { self.take_lane(Lane::Priority, max) } else { Vec::new() }
    }

    fn take_lane(&mut self, lane: Lane, max: usize) -> Vec<Block> {
        let shards = &self.shared.shards;
        let bytes = shards.limits.batch_bytes;
        let mut taken = Vec::new();
        for turn in 0..shards.len() {
            let place = shards.of_thread(self.next + turn);
            if shards.signals.filled_shards() & 1 << place == 0 {
                continue;
            }
            let (shard, before) = (&shards[place], taken.len());
            let mut state = shard.lock();
            let less = state.take(lane, max, bytes, &mut taken);
            // Returns as many empty blocks as it took.
            state.reuse(
                lane,
                taken[before..].iter_mut().filter_map(|block| {
                    block.home = place;
                    self.spare.take(block.is_for(true), place)
                }),
            );
            if state.is_empty() {
                shards.signals.emptied(place);
            }
            if shards.limits.overflow == OverflowPolicy::DropOldest {
                shard.show_oldest(&state);
            }
            drop(state);
            shards.signals.recall(less);
            if shard.is_behind() && shards.signals.has_caught_up(shards.signals.waiting()) {
                shard.set_behind(false);
            }
            let events: usize = taken.iter().map(Block::len).sum();
            let weight: usize = taken.iter().map(Block::weight).sum();
            if events >= max || weight >= bytes {
                self.next = place + 1;
                return taken;
            }
        }
        self.next += 1;
        taken
    }

    /// Takes events for the spool. The priority lane stays in memory, if possible.
    pub(crate) fn relieve(&mut self, max: usize) -> (Vec<Block>, Lane) {
        self.shared.shards.signals.relieved();
        let normal = self.take_lane(Lane::Normal, max);
        if normal.is_empty() { (self.take_priority(max), Lane::Priority) } else { (normal, Lane::Normal) }
    }

    /// Returns a block that is no longer needed.
    pub(crate) fn reuse(&mut self, block: Block) {
        self.spare.keep(block, self.shared.shards.max_spare());
    }
}

#[cfg(test)]
mod tests;
