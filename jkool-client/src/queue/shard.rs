//! A part of the queue, which some of the threads share. Pure, except for its lock.

use crate::queue::amount::Amount;
use crate::queue::block::{Admitted, Block};
use crate::queue::blocks::{Incoming, Queue};
use crate::queue::lane::Lane;
use crate::queue::limits::Limits;
use crate::queue::lock::{Held, Lock};
use crate::queue::mark::Since;
use crate::queue::receipts::ReceiptId;
use crate::report::loss::LossReason;
use std::collections::VecDeque;
use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A shard, on its own cache lines, because its threads write to it with every event.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard {
    state: Lock<State>,
    /// Notified when the shard gets credit or is closed while a caller waits.
    pub(crate) room: Condvar,
    /// The worker is behind: callers encode their log lines.
    behind: AtomicBool,
    /// When the oldest event was queued, to find the oldest of all shards; the maximum if there is none.
    oldest: AtomicU64,
}

/// An event for which there is credit.
#[derive(Debug)]
pub(crate) struct Entrant<'a> {
    pub(crate) incoming: Incoming<'a>,
    pub(crate) lane: Lane,
    /// The approximate number of bytes.
    pub(crate) weight: usize,
    /// When it was queued, if the age is needed.
    pub(crate) arrived: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

/// The state behind the lock. The counters never decrease, except for evicted events.
#[derive(Debug)]
pub(crate) struct State {
    /// One queue for each lane.
    queues: [Queue; Lane::COUNT],
    /// Credit that was drawn and is not spent.
    credit: Amount,
    counts: Counts,
    /// The generation for the next flush.
    generation: u64,
    /// Waiting events that were not announced yet.
    unannounced: Amount,
    /// Waiting events that were announced.
    announced: Amount,
    /// The amount that is worth an announcement.
    announce_at: Amount,
    closed: bool,
    /// The callers that wait for room.
    waiting: VecDeque<u64>,
    last_ticket: u64,
    /// A caller was woken for room that others had taken by then: now callers are served in order.
    in_turn: bool,
}

/// The events that were queued, and those that ended in the shard. The ledger counts events that the worker took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) dropped: [u64; LossReason::COUNT],
    /// Events that were queued and not evicted.
    pub(crate) entered: Amount,
}

/// A change that must be announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The first event of an empty shard.
    pub(crate) first: bool,
    /// This amount waits in addition to what was announced.
    pub(crate) more: Amount,
}

/// An event that was dropped to make room, if a flush has begun since it was queued, or it has a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) generation: u64,
    /// The generation of its shard at that time.
    pub(crate) before: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

/// The maximum amount of waiting events that are not announced.
const ANNOUNCE: Amount = Amount { events: 64, bytes: 64 << 10 };
const NEVER: u64 = u64::MAX;

/// Later than any time.
const SPARED: u64 = 1 << 62;

impl Shard {
    pub(crate) fn new(limits: &Limits, max_spare: usize) -> Self {
        Self {
            state: Lock::new(State::new(limits, max_spare)),
            room: Condvar::new(),
            behind: AtomicBool::new(false),
            oldest: AtomicU64::new(NEVER),
        }
    }

    pub(crate) fn lock(&self) -> Held<'_, State> {
        self.state.lock()
    }

    /// `None` while another thread holds the lock.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Held<'_, State>> {
        self.state.try_lock()
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    pub(crate) fn set_behind(&self, behind: bool) {
        if self.is_behind() != behind {
            self.behind.store(behind, Ordering::Relaxed);
        }
    }

    /// When the oldest event was queued, if there is one. It may have left in the meantime.
    pub(crate) fn oldest(&self) -> Option<u64> {
        Some(self.oldest.load(Ordering::Relaxed)).filter(|arrived| *arrived != NEVER)
    }

    /// Publishes when the oldest event was queued.
    pub(crate) fn show_oldest(&self, state: &State) {
        self.oldest.store(state.oldest().unwrap_or(NEVER), Ordering::Relaxed);
    }
}

impl State {
    fn new(limits: &Limits, max_spare: usize) -> Self {
        Self {
            queues: Lane::ALL.map(|_| Queue::new(limits, max_spare)),
            credit: Amount::NOTHING,
            counts: Counts::default(),
            generation: 0,
            unannounced: Amount::NOTHING,
            announced: Amount::NOTHING,
            announce_at: limits.share(limits.much(), ANNOUNCE),
            closed: false,
            waiting: VecDeque::new(),
            last_ticket: 0,
            in_turn: false,
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Closes the shard for new events.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// From now on events belong to the next flush.
    pub(crate) fn begin_generation(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// The credit that is missing for an event.
    pub(crate) fn lacks(&self, weight: usize) -> Amount {
        (Amount::one(weight) - self.credit).max(Amount::NOTHING)
    }

    /// Whether it can be queued at once.
    #[inline]
    pub(crate) fn is_paid_for(&self, weight: usize) -> bool {
        self.credit.covers(Amount::one(weight)) && !self.closed && !self.in_turn
    }

    /// Spends credit, if there is enough.
    pub(crate) fn take_reserved(&mut self, amount: Amount) -> Result<bool, LossReason> {
        if self.closed {
            return Err(LossReason::AfterShutdown);
        }
        let covered = self.credit.covers(amount) && !self.in_turn;
        if covered {
            self.credit -= amount;
        }
        Ok(covered)
    }

    pub(crate) fn add_credit(&mut self, credit: Amount) {
        self.credit += credit;
    }

    pub(crate) fn credit(&self) -> Amount {
        self.credit
    }

    /// Returns unspent credit.
    pub(crate) fn take_credit(&mut self) -> Amount {
        std::mem::take(&mut self.credit)
    }

    /// Counts an event that is dropped before it is queued.
    pub(crate) fn refuse(&mut self, reason: LossReason) {
        self.counts.accepted += 1;
        self.counts.dropped[reason as usize] += 1;
    }

    /// Queues an event for which there is credit.
    #[inline]
    pub(crate) fn push(&mut self, entrant: Entrant<'_>, now: impl Fn() -> Since) -> News {
        let weight = entrant.weight;
        let one = Amount::one(weight);
        self.credit -= one;
        self.counts.accepted += 1;
        self.counts.entered += one;
        let first = self.is_empty();
        let Entrant { incoming, lane, receipt, arrived, .. } = entrant;
        let admitted = Admitted { generation: self.generation, weight, arrived, receipt };
        self.queues[lane as usize].push(incoming, admitted, now);
        self.unannounced += one;
        let due = self.unannounced.reaches(self.announce_at);
        let more = if due { std::mem::take(&mut self.unannounced) } else { Amount::NOTHING };
        self.announced += more;
        News { first, more }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues.iter().all(Queue::is_empty)
    }

    /// The amount of waiting events.
    pub(crate) fn waits(&self) -> Amount {
        self.queues.iter().fold(Amount::NOTHING, |sum, queue| sum + Amount::new(queue.len(), queue.weight()))
    }

    /// When the first event was queued, or slightly earlier.
    pub(crate) fn since(&self) -> Option<Since> {
        self.queues.iter().filter_map(Queue::since).min()
    }

    /// When the oldest event of the lane that is evicted first was queued: less severe events are evicted before more
    /// severe ones.
    fn oldest(&self) -> Option<u64> {
        let [priority, normal] = &self.queues;
        normal.oldest().or_else(|| Some(priority.oldest()? | SPARED))
    }

    /// Takes events of a lane until `taken` has `max` events or about this number of bytes. Returns by how much the
    /// announced amount decreases.
    pub(crate) fn take(&mut self, lane: Lane, max: usize, bytes: usize, taken: &mut Vec<Block>) -> Amount {
        self.queues[lane as usize].take(max, bytes, taken);
        self.left()
    }

    /// Events have left: announced ones are older, so they leave first.
    fn left(&mut self) -> Amount {
        let waits = self.waits();
        self.unannounced = self.unannounced.min(waits);
        let announced = waits - self.unannounced;
        std::mem::replace(&mut self.announced, announced) - announced
    }

    /// Drops the oldest event to make room, and returns its credit. The generation is returned if a flush may wait for
    /// the event, because it is not the [current](Self::generation) one.
    pub(crate) fn evict(&mut self, reason: LossReason) -> Option<(Admitted, Amount)> {
        let [priority, normal] = &mut self.queues;
        let evicted = normal.drop_oldest().or_else(|| priority.drop_oldest())?;
        self.counts.entered -= Amount::one(evicted.weight);
        self.counts.dropped[reason as usize] += 1;
        Some((evicted, self.left()))
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Removes all waiting events; the ledger counts them as lost.
    pub(crate) fn clear(&mut self) -> Amount {
        self.queues.iter_mut().for_each(Queue::clear);
        self.left()
    }

    /// Gets empty blocks for a lane.
    pub(crate) fn reuse(&mut self, lane: Lane, blocks: impl IntoIterator<Item = Block>) {
        self.queues[lane as usize].reuse(blocks);
    }

    /// A ticket among the callers that wait for room.
    pub(crate) fn queue_up(&mut self) -> u64 {
        self.last_ticket += 1;
        self.waiting.push_back(self.last_ticket);
        self.last_ticket
    }

    /// Whether it is the turn of this ticket, or of a caller without one. Switching threads for every event would be
    /// slow, so the running caller continues while there is room, unless a waiting caller missed its share.
    pub(crate) fn is_turn_of(&self, ticket: Option<u64>) -> bool {
        !self.in_turn || self.waiting.front().is_none_or(|first| Some(*first) == ticket)
    }

    /// A waiting caller missed its share of the room.
    pub(crate) fn missed_turn(&mut self) {
        self.in_turn = true;
    }

    /// Removes the ticket.
    pub(crate) fn leave(&mut self, ticket: u64) {
        self.in_turn &= self.waiting.front() != Some(&ticket);
        self.waiting.retain(|other| *other != ticket);
    }

    pub(crate) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }
}
