//! CONNECT, which begins a connection, and CONNACK, the broker's answer.

use super::bytes::{Malformed, Reader, put_binary, put_length};
use super::property::{self, Properties};
use crate::MqttVersion;
use bytes::{BufMut as _, Bytes, BytesMut};
use std::time::Duration;

/// The content of a CONNECT.
pub(crate) struct Connect {
    pub(crate) version: MqttVersion,
    pub(crate) client_id: String,
    /// Makes the broker discard the client's session.
    pub(crate) clean: bool,
    /// How long the broker keeps the session after the connection. MQTT 5 only.
    pub(crate) session_expiry: Duration,
    pub(crate) keep_alive: u16,
    /// The maximum number of unacknowledged messages from the broker. MQTT 5 only.
    pub(crate) receive_maximum: u16,
    /// The maximum size of packets from the broker. MQTT 5 only.
    pub(crate) max_packet: usize,
    pub(crate) user: Option<(String, Bytes)>,
}

impl Connect {
    pub(crate) fn put(&self, out: &mut BytesMut) {
        let mut body = BytesMut::new();
        put_binary(&mut body, b"MQTT");
        body.put_u8(self.version.level());
        let flags = [(0x80 | 0x40, self.user.is_some()), (0x02, self.clean)];
        body.put_u8(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).sum());
        body.put_u16(self.keep_alive);
        if self.version == MqttVersion::V5 {
            let mut properties = Properties::default();
            let seconds = u32::try_from(self.session_expiry.as_secs()).unwrap_or(u32::MAX);
            properties.u32(property::SESSION_EXPIRY, seconds);
            properties.u16(property::RECEIVE_MAXIMUM, self.receive_maximum.max(1));
            properties.u32(property::MAXIMUM_PACKET_SIZE, u32::try_from(self.max_packet).unwrap_or(u32::MAX));
            properties.put(&mut body);
        }
        put_binary(&mut body, self.client_id.as_bytes());
        if let Some((user, password)) = &self.user {
            put_binary(&mut body, user.as_bytes());
            put_binary(&mut body, password);
        }
        out.put_u8(0x10);
        put_length(out, body.len());
        out.put_slice(&body);
    }
}

/// The broker's answer to a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnAck {
    /// Zero if the connection was accepted.
    pub(crate) reason: u8,
    /// Whether the broker kept the session.
    pub(crate) session_present: bool,
    /// The maximum number of unacknowledged messages to the broker.
    pub(crate) receive_maximum: u16,
    /// The maximum size of packets to the broker.
    pub(crate) max_packet: usize,
    pub(crate) max_qos: u32,
    /// Replaces the keep-alive of the CONNECT.
    pub(crate) keep_alive: Option<u16>,
}

impl ConnAck {
    pub(crate) fn read(mut reader: Reader, version: MqttVersion) -> Result<Self, Malformed> {
        let flags = reader.u8()?;
        if flags > 1 {
            return Err(reader.malformed("reserved flags of CONNACK before"));
        }
        let reason = reader.u8()?;
        let mut ack = Self {
            reason,
            session_present: flags == 1,
            receive_maximum: u16::MAX,
            max_packet: usize::MAX,
            max_qos: 2,
            keep_alive: None,
        };
        // A broker that supports only 3.1.1 rejects MQTT 5 in its own format, without properties.
        if version == MqttVersion::V5 && !reader.is_empty() {
            property::read(&mut reader, |id, value| match id {
                property::RECEIVE_MAXIMUM => ack.receive_maximum = u16::try_from(value).unwrap_or(u16::MAX),
                property::MAXIMUM_PACKET_SIZE => ack.max_packet = usize::try_from(value).unwrap_or(usize::MAX),
                property::MAXIMUM_QOS => ack.max_qos = value,
                property::SERVER_KEEP_ALIVE => ack.keep_alive = u16::try_from(value).ok(),
                _ => {}
            })?;
        }
        if ack.receive_maximum == 0 || ack.max_packet == 0 {
            return Err(reader.malformed("a limit of zero before"));
        }
        if reader.is_empty() { Ok(ack) } else { Err(reader.malformed("unexpected bytes after CONNACK")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(version: MqttVersion) -> Connect {
        Connect {
            version,
            client_id: "jk".into(),
            clean: version == MqttVersion::V311,
            session_expiry: Duration::from_secs(300),
            keep_alive: 60,
            receive_maximum: 10,
            max_packet: 65_536,
            user: Some(("u".into(), Bytes::from_static(b"pw"))),
        }
    }

    fn bytes(connect: &Connect) -> Vec<u8> {
        let mut out = BytesMut::new();
        connect.put(&mut out);
        out.to_vec()
    }

    #[test]
    fn a_connect_is_that_of_the_specification() {
        let v5 = b"\x10\x23\0\x04MQTT\x05\xc0\0\x3c\x0d\x11\0\0\x01\x2c\x21\0\x0a\x27\0\x01\0\0\0\x02jk\0\x01u\0\x02pw";
        assert_eq!(bytes(&connect(MqttVersion::V5)), v5);
        let v311 = b"\x10\x15\0\x04MQTT\x04\xc2\0\x3c\0\x02jk\0\x01u\0\x02pw";
        assert_eq!(bytes(&connect(MqttVersion::V311)), v311);
        let anonymous = Connect { user: None, ..connect(MqttVersion::V311) };
        assert_eq!(bytes(&anonymous), b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02jk");
    }

    fn read(bytes: &'static [u8], version: MqttVersion) -> Result<ConnAck, Malformed> {
        ConnAck::read(Reader::new(Bytes::from_static(bytes)), version)
    }

    #[test]
    fn an_answer_holds_the_limits_of_the_broker() {
        let ack = read(b"\x01\x00\x0d\x21\0\x14\x27\0\0\x04\0\x24\x01\x13\0\x1e", MqttVersion::V5).expect("a CONNACK");
        let limits = (ack.receive_maximum, ack.max_packet, ack.max_qos, ack.keep_alive);
        assert_eq!((ack.reason, ack.session_present, limits), (0, true, (20, 1024, 1, Some(30))));
        let ack = read(b"\x00\x05", MqttVersion::V311).expect("a CONNACK");
        let limits = (ack.receive_maximum, ack.max_packet, ack.max_qos, ack.keep_alive);
        assert_eq!((ack.reason, ack.session_present, limits), (5, false, (u16::MAX, usize::MAX, 2, None)));
        assert_eq!(read(b"\x00\x01", MqttVersion::V5).expect("an older broker's").reason, 1);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bytes in
            [&b""[..], b"\x00", b"\x02\x00", b"\x00\x00\x03\x21\0\0", b"\x00\x00\x00\x00", b"\x00\x00\x05\x27\0\0\0\0"]
        {
            assert!(read(bytes, MqttVersion::V5).is_err(), "{bytes:?}");
        }
        assert!(read(b"\x00\x00\x00", MqttVersion::V311).is_err());
    }
}
