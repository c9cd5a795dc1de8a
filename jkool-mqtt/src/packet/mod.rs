//! Encodes and decodes the MQTT packets that a publisher and a subscriber with QoS 1 need. Pure.

mod bytes;
mod connect;
mod property;
mod publish;
mod subscribe;

pub(crate) use self::bytes::Malformed;
pub(crate) use connect::{ConnAck, Connect};
pub(crate) use publish::{Publish, Published};
pub(crate) use subscribe::put_subscribe;

use self::bytes::{Length, Reader, length};
use crate::MqttVersion;
use ::bytes::{Buf as _, BufMut as _, BytesMut};

/// A packet from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    ConnAck(ConnAck),
    Publish(Published),
    /// The broker has accepted a message or, with a reason code of 128 or more, rejected it.
    PubAck {
        id: u16,
        reason: u8,
    },
    SubAck {
        id: u16,
        reason: u8,
    },
    PingResp,
    /// The broker closes the connection, with a reason. MQTT 5 only.
    Disconnect {
        reason: u8,
    },
}

/// Reads the next packet from the front of the buffer; `None` if it is not complete. For a packet larger than `max`,
/// this fails as soon as its length is known.
pub(crate) fn next(came: &mut BytesMut, max: usize, version: MqttVersion) -> Result<Option<Incoming>, Malformed> {
    match came.first() {
        // Only a PUBLISH has flags in the lower four bits.
        Some(0x20 | 0x30..=0x3f | 0x40 | 0x90 | 0xd0 | 0xe0) => {}
        Some(_) => return Err(Malformed { what: "a packet type that a broker must not send", at: 0 }),
        None => return Ok(None),
    }
    let (len, header) = match length(came.get(1..).unwrap_or_default()) {
        Length::Is { value, bytes } => (value, 1 + bytes),
        Length::Incomplete => return Ok(None),
        Length::TooLong => return Err(Malformed { what: "a length of more than four bytes", at: 0 }),
    };
    if header + len > max {
        return Err(Malformed { what: "a packet larger than the maximum packet size", at: 0 });
    }
    if came.len() < header + len {
        return Ok(None);
    }
    let first = came[0];
    came.advance(header);
    let reader = Reader::new(came.split_to(len).freeze());
    read(first >> 4, first & 0x0f, reader, version).map(Some)
}

fn read(kind: u8, flags: u8, mut reader: Reader, version: MqttVersion) -> Result<Incoming, Malformed> {
    if kind == 3 {
        return Ok(Incoming::Publish(Published::read(flags, reader, version)?));
    }
    match kind {
        2 => Ok(Incoming::ConnAck(ConnAck::read(reader, version)?)),
        4 => {
            let id = reader.u16()?;
            let reason = ending(reader, version)?;
            Ok(Incoming::PubAck { id, reason })
        }
        9 => {
            let (id, reason) = subscribe::read_suback(reader, version)?;
            Ok(Incoming::SubAck { id, reason })
        }
        13 if reader.is_empty() => Ok(Incoming::PingResp),
        14 if version == MqttVersion::V5 => Ok(Incoming::Disconnect { reason: ending(reader, version)? }),
        _ => Err(reader.malformed("a packet type that this version of MQTT does not have")),
    }
}

/// A reason code and properties, which are both optional in MQTT 5 and missing in 3.1.1.
fn ending(mut reader: Reader, version: MqttVersion) -> Result<u8, Malformed> {
    let mut reason = 0;
    if version == MqttVersion::V5 && !reader.is_empty() {
        reason = reader.u8()?;
        if !reader.is_empty() {
            property::read(&mut reader, |_, _| {})?;
        }
    }
    if reader.is_empty() { Ok(reason) } else { Err(reader.malformed("unexpected bytes after the packet")) }
}

pub(crate) fn put_puback(out: &mut BytesMut, id: u16) {
    out.put_slice(&[0x40, 2]);
    out.put_u16(id);
}

pub(crate) fn put_pingreq(out: &mut BytesMut) {
    out.put_slice(&[0xc0, 0]);
}

/// Closes a connection.
pub(crate) fn put_disconnect(out: &mut BytesMut) {
    out.put_slice(&[0xe0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], version: MqttVersion) -> Result<Vec<Incoming>, Malformed> {
        let (mut came, mut packets) = (BytesMut::from(bytes), Vec::new());
        while let Some(packet) = next(&mut came, 1 << 16, version)? {
            packets.push(packet);
        }
        Ok(packets)
    }

    #[test]
    fn packets_are_those_of_the_specification() {
        let bytes = b"\x20\x03\0\0\0\x40\x02\0\x01\x40\x03\0\x02\x10\x40\x04\0\x03\x87\0\x90\x04\0\x01\0\x01\xd0\0\xe0\0\xe0\x01\x8b";
        let packets = all(bytes, MqttVersion::V5).expect("packets");
        assert!(matches!(&packets[0], Incoming::ConnAck(ack) if ack.reason == 0));
        let expected = [
            Incoming::PubAck { id: 1, reason: 0 },
            Incoming::PubAck { id: 2, reason: 0x10 },
            Incoming::PubAck { id: 3, reason: 0x87 },
            Incoming::SubAck { id: 1, reason: 1 },
            Incoming::PingResp,
            Incoming::Disconnect { reason: 0 },
            Incoming::Disconnect { reason: 0x8b },
        ];
        assert_eq!(packets[1..], expected);
    }

    #[test]
    fn what_a_broker_may_not_send_is_refused() {
        for bytes in [
            &b"\x10\0"[..],
            b"\x50\x02\0\x01",
            b"\xc0\0",
            b"\xd0\x01\0",
            b"\xd1\0",
            b"\x40\x01\0",
            b"\xf0\0",
            b"\x40\xff\xff\xff\xff",
            b"\x40\x80\x80\x80\x01",
        ] {
            assert!(all(bytes, MqttVersion::V5).is_err(), "{bytes:?}");
        }
        assert!(all(b"\xe0\0", MqttVersion::V311).is_err());
        assert!(all(b"\x40\x03\0\x01\0", MqttVersion::V311).is_err());
    }

    #[test]
    fn what_is_written_is_that_of_the_specification() {
        let mut out = BytesMut::new();
        put_puback(&mut out, 258);
        put_pingreq(&mut out);
        put_disconnect(&mut out);
        assert_eq!(&out[..], b"\x40\x02\x01\x02\xc0\0\xe0\0");
    }

    /// Bytes that are more often a packet than random bytes.
    fn nearly_packets() -> impl Strategy<Value = Vec<u8>> {
        let packet = (any::<u8>(), prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..40), -2_i8..3);
        prop::collection::vec(packet, 0..6).prop_map(|packets| {
            let bytes = packets.into_iter().flat_map(|(first, body, wrong)| {
                let len = u8::try_from(body.len()).expect("short").saturating_add_signed(wrong);
                [vec![first, len], body].concat()
            });
            bytes.collect()
        })
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly_packets()]) {
            for version in [MqttVersion::V5, MqttVersion::V311] {
                drop(all(&bytes, version));
            }
        }

        #[test]
        fn pieces_make_the_same_packets(bytes in nearly_packets(), pieces in prop::collection::vec(1_usize..7, 1..60)) {
            let (mut came, mut packets, mut rest) = (BytesMut::new(), Vec::new(), &bytes[..]);
            let mut refused = None;
            for piece in pieces.into_iter().chain([usize::MAX]) {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                came.put_slice(now);
                rest = later;
                while refused.is_none() {
                    match next(&mut came, 1 << 16, MqttVersion::V5) {
                        Ok(Some(packet)) => packets.push(packet),
                        Ok(None) => break,
                        Err(error) => refused = Some(error),
                    }
                }
            }
            match (all(&bytes, MqttVersion::V5), refused) {
                (Ok(expected), None) => prop_assert_eq!(packets, expected),
                (Err(expected), Some(refused)) => prop_assert_eq!(refused, expected),
                (whole, pieces) => prop_assert!(false, "{whole:?} and {pieces:?}"),
            }
        }
    }
}
