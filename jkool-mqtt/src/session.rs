//! The messages of the transport until they are acknowledged, over any number of connections. Pure.

use crate::MqttVersion;
use crate::packet::{ConnAck, Publish};
use crate::stats::Counters;
use crate::verdict;
use bytes::{Bytes, BytesMut};
use jkool_transport::Failure;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The maximum number of bytes that are written ahead of the connection.
const AHEAD: usize = 128 << 10;

/// After this number of successive connections that ended without an acknowledgement, the messages in flight fail: one
/// of them may be the cause.
const BARREN: u32 = 2;

/// A message, and the receiver of its outcome.
pub(crate) struct Message {
    pub(crate) topic: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) answer: oneshot::Sender<Result<(), Failure>>,
}

/// A message that was written at least once.
struct Sent {
    id: u16,
    message: Message,
    /// When it was written for the first time.
    since: Instant,
}

pub(crate) struct Session {
    version: MqttVersion,
    max_in_flight: usize,
    timeout: Duration,
    counters: Arc<Counters>,
    waiting: VecDeque<Message>,
    /// Messages without an acknowledgement, oldest first.
    in_flight: VecDeque<Sent>,
    /// The number of these, from the front, that were written on the current connection.
    written: usize,
    next_id: u16,
    limits: Limits,
    /// The number of successive connections that ended without an acknowledgement.
    barren: u32,
}

/// The state of one connection.
struct Limits {
    in_flight: usize,
    max_packet: usize,
    /// The broker kept this session, so messages that are sent again are marked as duplicates.
    is_known: bool,
}

impl Session {
    pub(crate) fn new(version: MqttVersion, max_in_flight: u16, timeout: Duration, counters: Arc<Counters>) -> Self {
        let max_in_flight = max_in_flight.max(1).into();
        Self {
            version,
            max_in_flight,
            timeout,
            counters,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            written: 0,
            next_id: 1,
            limits: Limits { in_flight: 0, max_packet: 0, is_known: false },
            barren: 0,
        }
    }

    pub(crate) fn push(&mut self, messages: Vec<Message>) {
        self.waiting.extend(messages);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_empty()
    }

    /// Whether enough messages are waiting.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.max_in_flight
    }

    /// Whether exactly one message is in flight.
    pub(crate) fn is_alone(&self) -> bool {
        self.written == 1
    }

    /// Starts a new connection: messages without an acknowledgement are written again, before all others.
    pub(crate) fn connected(&mut self, ack: &ConnAck) {
        self.counters.connections.add(1);
        self.written = 0;
        self.limits = Limits {
            in_flight: self.max_in_flight.min(ack.receive_maximum.into()),
            max_packet: ack.max_packet,
            is_known: ack.session_present,
        };
    }

    /// Writes as many messages as the broker allows: first those of an earlier connection, then those that wait.
    pub(crate) fn write(&mut self, out: &mut BytesMut, now: Instant) {
        while out.len() < AHEAD && self.written < self.limits.in_flight {
            if self.written < self.in_flight.len() {
                self.write_again(out);
            } else if !self.write_first(out, now) {
                return;
            }
        }
    }

    fn write_again(&mut self, out: &mut BytesMut) {
        let sent = &self.in_flight[self.written];
        match put(&sent.message, sent.id, self.limits.is_known, self.limits.max_packet, self.version, out) {
            Ok(()) => {
                self.counters.resent.add(1);
                self.written += 1;
            }
            Err(failure) => {
                if let Some(sent) = self.in_flight.remove(self.written) {
                    self.fail(sent.message, failure.in_doubt());
                }
            }
        }
    }

    /// Returns false if there is no message, or none may be written now.
    fn write_first(&mut self, out: &mut BytesMut, now: Instant) -> bool {
        // Identifiers are assigned in sequence, so the first that may still be in use is that of the oldest message.
        if self.in_flight.front().is_some_and(|oldest| oldest.id == self.next_id) {
            return false;
        }
        let Some(message) = self.waiting.pop_front() else { return false };
        if message.answer.is_closed() {
            // The send was cancelled before anything of it was written.
            return true;
        }
        match put(&message, self.next_id, false, self.limits.max_packet, self.version, out) {
            Ok(()) => {
                self.counters.published.add(1);
                self.in_flight.push_back(Sent { id: self.next_id, message, since: now });
                self.written += 1;
                self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            }
            Err(failure) => self.fail(message, failure),
        }
        true
    }

    /// Handles a PUBACK. One for a message that was not written on this connection is ignored.
    pub(crate) fn acknowledged(&mut self, id: u16, reason: u8) {
        let place = self.in_flight.iter().take(self.written).position(|sent| sent.id == id);
        let Some(sent) = place.and_then(|place| self.in_flight.remove(place)) else {
            return self.counters.strays.add(1);
        };
        self.written -= 1;
        // Any answer is progress.
        self.barren = 0;
        match verdict::of_puback(reason) {
            Ok(()) => {
                self.counters.delivered.add(1);
                self.counters.unheard.add(usize::from(reason == 0x10));
                // The receiver is gone if the send was cancelled.
                let _listened = sent.message.answer.send(Ok(()));
            }
            Err(failure) => self.fail(sent.message, failure),
        }
    }

    /// The connection ended. All messages are kept for the next one, unless nothing is delivered or `failure` is
    /// permanent.
    pub(crate) fn broken(&mut self, failure: Failure) {
        self.written = 0;
        if self.is_empty() {
            self.barren = 0;
            return;
        }
        self.barren += 1;
        if self.barren >= BARREN || failure.disposition != verdict::RETRY {
            self.barren = 0;
            // The others follow the written packet that failed, and did not cause the failure.
            let wait = Failure::new(verdict::RETRY, failure.error.clone());
            self.fail_in_flight(&failure.content_in_doubt());
            self.fail_waiting(&wait);
        }
    }

    /// Could not connect: messages that were never written fail, and all others too if `failure` is permanent.
    pub(crate) fn refused(&mut self, failure: &Failure) {
        self.fail_waiting(failure);
        if failure.disposition != verdict::RETRY {
            self.fail_in_flight(failure);
        }
    }

    /// The deadline of the oldest message.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.in_flight.front().map(|oldest| oldest.since + self.timeout)
    }

    /// Fails all messages if the oldest one has reached its deadline. The connection is not used any more then.
    pub(crate) fn give_up(&mut self, now: Instant) -> bool {
        let is_late = self.deadline().is_some_and(|deadline| deadline <= now);
        if is_late {
            let failure = verdict::late("no acknowledgement of a message within the timeout");
            self.fail_waiting(&failure);
            self.fail_in_flight(&failure.content_in_doubt());
        }
        is_late
    }

    fn fail_in_flight(&mut self, failure: &Failure) {
        self.written = 0;
        for sent in std::mem::take(&mut self.in_flight) {
            self.fail(sent.message, failure.clone().in_doubt());
        }
    }

    fn fail_waiting(&mut self, failure: &Failure) {
        for message in std::mem::take(&mut self.waiting) {
            self.fail(message, failure.clone());
        }
    }

    fn fail(&self, message: Message, failure: Failure) {
        self.counters.failed.add(1);
        self.counters.in_doubt.add(usize::from(failure.maybe_delivered));
        let _listened = message.answer.send(Err(failure));
    }
}

fn put(
    message: &Message,
    id: u16,
    is_resent: bool,
    max: usize,
    version: MqttVersion,
    out: &mut BytesMut,
) -> Result<(), Failure> {
    let publish = Publish { id, is_resent, topic: &message.topic, payload: &message.payload };
    match publish.size(version) {
        Some(size) if size <= max => {
            publish.put(out, version);
            Ok(())
        }
        size => Err(verdict::too_large(size, max)),
    }
}

#[cfg(test)]
mod laws;
