//! The parts of packets: numbers, texts and lengths.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use std::fmt;

/// An error in a packet from the broker: what is wrong, and at which byte of the packet after its fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) what: &'static str,
    pub(crate) at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Malformed {}

/// Reads a packet from its front, without copying.
pub(crate) struct Reader {
    rest: Bytes,
    /// The position of its end in the packet.
    end: usize,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { end: bytes.len(), rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.end - self.rest.len() }
    }

    fn need(&self, bytes: usize) -> Result<(), Malformed> {
        if self.rest.len() < bytes { Err(self.malformed("the packet ends too early")) } else { Ok(()) }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.need(1)?;
        Ok(self.rest.get_u8())
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.need(2)?;
        Ok(self.rest.get_u16())
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.need(4)?;
        Ok(self.rest.get_u32())
    }

    /// A variable byte integer: one to four bytes with seven bits each.
    pub(crate) fn length(&mut self) -> Result<usize, Malformed> {
        match length(&self.rest) {
            Length::Is { value, bytes } => {
                self.rest.advance(bytes);
                Ok(value)
            }
            Length::Incomplete => Err(self.malformed("the packet ends too early")),
            Length::TooLong => Err(self.malformed("a length of more than four bytes")),
        }
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<Bytes, Malformed> {
        self.need(bytes)?;
        Ok(self.rest.split_to(bytes))
    }

    /// A reader for the next bytes.
    pub(crate) fn part(&mut self, bytes: usize) -> Result<Self, Malformed> {
        let rest = self.take(bytes)?;
        Ok(Self { rest, end: self.end - self.rest.len() })
    }

    pub(crate) fn binary(&mut self) -> Result<Bytes, Malformed> {
        let len = self.u16()?;
        self.take(len.into())
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let bytes = self.binary()?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(self.malformed("a text with invalid UTF-8 or U+0000 before")),
        }
    }

    pub(crate) fn rest(self) -> Bytes {
        self.rest
    }
}

/// The length at the front of `bytes`.
pub(crate) enum Length {
    Is { value: usize, bytes: usize },
    Incomplete,
    TooLong,
}

pub(crate) fn length(bytes: &[u8]) -> Length {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Length::Is { value, bytes: place + 1 };
        }
    }
    if bytes.len() < 4 { Length::Incomplete } else { Length::TooLong }
}

/// The maximum size of a packet after its fixed header.
pub(crate) const MAX_LENGTH: usize = 268_435_455;

pub(crate) fn put_length(out: &mut BytesMut, mut value: usize) {
    debug_assert!(value <= MAX_LENGTH);
    loop {
        #[expect(clippy::cast_possible_truncation, reason = "seven bits are left")]
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.put_u8(byte);
        }
        out.put_u8(byte | 0x80);
    }
}

/// The number of bytes that [`put_length`] writes.
pub(crate) fn length_of_length(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// Writes a text or other bytes with their length. Settings and topics longer than 65,535 bytes were rejected before.
pub(crate) fn put_binary(out: &mut BytesMut, bytes: &[u8]) {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.put_u16(len);
    out.put_slice(&bytes[..len.into()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_specification() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xff, 0xff, 0x7f]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (MAX_LENGTH, &[0xff, 0xff, 0xff, 0x7f]),
        ] {
            let mut out = BytesMut::new();
            put_length(&mut out, value);
            assert_eq!((&out[..], length_of_length(value)), (bytes, bytes.len()));
            assert_eq!(Reader::new(out.freeze()).length(), Ok(value));
        }
        let mut endless = Reader::new(Bytes::from_static(&[0xff; 5]));
        assert_eq!(endless.length(), Err(Malformed { what: "a length of more than four bytes", at: 0 }));
    }

    #[test]
    fn what_is_missing_is_told_with_its_place() {
        let mut reader = Reader::new(Bytes::from_static(&[0, 3, b'a', b'b']));
        assert_eq!(reader.text(), Err(Malformed { what: "the packet ends too early", at: 2 }));
        let mut reader = Reader::new(Bytes::from_static(&[0, 2, 0xc3, b'(']));
        assert!(reader.text().is_err_and(|error| error.what.contains("UTF-8")));
    }
}
