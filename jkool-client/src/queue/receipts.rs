//! Receipts, which report the outcomes of single events. Pure, except for the slots that they complete.

use crate::queue::completion::Completion;
use crate::queue::ledger::End;
use crate::queue::mark::{Mark, SegmentId, Slot};
use crate::report::loss::LossReason;
use crate::report::outcome::DeliveryOutcome;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The part of an event's entry that refers to its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReceiptId(NonZeroU32);

/// The receipts of events in flight.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    last: u32,
    waiting: HashMap<ReceiptId, Arc<Receipt>>,
    /// The receipts of events in the spool, where an event is identified by its position.
    by_slot: HashMap<(SegmentId, u32), ReceiptId>,
}

/// What the holder of a receipt waits for.
#[derive(Debug, Default)]
pub(crate) struct Receipt {
    /// Delivered, dropped, or left in the spool at the end.
    pub(crate) end: Completion<DeliveryOutcome>,
    /// The same, or written to the spool.
    pub(crate) durable: Completion<DeliveryOutcome>,
}

impl Receipt {
    /// The receipt of an event that was not admitted.
    pub(crate) fn of_dropped(reason: LossReason) -> Arc<Self> {
        let receipt = Arc::<Self>::default();
        receipt.fill(DeliveryOutcome::Dropped(reason));
        receipt
    }

    fn fill(&self, outcome: DeliveryOutcome) {
        self.durable.fill(outcome);
        self.end.fill(outcome);
    }
}

impl Receipts {
    /// Creates a receipt for an event that is about to be queued.
    pub(crate) fn add(&mut self) -> (ReceiptId, Arc<Receipt>) {
        loop {
            self.last = self.last.wrapping_add(1);
            let Some(id) = NonZeroU32::new(self.last).map(ReceiptId) else { continue };
            // After four billion receipts, old ones may still be open.
            if let Entry::Vacant(vacant) = self.waiting.entry(id) {
                return (id, Arc::clone(vacant.insert(Arc::default())));
            }
        }
    }

    /// An event was dropped by the overflow policy.
    pub(crate) fn dropped(&mut self, id: ReceiptId, reason: LossReason) {
        if let Some(receipt) = self.waiting.remove(&id) {
            receipt.fill(DeliveryOutcome::Dropped(reason));
        }
    }

    /// An event is durable now.
    pub(crate) fn spooled(&mut self, mark: &Mark, slot: Slot) {
        let Some(id) = mark.receipt else { return };
        if let Some(receipt) = self.waiting.get(&id) {
            receipt.durable.fill(DeliveryOutcome::Spooled);
            self.by_slot.insert((slot.segment, slot.index), id);
        }
    }

    /// Events have ended.
    pub(crate) fn ended(&mut self, marks: &[Mark], end: End) {
        if self.waiting.is_empty() {
            return;
        }
        for mark in marks {
            let place = mark.slot.map(|slot| (slot.segment, slot.index));
            let spooled = place.filter(|_| !self.by_slot.is_empty()).and_then(|place| self.by_slot.remove(&place));
            let Some(receipt) = mark.receipt.or(spooled).and_then(|id| self.waiting.remove(&id)) else { continue };
            receipt.fill(match end {
                End::Delivered => DeliveryOutcome::Delivered,
                End::Dropped(reason) => DeliveryOutcome::Dropped(reason),
            });
        }
    }

    /// The client has ended: events in the spool stay there, and all others were dropped.
    pub(crate) fn give_up(&mut self, reason: LossReason) {
        for id in std::mem::take(&mut self.by_slot).into_values() {
            if let Some(receipt) = self.waiting.remove(&id) {
                receipt.fill(DeliveryOutcome::Spooled);
            }
        }
        for receipt in std::mem::take(&mut self.waiting).into_values() {
            receipt.fill(DeliveryOutcome::Dropped(reason));
        }
    }
}
