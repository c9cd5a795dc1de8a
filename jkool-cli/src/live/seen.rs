//! Remembers which events were returned, so that none is returned twice if two answers overlap.

use crate::item::Item;
use jkool_collector::EntityId;
use std::collections::{HashSet, VecDeque};

/// Events received within this time may be stored in another order, in microseconds.
const ORDER: i64 = 10_000_000;

/// The ids of returned events, as long as they may be received again.
#[derive(Debug)]
pub(super) struct Seen {
    ids: HashSet<EntityId>,
    by_receipt: VecDeque<(i64, EntityId)>,
    /// When the first new event was received, by the collector's clock; before that, when this started, by our clock.
    from: i64,
    /// When the newest event was received.
    until: Option<i64>,
}

impl Seen {
    /// Starts empty at this time, in microseconds.
    pub(super) fn since(now: i64) -> Self {
        Self { ids: HashSet::new(), by_receipt: VecDeque::new(), from: now, until: None }
    }

    /// Records an event, and returns whether it is new.
    pub(super) fn is_new(&mut self, item: &Item) -> bool {
        let is_new = self.ids.insert(item.id);
        if is_new {
            self.by_receipt.push_back((item.received().as_usec(), item.id));
        }
        is_new
    }

    /// New events have reached this time: events that are much older are not received again.
    pub(super) fn advance(&mut self, received: i64) {
        if self.until.is_none() {
            self.from = received;
        }
        let until = self.until.map_or(received, |until| until.max(received));
        self.until = Some(until);
        while let Some((_, id)) = self.by_receipt.front().filter(|(received, _)| *received < until - ORDER) {
            self.ids.remove(id);
            self.by_receipt.pop_front();
        }
    }

    /// All events received before this time were returned, or are older than wanted.
    pub(super) fn surely_until(&self) -> i64 {
        self.until.map_or(self.from, |until| self.from.max(until - ORDER))
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::item::Item;

    fn item(received: i64, sequence: u64) -> Item {
        let json = format!(r#"{{"id":"5-{sequence}","time-usec":5,"received-usec":{received},"entity":{{}}}}"#);
        Item::read(json.as_bytes()).expect("an item")
    }

    #[test]
    fn what_comes_twice_is_told_until_it_is_too_old_to_come_again() {
        // Our clock is an hour ahead of the collector's.
        let mut seen = Seen::since(3_600_000_000);
        assert_eq!(seen.surely_until(), 3_600_000_000);
        assert!(seen.is_new(&item(1, 1)) && !seen.is_new(&item(1, 1)) && seen.is_new(&item(1, 2)));
        seen.advance(5_000_000);
        assert_eq!(seen.surely_until(), 5_000_000);
        assert!(!seen.is_new(&item(1, 1)));
        for second in 1..1_000_u64 {
            let received = 5_000_000 + second as i64 * 1_000_000;
            assert!(seen.is_new(&item(received, 2 + second)));
            seen.advance(received);
            assert!(seen.ids.len() <= 13, "{}", seen.ids.len());
        }
        // A clock that jumps back makes no difference.
        seen.advance(1);
        assert_eq!(seen.surely_until(), 994_000_000);
    }
}
