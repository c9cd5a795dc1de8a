//! The properties of MQTT 5: numbers and texts, each after a byte with its identifier.

use super::bytes::{Malformed, Reader, put_length};
use bytes::{BufMut as _, BytesMut};

pub(crate) const SESSION_EXPIRY: u8 = 0x11;
pub(crate) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(crate) const MAXIMUM_QOS: u8 = 0x24;
pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;

/// Calls `number` with each numeric property, and skips the others, which are not needed here.
pub(crate) fn read(reader: &mut Reader, mut number: impl FnMut(u8, u32)) -> Result<(), Malformed> {
    let len = reader.length()?;
    let mut properties = reader.part(len)?;
    let mut seen = 0_u64;
    while !properties.is_empty() {
        let id = properties.u8()?;
        let value = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => u32::from(properties.u8()?),
            0x13 | 0x21..=0x23 => u32::from(properties.u16()?),
            0x02 | 0x11 | 0x18 | 0x27 => properties.u32()?,
            0x0b => {
                properties.length()?;
                continue;
            }
            0x03 | 0x08 | 0x12 | 0x15 | 0x1a | 0x1c | 0x1f => {
                properties.text()?;
                continue;
            }
            0x09 | 0x16 => {
                properties.binary()?;
                continue;
            }
            0x26 => {
                properties.text()?;
                properties.text()?;
                continue;
            }
            _ => return Err(properties.malformed("an unknown property before")),
        };
        if seen & (1 << id) != 0 {
            return Err(properties.malformed("a duplicate property before"));
        }
        seen |= 1 << id;
        number(id, value);
    }
    Ok(())
}

/// The properties of a packet to write.
#[derive(Default)]
pub(crate) struct Properties(BytesMut);

impl Properties {
    pub(crate) fn u16(&mut self, id: u8, value: u16) {
        self.0.put_u8(id);
        self.0.put_u16(value);
    }

    pub(crate) fn u32(&mut self, id: u8, value: u32) {
        self.0.put_u8(id);
        self.0.put_u32(value);
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        put_length(out, self.0.len());
        out.put_slice(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn numbers(bytes: &'static [u8]) -> Result<Vec<(u8, u32)>, Malformed> {
        let mut numbers = Vec::new();
        read(&mut Reader::new(Bytes::from_static(bytes)), |id, value| numbers.push((id, value)))?;
        Ok(numbers)
    }

    #[test]
    fn numbers_are_read_and_the_rest_is_passed_over() {
        let bytes =
            b"\x1b\x21\x00\x14\x24\x01\x26\x00\x01a\x00\x01b\x26\x00\x01a\x00\x01c\x1f\x00\x00\x27\x00\x00\x01\x00\xff";
        let expected = vec![(RECEIVE_MAXIMUM, 20), (MAXIMUM_QOS, 1), (MAXIMUM_PACKET_SIZE, 256)];
        assert_eq!(numbers(&bytes[..28]), Ok(expected));
        assert_eq!(numbers(b"\x00"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_property_is_refused() {
        assert!(numbers(b"\x02\x7e\x00").is_err_and(|error| error.what.contains("unknown")));
        assert!(numbers(b"\x04\x24\x01\x24\x01").is_err_and(|error| error.what.contains("duplicate")));
        assert!(numbers(b"\x02\x21\x00").is_err_and(|error| error.what.contains("early")));
        assert!(numbers(b"\x09\x24\x01").is_err_and(|error| error.what.contains("early")));
    }
}
