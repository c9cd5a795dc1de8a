//! PUBLISH, a message; sent with QoS 1.

use super::bytes::{MAX_LENGTH, Malformed, Reader, length_of_length, put_binary, put_length};
use super::property;
use crate::MqttVersion;
use bytes::{BufMut as _, Bytes, BytesMut};

const DUP: u8 = 0x08;
const QOS_1: u8 = 0x02;

/// A message to write.
#[derive(Clone, Copy)]
pub(crate) struct Publish<'a> {
    pub(crate) id: u16,
    pub(crate) is_resent: bool,
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
}

impl Publish<'_> {
    /// The size of the packet with its fixed header; `None` if it exceeds the maximum of MQTT.
    pub(crate) fn size(&self, version: MqttVersion) -> Option<usize> {
        let len = self.len(version);
        (len <= MAX_LENGTH).then(|| 1 + length_of_length(len) + len)
    }

    fn len(&self, version: MqttVersion) -> usize {
        let properties = usize::from(version == MqttVersion::V5);
        2 + self.topic.len() + 2 + properties + self.payload.len()
    }

    pub(crate) fn put(&self, out: &mut BytesMut, version: MqttVersion) {
        let len = self.len(version);
        out.reserve(len + 5);
        out.put_u8(0x30 | QOS_1 | if self.is_resent { DUP } else { 0 });
        put_length(out, len);
        put_binary(out, self.topic);
        out.put_u16(self.id);
        if version == MqttVersion::V5 {
            out.put_u8(0);
        }
        out.put_slice(self.payload);
    }
}

/// A message from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// `None` for a message without an acknowledgement (QoS 0).
    pub(crate) id: Option<u16>,
    pub(crate) is_resent: bool,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

impl Published {
    pub(crate) fn read(flags: u8, mut reader: Reader, version: MqttVersion) -> Result<Self, Malformed> {
        let has_id = match flags & 0x06 {
            0 => false,
            QOS_1 => true,
            // The subscription has at most QoS 1.
            _ => return Err(reader.malformed("a PUBLISH with a QoS other than 0 or 1")),
        };
        let topic = reader.text()?;
        let id = if has_id { Some(reader.u16()?) } else { None };
        if id == Some(0) {
            return Err(reader.malformed("a packet identifier of zero before"));
        }
        if version == MqttVersion::V5 {
            property::read(&mut reader, |_, _| {})?;
        }
        if topic.is_empty() {
            // Topic aliases were not enabled.
            return Err(reader.malformed("a PUBLISH without a topic"));
        }
        Ok(Self { id, is_resent: flags & DUP != 0, topic, payload: reader.rest() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(publish: Publish<'_>, version: MqttVersion) -> Vec<u8> {
        let mut out = BytesMut::new();
        publish.put(&mut out, version);
        assert_eq!(Some(out.len()), publish.size(version));
        out.to_vec()
    }

    #[test]
    fn a_message_is_that_of_the_specification() {
        let first = Publish { id: 10, is_resent: false, topic: b"a/b", payload: b"{}" };
        assert_eq!(bytes(first, MqttVersion::V5), b"\x32\x0a\0\x03a/b\0\x0a\0{}");
        assert_eq!(bytes(first, MqttVersion::V311), b"\x32\x09\0\x03a/b\0\x0a{}");
        let again = Publish { is_resent: true, ..first };
        assert_eq!(bytes(again, MqttVersion::V5), b"\x3a\x0a\0\x03a/b\0\x0a\0{}");
        let long = vec![b' '; 200];
        assert_eq!(bytes(Publish { payload: &long, ..first }, MqttVersion::V311)[..3], *b"\x32\xcf\x01");
    }

    #[test]
    fn what_was_written_is_read() {
        for version in [MqttVersion::V5, MqttVersion::V311] {
            let out = bytes(Publish { id: 7, is_resent: true, topic: "ä".as_bytes(), payload: b"{}" }, version);
            let read = Published::read(out[0] & 0x0f, Reader::new(Bytes::from(out[2..].to_vec())), version);
            let expected =
                Published { id: Some(7), is_resent: true, topic: "ä".into(), payload: Bytes::from_static(b"{}") };
            assert_eq!(read, Ok(expected));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let read = |flags, bytes: &'static [u8]| {
            Published::read(flags, Reader::new(Bytes::from_static(bytes)), MqttVersion::V5).map(|read| read.id)
        };
        assert_eq!(read(0, b"\0\x01a\0x"), Ok(None));
        for (flags, bytes) in
            [(4, &b"\0\x01a\0\x01\0"[..]), (2, b"\0\x01a\0\0\0"), (2, b"\0\0\0\x01\0"), (2, b"\0\x01a\0"), (2, b"")]
        {
            assert!(read(flags, bytes).is_err(), "{bytes:?}");
        }
    }
}
