//! The messages that a source has returned and that are not settled. Pure.

use crate::packet::Published;
use crate::source::MqttMessage;
use std::collections::VecDeque;

#[derive(Default)]
pub(crate) struct Inbox {
    /// In the order of their arrival.
    unsettled: VecDeque<Unsettled>,
    /// Messages that are settled but whose acknowledgement did not reach the broker, which will send them again.
    unacknowledged: VecDeque<Published>,
    next_offset: u64,
}

struct Unsettled {
    offset: u64,
    message: Published,
    /// Whether it was received on the current connection, and so can be acknowledged on it.
    is_current: bool,
}

impl Inbox {
    pub(crate) fn len(&self) -> usize {
        self.unsettled.len()
    }

    /// The connection ended. Messages without an acknowledgement are received again on the next one.
    pub(crate) fn disconnected(&mut self) {
        for unsettled in &mut self.unsettled {
            unsettled.is_current = false;
        }
    }

    /// The broker has discarded the session, and may reuse identifiers for other messages.
    pub(crate) fn forgotten(&mut self) {
        for unsettled in &mut self.unsettled {
            unsettled.message.id = None;
        }
        self.unacknowledged.clear();
    }

    /// Adds a message. It is returned unless it was returned before and has only been received again.
    pub(crate) fn take(&mut self, message: Published) -> Taken {
        let is_again = |before: &Published| message.is_resent && is_same(before, &message);
        if let Some(unsettled) =
            self.unsettled.iter_mut().find(|unsettled| !unsettled.is_current && is_again(&unsettled.message))
        {
            unsettled.is_current = true;
            return Taken::Again;
        }
        if let Some(place) = self.unacknowledged.iter().position(is_again) {
            self.unacknowledged.remove(place);
            return Taken::Settled(message.id);
        }
        let offset = self.next_offset;
        self.next_offset += 1;
        let new = MqttMessage { offset, topic: message.topic.clone(), payload: message.payload.clone() };
        self.unsettled.push_back(Unsettled { offset, message, is_current: true });
        Taken::New(new)
    }

    /// Settles all messages up to this one. Returns the identifiers to acknowledge, in order.
    pub(crate) fn settle(&mut self, offset: u64) -> Vec<u16> {
        let mut ids = Vec::new();
        while self.unsettled.front().is_some_and(|oldest| oldest.offset <= offset) {
            let Some(settled) = self.unsettled.pop_front() else { break };
            match settled.message.id {
                Some(id) if settled.is_current => ids.push(id),
                Some(_) => self.unacknowledged.push_back(settled.message),
                None => {}
            }
        }
        ids
    }
}

/// What to do with a received message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    New(MqttMessage),
    /// It was returned before, and is not settled.
    Again,
    /// It was settled before, and is acknowledged at once.
    Settled(Option<u16>),
}

fn is_same(one: &Published, other: &Published) -> bool {
    one.id.is_some() && (one.id, &one.topic, &one.payload) == (other.id, &other.topic, &other.payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn came(id: u16, is_resent: bool, payload: &'static str) -> Published {
        Published { id: Some(id), is_resent, topic: "t".into(), payload: Bytes::from_static(payload.as_bytes()) }
    }

    fn new(offset: u64, payload: &'static str) -> Taken {
        Taken::New(MqttMessage { offset, topic: "t".into(), payload: Bytes::from_static(payload.as_bytes()) })
    }

    #[test]
    fn what_is_settled_is_acknowledged_in_order() {
        let mut inbox = Inbox::default();
        for (offset, id) in [(0, 5), (1, 3), (2, 4)] {
            assert_eq!(inbox.take(came(id, false, "{}")), new(offset, "{}"));
        }
        assert_eq!(inbox.settle(1), [5, 3]);
        assert_eq!((inbox.settle(1), inbox.len()), (vec![], 1));
        assert_eq!(inbox.settle(9), [4]);
    }

    #[test]
    fn what_only_comes_again_is_not_handed_out_twice() {
        let mut inbox = Inbox::default();
        for id in 1..4 {
            inbox.take(came(id, false, "{}"));
        }
        inbox.disconnected();
        // The first is settled before it is received again, the second afterwards.
        assert!(inbox.settle(0).is_empty());
        assert_eq!(inbox.take(came(1, true, "{}")), Taken::Settled(Some(1)));
        assert_eq!(inbox.take(came(2, true, "{}")), Taken::Again);
        assert_eq!(inbox.settle(1), [2]);
        // Another message with the same identifier.
        assert_eq!(inbox.take(came(3, true, "{3}")), new(3, "{3}"));
        assert_eq!(inbox.take(came(3, false, "{}")), new(4, "{}"));
    }

    #[test]
    fn a_forgotten_session_leaves_nothing_to_acknowledge() {
        let mut inbox = Inbox::default();
        inbox.take(came(1, false, "{}"));
        inbox.disconnected();
        inbox.forgotten();
        assert_eq!(inbox.take(came(1, true, "{}")), new(1, "{}"));
        assert!(inbox.settle(0).is_empty());
        assert_eq!(inbox.settle(1), [1]);
    }
}
