//! The path of an event into the queue: from a call to the shard of its thread.

use crate::emit::encode;
use crate::emit::line::{Line, Logged, Stamped};
use crate::emit::more::More;
use crate::emit::{clock, delivery_thread, host};
use crate::queue::admission::Offer;
use crate::queue::amount::Amount;
use crate::queue::block;
use crate::queue::blocks::Incoming;
use crate::queue::overflow::Admission;
use crate::queue::receipts::{Receipt, ReceiptId};
use crate::queue::reserve::Reserved;
use crate::queue::shared::Shared;
use crate::report::loss::LossReason;
use jkool_model::{Entity, Severity};
use std::sync::Arc;

/// The event was logged while this thread held a lock of the queue, for example by an allocator.
const RECURSION: Admission = Admission::Dropped(LossReason::Recursion);

/// How an event is queued: the shard, the receipt, and the reserved room.
struct Way<'r> {
    shard: usize,
    receipt: Option<ReceiptId>,
    reserved: Option<&'r mut Amount>,
}

impl Shared {
    /// Queues an event, with what an adapter adds.
    pub(crate) fn emit(&self, entity: Entity, more: More<'_>) -> Admission {
        self.emit_at(self.here(), entity, more)
    }

    /// The shard of this thread.
    pub(crate) fn here(&self) -> usize {
        self.shards.of_thread(host::thread_number())
    }

    /// The same, in this shard.
    pub(crate) fn emit_at(&self, shard: usize, entity: Entity, more: More<'_>) -> Admission {
        self.admit(Way { shard, receipt: None, reserved: None }, entity, more)
    }

    /// The same, with a receipt: returns the admission and the receipt.
    pub(crate) fn emit_tracked(&self, entity: Entity) -> (Admission, Arc<Receipt>) {
        self.emit_tracked_at(self.here(), entity, None)
    }

    /// The same, in this shard, with reserved room.
    pub(crate) fn emit_tracked_at(
        &self,
        shard: usize,
        entity: Entity,
        reserved: Option<&mut Reserved<'_>>,
    ) -> (Admission, Arc<Receipt>) {
        if self.shards.origin.look() {
            return (self.shards.origin.refuse(), Receipt::of_dropped(LossReason::Forked));
        }
        if self.shards.refuses_recursion() {
            return (RECURSION, Receipt::of_dropped(LossReason::Recursion));
        }
        let (id, receipt) = self.lock().ledger.receipts.add();
        let admission = self.admit(
            Way { shard, receipt: Some(id), reserved: reserved.map(|reserved| &mut reserved.amount) },
            entity,
            More::NOTHING,
        );
        if let Admission::Dropped(reason) = admission {
            self.lock().ledger.receipts.dropped(id, reason);
        }
        (admission, receipt)
    }

    /// The same, with reserved room.
    pub(crate) fn emit_reserved(&self, entity: Entity, reserved: &mut Reserved<'_>) -> Admission {
        self.admit(
            Way { shard: self.here(), receipt: None, reserved: Some(&mut reserved.amount) },
            entity,
            More::NOTHING,
        )
    }

    fn admit(&self, way: Way<'_>, mut entity: Entity, more: More<'_>) -> Admission {
        if self.shards.refuses_recursion() {
            return RECURSION;
        }
        let severity = encode::severity(&entity);
        if self.encoder.leaves(&entity) {
            more.add_to(entity.properties_mut());
            let weight = self.encoder.weight_of_entity(&entity);
            return self.offer(way, Incoming::Entity(entity), severity, weight);
        }
        encode::with_scratch(|json| match self.encoder.encode(entity, more, json) {
            Ok(shape) => {
                let weight = encode::weight(json.len()) + block::overhead(json.len());
                self.offer(way, Incoming::Encoded(shape, json), severity, weight)
            }
            Err(_) if self.shards.origin.look() => self.shards.origin.refuse(),
            Err(invalid) => {
                self.lock().invalid = Some(invalid);
                self.refuse(LossReason::Invalid);
                Admission::Dropped(LossReason::Invalid)
            }
        })
    }

    /// Queues a log line. Only without hooks, because they would not see it. The worker encodes it, unless it is
    /// behind.
    pub(crate) fn emit_line(&self, line: &Line<'_>) -> Admission {
        if self.shards.refuses_recursion() {
            return RECURSION;
        }
        let way = Way { shard: self.here(), receipt: None, reserved: None };
        let logged = || Logged { time: clock::timestamp().as_usec(), tid: host::current_tid() };
        let stamped = Stamped::new(line, logged);
        if self.shards[way.shard].is_behind() {
            return encode::with_scratch(|json| {
                let shape = self.encoder.encode_line(&stamped, &line.texts(), json);
                let weight = encode::weight(json.len()) + block::overhead(json.len());
                self.offer(way, Incoming::Encoded(shape, json), line.severity, weight)
            });
        }
        let weight = self.encoder.weight_of_line(&stamped, line.operation);
        self.offer(way, Incoming::Line(&stamped, line.texts()), line.severity, weight)
    }

    fn offer(&self, way: Way<'_>, incoming: Incoming<'_>, severity: Severity, weight: usize) -> Admission {
        let Way { shard, receipt, reserved } = way;
        // The worker must never wait for itself.
        let offer = Offer { incoming, severity, weight, receipt, may_wait: !delivery_thread::is_current() };
        let told = |evicted| self.lock().ledger.evicted(evicted);
        let (admission, wake) = match reserved {
            Some(reserved) => self.shards.offer_reserved(shard, offer, std::mem::take(reserved)),
            None => self.shards.offer(shard, offer, || self.wake.notify_one(), told),
        };
        if wake {
            self.wake.notify_one();
        }
        admission
    }

    /// Counts an event that was not created.
    pub(crate) fn refuse(&self, reason: LossReason) {
        if self.shards.origin.look() {
            self.shards.origin.refuse();
            return;
        }
        if self.shards.refuses_recursion() {
            return;
        }
        self.shards.refuse(self.here(), reason);
        // Waking the worker may allocate, and an allocator that logs would end up here again. The worker checks soon by
        // itself.
        if reason != LossReason::Recursion {
            self.wake.notify_one();
        }
    }
}
