//! A part of the queue, which some of the threads share. Pure, but for its lock.

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

/// A shard on cache lines of its own, since its threads write to it with every event.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard {
    state: Lock<State>,
    /// Told when the shard gets credit, or is closed, and a caller waits for it.
    pub(crate) room: Condvar,
    /// The worker is behind: who logs a line encodes it too.
    behind: AtomicBool,
    /// When the oldest event came, for who looks for the oldest of all; beyond all times when there is none.
    oldest: AtomicU64,
}

/// An event for which there is credit.
#[derive(Debug)]
pub(crate) struct Entrant<'a> {
    pub(crate) incoming: Incoming<'a>,
    pub(crate) lane: Lane,
    /// About how many bytes it takes.
    pub(crate) weight: usize,
    /// When it came, where somebody asks for the oldest.
    pub(crate) arrived: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

/// What stands behind the lock. The counts never go down, but for what was evicted.
#[derive(Debug)]
pub(crate) struct State {
    /// A queue a lane.
    queues: [Queue; Lane::COUNT],
    /// Room that was drawn and is not spent yet.
    credit: Amount,
    counts: Counts,
    /// Which flush comes next.
    generation: u64,
    /// What waits here and is not known to all.
    unannounced: Amount,
    /// What waits here and is.
    announced: Amount,
    /// So much is worth being announced.
    announce_at: Amount,
    closed: bool,
    /// Callers that wait for room.
    waiting: VecDeque<u64>,
    last_ticket: u64,
    /// One of them was woken for room that others had taken by then: now it is first come, first served.
    in_turn: bool,
}

/// What came in, and what became of it here. What left for the worker is the ledger's to count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) dropped: [u64; LossReason::COUNT],
    /// What came into memory, and was not evicted while it waited.
    pub(crate) entered: Amount,
}

/// What others are to learn of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The first event waits where none did.
    pub(crate) first: bool,
    /// So much more waits than was known.
    pub(crate) more: Amount,
}

/// An event that made room for another, when some flush has begun since it came, or somebody has its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) generation: u64,
    /// That of its shard when it went.
    pub(crate) before: u64,
    pub(crate) receipt: Option<ReceiptId>,
}

/// So much may wait at most that is not known to all.
const ANNOUNCE: Amount = Amount { events: 64, bytes: 64 << 10 };
const NEVER: u64 = u64::MAX;

/// Beyond all ages.
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

    /// None while another thread has it.
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

    /// When the oldest event came, if there is one. It may be gone when one looks.
    pub(crate) fn oldest(&self) -> Option<u64> {
        Some(self.oldest.load(Ordering::Relaxed)).filter(|arrived| *arrived != NEVER)
    }

    /// Makes known when the oldest event came.
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

    /// No event comes in any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// From here on events belong to the next flush.
    pub(crate) fn begin_generation(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// What an event needs beyond the credit that is here.
    pub(crate) fn lacks(&self, weight: usize) -> Amount {
        (Amount::one(weight) - self.credit).max(Amount::NOTHING)
    }

    /// Whether it can come in at once.
    #[inline]
    pub(crate) fn is_paid_for(&self, weight: usize) -> bool {
        self.credit.covers(Amount::one(weight)) && !self.closed && !self.in_turn
    }

    /// Takes so much out of the credit, if it is there.
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

    /// Gives up the credit that is not spent.
    pub(crate) fn take_credit(&mut self) -> Amount {
        std::mem::take(&mut self.credit)
    }

    /// Counts an event that is dropped as it comes.
    pub(crate) fn refuse(&mut self, reason: LossReason) {
        self.counts.accepted += 1;
        self.counts.dropped[reason as usize] += 1;
    }

    /// Takes in an event for which there is credit.
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

    /// What waits.
    pub(crate) fn waits(&self) -> Amount {
        self.queues.iter().fold(Amount::NOTHING, |sum, queue| sum + Amount::new(queue.len(), queue.weight()))
    }

    /// When the first of all came, or a little before.
    pub(crate) fn since(&self) -> Option<Since> {
        self.queues.iter().filter_map(Queue::since).min()
    }

    /// When the oldest of those came that make room first: less severe ones do so before more severe ones, of whatever age.
    fn oldest(&self) -> Option<u64> {
        let [priority, normal] = &self.queues;
        normal.oldest().or_else(|| Some(priority.oldest()? | SPARED))
    }

    /// Takes out of a lane what makes a batch of up to `max` events and about so many bytes with what is in `taken` already.
    /// Gives back by how much less waits than is known to all.
    pub(crate) fn take(&mut self, lane: Lane, max: usize, bytes: usize, taken: &mut Vec<Block>) -> Amount {
        self.queues[lane as usize].take(max, bytes, taken);
        self.left()
    }

    /// Something has left: what was announced is the oldest, and leaves first.
    fn left(&mut self) -> Amount {
        let waits = self.waits();
        self.unannounced = self.unannounced.min(waits);
        let announced = waits - self.unannounced;
        std::mem::replace(&mut self.announced, announced) - announced
    }

    /// Drops the oldest for others that come, and hands over its credit. The generation says which flush waits for it, if it is
    /// not the [current](Self::generation) one.
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

    /// All that waits is forgotten; it is for the ledger to say why.
    pub(crate) fn clear(&mut self) -> Amount {
        self.queues.iter_mut().for_each(Queue::clear);
        self.left()
    }

    /// Gets blocks for what comes in that lane.
    pub(crate) fn reuse(&mut self, lane: Lane, blocks: impl IntoIterator<Item = Block>) {
        self.queues[lane as usize].reuse(blocks);
    }

    /// A place among those who wait for room.
    pub(crate) fn queue_up(&mut self) -> u64 {
        self.last_ticket += 1;
        self.waiting.push_back(self.last_ticket);
        self.last_ticket
    }

    /// Whether it is the turn of who has that place, or none. Callers that hand over to each other event by event would do
    /// little else, so whoever runs goes on while there is room, unless somebody missed their share.
    pub(crate) fn is_turn_of(&self, ticket: Option<u64>) -> bool {
        !self.in_turn || self.waiting.front().is_none_or(|first| Some(*first) == ticket)
    }

    /// Who waits has missed room that was given for them too.
    pub(crate) fn missed_turn(&mut self) {
        self.in_turn = true;
    }

    /// Leaves that place.
    pub(crate) fn leave(&mut self, ticket: u64) {
        self.in_turn &= self.waiting.front() != Some(&ticket);
        self.waiting.retain(|other| *other != ticket);
    }

    pub(crate) fn is_waited_for(&self) -> bool {
        !self.waiting.is_empty()
    }
}
