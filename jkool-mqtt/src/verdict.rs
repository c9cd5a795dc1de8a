//! What an answer of the broker, or a missing one, means for a message.

use crate::packet::Malformed;
use jkool_transport::{Disposition, ErrorKind, Failure, TransportError};
use std::io;

pub(crate) const RETRY: Disposition = Disposition::Retry { after: None };

/// The outcome of a message, by the reason code of its PUBACK.
pub(crate) fn of_puback(reason: u8) -> Result<(), Failure> {
    let disposition = match reason {
        0..0x80 => return Ok(()),
        // By the specification, a packet that is too large ends the connection; mosquitto returns this code.
        0x95 => Disposition::TooLarge,
        0x99 => Disposition::Rejected,
        0x87 | 0x90 | 0x97 => Disposition::Misconfigured,
        _ => RETRY,
    };
    let failure = Failure::new(disposition, answer("the broker rejected the message", reason));
    Err(match disposition {
        Disposition::TooLarge | Disposition::Rejected => failure,
        // It may concern only this message, because of its topic or content.
        _ => failure.content_in_doubt(),
    })
}

/// The failure for a CONNACK with a reason code other than zero.
pub(crate) fn of_connack(reason: u8) -> Failure {
    let disposition = match reason {
        // Codes below 128 are from MQTT 3.1.1.
        3 | 0x80 | 0x83 | 0x88 | 0x89 | 0x9f => RETRY,
        _ => Disposition::Misconfigured,
    };
    let reason = match reason {
        1 => 0x84,
        2 => 0x85,
        3 => 0x88,
        4 => 0x86,
        5 => 0x87,
        other => other,
    };
    Failure::new(disposition, answer("the broker rejected the connection", reason))
}

/// The broker supports only QoS 0.
pub(crate) fn no_qos_1() -> Failure {
    let text = "the broker does not support QoS 1, which is needed to confirm delivery";
    Failure::new(Disposition::Misconfigured, TransportError::new(ErrorKind::Answer, text))
}

/// The failure when the broker closed the connection. `alone` says that a single message was in flight.
pub(crate) fn of_disconnect(reason: u8, alone: bool) -> Failure {
    let disposition = match reason {
        0x95 if alone => Disposition::TooLarge,
        0x87 | 0x8a | 0x8c | 0x8e | 0x90 | 0x97 | 0x9a..=0x9d => Disposition::Misconfigured,
        _ => RETRY,
    };
    Failure::new(disposition, answer("the broker closed the connection", reason))
}

/// The failure when the connection was lost.
pub(crate) fn broken(error: io::Error) -> Failure {
    let text = "the connection to the broker was lost";
    Failure::new(RETRY, TransportError::new(ErrorKind::Interrupted, text).with_source(error))
}

/// The failure for a malformed packet.
pub(crate) fn malformed(error: Malformed) -> Failure {
    let text = format!("the broker sent a malformed packet: {error}");
    Failure::new(RETRY, TransportError::new(ErrorKind::Interrupted, text).with_source(error))
}

/// The failure for an unexpected packet.
pub(crate) fn unexpected() -> Failure {
    let text = "the broker sent an unexpected packet";
    Failure::new(RETRY, TransportError::new(ErrorKind::Interrupted, text))
}

/// The outcome of a subscription, by the granted QoS or the reason code.
pub(crate) fn of_suback(reason: u8) -> Result<(), Failure> {
    match reason {
        0 => Err(no_qos_1()),
        1..0x80 => Ok(()),
        _ => Err(Failure::new(Disposition::Misconfigured, answer("the broker rejected the subscription", reason))),
    }
}

/// The failure for a missing answer.
pub(crate) fn late(what: &'static str) -> Failure {
    Failure::new(RETRY, TransportError::new(ErrorKind::Timeout, what))
}

pub(crate) fn too_large(size: Option<usize>, max: usize) -> Failure {
    let text = match size {
        Some(size) => format!("a packet of {size} bytes is larger than the broker's limit of {max}"),
        None => "larger than the limit of MQTT for packets".to_owned(),
    };
    Failure::new(Disposition::TooLarge, TransportError::new(ErrorKind::Other, text))
}

pub(crate) fn closed() -> Failure {
    Failure::new(RETRY, TransportError::new(ErrorKind::Closed, "the transport is closed"))
}

fn answer(what: &str, reason: u8) -> TransportError {
    TransportError::new(ErrorKind::Answer, format!("{what}: {} ({reason})", name(reason)))
}

/// The name of a reason code in the specification, shortened.
pub(crate) fn name(reason: u8) -> &'static str {
    match reason {
        0x00 => "normal disconnection",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8b => "server shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep alive timeout",
        0x8e => "session taken over by another client of the same identifier",
        0x8f => "topic filter invalid",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias invalid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9e => "shared subscriptions not supported",
        0x9f => "connection rate exceeded",
        0xa2 => "wildcard subscriptions not supported",
        _ => "unspecified error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_puback_says_what_to_do_with_the_message() {
        assert!(of_puback(0).is_ok());
        assert!(of_puback(0x10).is_ok(), "nobody has subscribed, and the broker has it");
        for (reason, expected, content) in [
            (0x80, RETRY, true),
            (0x83, RETRY, true),
            (0x87, Disposition::Misconfigured, true),
            (0x90, Disposition::Misconfigured, true),
            (0x91, RETRY, true),
            (0x95, Disposition::TooLarge, false),
            (0x97, Disposition::Misconfigured, true),
            (0x99, Disposition::Rejected, false),
        ] {
            let failure = of_puback(reason).expect_err("a refusal");
            let found = (failure.disposition, failure.maybe_rejected, failure.maybe_delivered);
            assert_eq!(found, (expected, content, false), "{reason:#x}");
            assert!(failure.error.to_string().contains(name(reason)), "{}", failure.error);
        }
    }

    #[test]
    fn reasons_of_both_versions_are_told_alike() {
        for (old, new) in [(1, 0x84), (2, 0x85), (3, 0x88), (4, 0x86), (5, 0x87)] {
            let (old, new) = (of_connack(old), of_connack(new));
            assert_eq!((old.disposition, old.error.to_string()), (new.disposition, new.error.to_string()));
        }
        assert_eq!(of_connack(0x86).disposition, Disposition::Misconfigured);
        assert_eq!(of_connack(0x89).disposition, RETRY);
    }

    #[test]
    fn only_a_message_that_was_alone_is_too_large_for_a_connection() {
        assert_eq!(of_disconnect(0x95, true).disposition, Disposition::TooLarge);
        assert_eq!(of_disconnect(0x95, false).disposition, RETRY);
        assert_eq!(of_disconnect(0x8b, true).disposition, RETRY);
        assert_eq!(of_disconnect(0x8e, true).disposition, Disposition::Misconfigured);
    }
}
