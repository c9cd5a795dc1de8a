//! SUBSCRIBE, and SUBACK, its answer.

use super::bytes::{Malformed, Reader, put_binary, put_length};
use super::property;
use crate::MqttVersion;
use bytes::{BufMut as _, BytesMut};

/// A subscription with QoS 1 to one topic filter.
pub(crate) fn put_subscribe(out: &mut BytesMut, id: u16, filter: &str, version: MqttVersion) {
    let properties = usize::from(version == MqttVersion::V5);
    out.put_u8(0x82);
    put_length(out, 2 + properties + 2 + filter.len() + 1);
    out.put_u16(id);
    if version == MqttVersion::V5 {
        out.put_u8(0);
    }
    put_binary(out, filter.as_bytes());
    out.put_u8(1);
}

/// The answer for one filter: the granted QoS, or a reason code of 128 or more.
pub(crate) fn read_suback(mut reader: Reader, version: MqttVersion) -> Result<(u16, u8), Malformed> {
    let id = reader.u16()?;
    if version == MqttVersion::V5 {
        property::read(&mut reader, |_, _| {})?;
    }
    let reason = reader.u8()?;
    if reader.is_empty() { Ok((id, reason)) } else { Err(reader.malformed("more reason codes than topic filters")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_subscription_is_that_of_the_specification() {
        for (version, bytes) in [
            (MqttVersion::V5, &b"\x82\x09\0\x01\0\0\x03a/#\x01"[..]),
            (MqttVersion::V311, b"\x82\x08\0\x01\0\x03a/#\x01"),
        ] {
            let mut out = BytesMut::new();
            put_subscribe(&mut out, 1, "a/#", version);
            assert_eq!(&out[..], bytes);
        }
    }

    #[test]
    fn its_answer_is_read() {
        let read = |bytes: &'static [u8], version| read_suback(Reader::new(Bytes::from_static(bytes)), version);
        assert_eq!(read(b"\0\x01\0\x87", MqttVersion::V5), Ok((1, 0x87)));
        assert_eq!(read(b"\0\x01\x01", MqttVersion::V311), Ok((1, 1)));
        assert!(read(b"\0\x01\0", MqttVersion::V5).is_err());
        assert!(read(b"\0\x01\x01\x01", MqttVersion::V311).is_err());
    }
}
