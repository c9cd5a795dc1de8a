//! Properties of a session that hold for every sequence of events.

use super::{Message, Session};
use crate::MqttVersion;
use crate::packet::ConnAck;
use crate::verdict;
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::Instant;

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Write,
    /// An acknowledgement of a message in flight, by its index.
    Acknowledge(usize),
    /// An acknowledgement of any identifier.
    Stray(u16),
    /// The connection ends, and another one begins.
    Reconnect {
        receive_maximum: u16,
        is_known: bool,
    },
    Refuse,
    Late,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1_usize..5).prop_map(Step::Push),
        Just(Step::Write),
        (0_usize..8).prop_map(Step::Acknowledge),
        any::<u16>().prop_map(Step::Stray),
        (1_u16..6, any::<bool>()).prop_map(|(receive_maximum, is_known)| Step::Reconnect { receive_maximum, is_known }),
        Just(Step::Refuse),
        Just(Step::Late),
    ]
}

fn ack(receive_maximum: u16, is_known: bool) -> ConnAck {
    ConnAck { reason: 0, session_present: is_known, receive_maximum, max_packet: 1000, max_qos: 1, keep_alive: None }
}

/// The packets that were written: whether each is a duplicate, its identifier and its number.
fn packets(out: &mut BytesMut) -> Vec<(bool, u16, usize)> {
    let mut packets = Vec::new();
    while !out.is_empty() {
        let len = usize::from(out[1]);
        let packet = out.split_to(2 + len);
        let number = std::str::from_utf8(&packet[8..]).expect("a number").parse().expect("a number");
        packets.push((packet[0] & 8 != 0, u16::from_be_bytes([packet[5], packet[6]]), number));
    }
    packets
}

proptest! {
    /// Each message has one outcome, and is delivered only if the broker acknowledged it. New messages are written in
    /// order, after those that are written again. No identifier is used twice at the same time. The broker's limit of
    /// messages in flight is kept.
    #[test]
    fn nothing_is_lost_and_nothing_is_made_up(steps in prop::collection::vec(step(), 1..80), start in any::<u16>()) {
        let timeout = Duration::from_secs(30);
        let mut session = Session::new(MqttVersion::V5, 5, timeout, Arc::default());
        session.next_id = start.max(1);
        session.connected(&ack(3, false));
        let (mut limit, mut is_known) = (3_usize, false);
        let (mut now, mut answers, mut out) = (Instant::now(), Vec::new(), BytesMut::new());
        // In flight on this connection, in order; acknowledged; written at least once.
        let (mut under_way, mut confirmed) = (Vec::<(u16, usize)>::new(), BTreeSet::new());
        let mut written = BTreeSet::new();
        for step in steps {
            match step {
                Step::Push(count) => {
                    let messages = (0..count).map(|_| {
                        let (answer, answered) = oneshot::channel();
                        answers.push((answered, None));
                        let payload = Bytes::from((answers.len() - 1).to_string());
                        Message { topic: Bytes::from_static(b"t"), payload, answer }
                    });
                    session.push(messages.collect());
                }
                Step::Write => {
                    session.write(&mut out, now);
                    for (is_resent, id, number) in packets(&mut out) {
                        let is_again = !written.insert(number);
                        prop_assert_eq!(is_resent, is_again && is_known);
                        prop_assert!(is_again || written.last() == Some(&number), "{} is late", number);
                        prop_assert!(under_way.iter().all(|(other, before)| *other != id && *before < number));
                        under_way.push((id, number));
                    }
                    prop_assert!(under_way.len() <= limit);
                }
                Step::Acknowledge(place) => {
                    if place < under_way.len() {
                        let (id, number) = under_way.remove(place);
                        session.acknowledged(id, 0);
                        confirmed.insert(number);
                    }
                }
                Step::Stray(id) => {
                    if under_way.iter().all(|(other, _)| *other != id) {
                        session.acknowledged(id, 0);
                    }
                }
                Step::Reconnect { receive_maximum, is_known: known } => {
                    session.broken(verdict::unexpected());
                    session.connected(&ack(receive_maximum, known));
                    under_way.clear();
                    (limit, is_known) = (usize::from(receive_maximum).min(5), known);
                }
                Step::Refuse => {
                    session.broken(verdict::unexpected());
                    session.refused(&verdict::of_connack(0x88));
                    session.connected(&ack(3, is_known));
                    under_way.clear();
                    limit = 3;
                }
                Step::Late => {
                    now += timeout;
                    if session.give_up(now) {
                        under_way.clear();
                    }
                }
            }
            for (number, (answered, answer)) in answers.iter_mut().enumerate() {
                match answered.try_recv() {
                    Ok(result) => {
                        prop_assert_eq!(result.is_ok(), confirmed.contains(&number));
                        let in_doubt = result.as_ref().is_err_and(|failure| failure.maybe_delivered);
                        prop_assert_eq!(in_doubt, result.is_err() && written.contains(&number));
                        *answer = Some(result.is_ok());
                    }
                    Err(TryRecvError::Empty) => prop_assert!(!confirmed.contains(&number)),
                    Err(TryRecvError::Closed) => prop_assert!(answer.is_some(), "{} has no answer", number),
                }
            }
        }
        let open = answers.iter().filter(|(_, answer)| answer.is_none()).count();
        prop_assert_eq!(session.is_empty(), open == 0);
    }
}
