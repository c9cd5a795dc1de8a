//! Room that a task waits for, and holds for its event: the async side of admission.

use crate::emit::delivery_thread;
use crate::queue::amount::Amount;
use crate::queue::shards::Shards;
use crate::queue::shared::Shared;
use crate::report::loss::LossReason;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// The tasks that wait for room, in order.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    places: Mutex<VecDeque<Arc<Place>>>,
    /// Their number, readable without the lock.
    count: AtomicUsize,
}

/// The ticket of a waiting task.
#[derive(Debug)]
struct Place {
    weight: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Result<(), LossReason>>,
    waker: Option<Waker>,
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, answer: Result<(), LossReason>) -> Option<Waker> {
        let mut state = self.lock();
        state.answer = Some(answer);
        state.waker.take()
    }
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn are_there(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    /// Adds a ticket at the end, unless the queue is closed.
    fn queue_up(&self, weight: usize, is_closed: impl Fn() -> bool) -> Option<Arc<Place>> {
        let mut places = self.lock();
        if is_closed() {
            return None;
        }
        let place = Arc::new(Place { weight, state: Mutex::default() });
        places.push_back(Arc::clone(&place));
        self.count.store(places.len(), Ordering::SeqCst);
        Some(place)
    }

    /// Gives room to the first tasks, as far as there is room.
    fn serve(&self, draw: impl Fn(Amount) -> bool) {
        let mut wakers = Vec::new();
        let mut places = self.lock();
        while let Some(place) = places.front().filter(|place| draw(Amount::one(place.weight))) {
            wakers.extend(place.answer(Ok(())));
            places.pop_front();
        }
        self.count.store(places.len(), Ordering::SeqCst);
        drop(places);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Closes the queue for new events.
    pub(super) fn close(&self) {
        let mut places = self.lock();
        self.count.store(0, Ordering::SeqCst);
        let left = std::mem::take(&mut *places);
        drop(places);
        let wakers = left.iter().filter_map(|place| place.answer(Err(LossReason::AfterShutdown)));
        wakers.for_each(Waker::wake);
    }

    /// Removes a ticket; returns whether it already had room.
    fn leave(&self, place: &Arc<Place>) -> bool {
        let mut places = self.lock();
        places.retain(|other| !Arc::ptr_eq(other, place));
        self.count.store(places.len(), Ordering::SeqCst);
        place.lock().answer == Some(Ok(()))
    }
}

impl Shards {
    /// Gives room to waiting tasks. Unspent credit of shards is called in for them.
    pub(super) fn serve_tasks(&self) {
        if !self.waiters.are_there() {
            return;
        }
        self.waiters.serve(|needed| {
            self.budget.take(needed) || {
                self.reclaim();
                self.budget.take(needed)
            }
        });
    }
}

/// Reserved room. The part that is not used is given back.
pub(crate) struct Reserved<'s> {
    shared: &'s Shared,
    pub(crate) amount: Amount,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if self.amount != Amount::NOTHING && !self.shared.shards.origin.look() {
            self.shared.shards.budget.give(self.amount);
            self.shared.shards.deal();
        }
    }
}

/// Removes the ticket of a task that was cancelled.
struct Leave<'s>(&'s Shared, Arc<Place>, bool);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let Self(shared, place, answered) = self;
        if !*answered && !shared.shards.origin.look() && shared.shards.waiters.leave(place) {
            drop(Reserved { shared, amount: Amount::one(place.weight) });
        }
    }
}

/// Waits until there is room for an event of this weight.
pub(crate) async fn reserve(shared: &Shared, weight: usize) -> Result<Reserved<'_>, LossReason> {
    let shards = &shared.shards;
    if shards.origin.look() {
        return Err(LossReason::Forked);
    }
    let amount = Amount::one(weight);
    if !shards.waiters.are_there() {
        let drawn = shards[shared.here()].lock().take_reserved(amount)?;
        if drawn || shards.budget.take(amount) {
            return Ok(Reserved { shared, amount });
        }
    }
    // The delivery thread would wait for itself.
    if weight > shards.limits.bytes || delivery_thread::is_current() {
        return Err(LossReason::Overflow);
    }
    let closed = || shards.signals.is_closed();
    let place = shards.waiters.queue_up(weight, closed).ok_or(LossReason::AfterShutdown)?;
    let mut leave = Leave(shared, Arc::clone(&place), false);
    shards.budget.tighten();
    shards.serve_tasks();
    if shards.signals.press() {
        shared.wake.notify_one();
    }
    let answer = poll_fn(|context| {
        let mut state = place.lock();
        let Some(answer) = state.answer else {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        Poll::Ready(answer)
    })
    .await;
    leave.2 = true;
    answer.map(|()| Reserved { shared, amount })
}
