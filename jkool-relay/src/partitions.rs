//! The partitions with records in flight, and the receipts of these records.

use crate::dead_letters::Outbox;
use crate::in_flight::{InFlight, Progress};
use crate::source::Position;
use crate::status::Counters;
use crate::verdict::{Verdict, verdict};
use jkool_client::{DeliveryReceipt, LossReason};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// What settles a record.
#[derive(Debug)]
pub(crate) enum Stage {
    Receipt(DeliveryReceipt),
    /// The dead letter with this number.
    Letter(u64),
    /// Nothing; the next start reads it again.
    Open,
}

#[derive(Debug)]
pub(crate) struct Partitions {
    by_number: BTreeMap<u64, InFlight<Stage>>,
    letters: Outbox,
    counters: Arc<Counters>,
    records: usize,
    bytes: usize,
    /// The client is shut down, so a rejection is not permanent any more.
    is_over: bool,
}

impl Partitions {
    pub(crate) fn new(letters: Outbox, counters: Arc<Counters>) -> Self {
        Self { by_number: BTreeMap::new(), letters, counters, records: 0, bytes: 0, is_over: false }
    }

    pub(crate) fn push(&mut self, position: Position, bytes: usize, stage: Stage) {
        self.records += 1;
        self.bytes += bytes;
        self.by_number.entry(position.partition).or_default().push(position.offset, bytes, stage);
        self.count();
    }

    pub(crate) fn records(&self) -> usize {
        self.records
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// From now on only delivered and spooled records are settled.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// Ready when records were settled, or when the client has failed.
    pub(crate) fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<Result<(), LossReason>> {
        let (mut settled, mut failed) = (Progress::default(), None);
        let Self { by_number, letters, counters, is_over, .. } = self;
        for flight in by_number.values_mut() {
            let progress = flight.settle(|stage, _| match is_settled(stage, context, letters, counters, *is_over) {
                Ok(is_settled) => is_settled,
                Err(reason) => {
                    failed = Some(reason);
                    false
                }
            });
            settled.records += progress.records;
            settled.bytes += progress.bytes;
        }
        self.counters.settled.fetch_add(settled.records as u64, Ordering::Relaxed);
        let is_some = settled.records > 0;
        self.subtract(&settled);
        match failed {
            Some(reason) if !self.is_over => Poll::Ready(Err(reason)),
            _ if is_some => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }

    /// The positions to commit, of partitions that have advanced.
    pub(crate) fn to_commit(&self) -> Vec<Position> {
        let positions = self.by_number.iter().filter_map(|(partition, flight)| {
            flight.to_commit().map(|offset| Position { partition: *partition, offset })
        });
        positions.collect()
    }

    /// These positions were committed.
    pub(crate) fn committed(&mut self, positions: &[Position]) {
        for position in positions {
            if let Some(flight) = self.by_number.get_mut(&position.partition) {
                flight.committed(position.offset);
                if flight.is_empty() && flight.to_commit().is_none() {
                    self.by_number.remove(&position.partition);
                }
            }
        }
    }

    /// Whether these partitions have no records in flight.
    pub(crate) fn are_idle(&self, partitions: &[u64]) -> bool {
        partitions.iter().all(|partition| self.by_number.get(partition).is_none_or(InFlight::is_empty))
    }

    /// Removes partitions, and returns their positions to commit. Another relay reads the records in flight again.
    pub(crate) fn release(&mut self, partitions: &[u64]) -> Vec<Position> {
        let mut positions = Vec::new();
        for partition in partitions {
            let Some(flight) = self.by_number.remove(partition) else { continue };
            positions.extend(flight.to_commit().map(|offset| Position { partition: *partition, offset }));
            let left = flight.left();
            self.counters.given_up.fetch_add(left.records as u64, Ordering::Relaxed);
            self.subtract(&left);
        }
        positions
    }

    fn subtract(&mut self, progress: &Progress) {
        self.records -= progress.records;
        self.bytes -= progress.bytes;
        self.count();
    }

    fn count(&self) {
        self.counters.in_flight.store(self.records as u64, Ordering::Relaxed);
        self.counters.bytes_in_flight.store(self.bytes as u64, Ordering::Relaxed);
    }
}

/// Whether a record is settled. Each receipt is polled until it is ready, only the oldest of a partition at a time.
fn is_settled(
    stage: &mut Stage,
    context: &mut Context<'_>,
    letters: &Outbox,
    counters: &Counters,
    is_over: bool,
) -> Result<bool, LossReason> {
    if let Stage::Receipt(receipt) = stage {
        let Poll::Ready(outcome) = pin!(receipt.durable()).poll(context) else { return Ok(false) };
        match verdict(outcome) {
            Verdict::Done => return Ok(true),
            Verdict::Dropped(_) if !is_over => {
                counters.dropped.fetch_add(1, Ordering::Relaxed);
                return Ok(true);
            }
            // The letter was queued before the receipt was completed.
            Verdict::DeadLetter if !is_over => *stage = Stage::Letter(letters.last()),
            Verdict::DeadLetter | Verdict::Dropped(_) => *stage = Stage::Open,
            Verdict::Open(reason) => {
                *stage = Stage::Open;
                return Err(reason);
            }
        }
    }
    Ok(match stage {
        Stage::Letter(number) => letters.is_written(*number),
        _ => false,
    })
}
