//! Writes JSON directly to bytes: the same bytes as serde_json, several times as fast. This crate uses it, and the client for
//! log lines.
//!
//! ```
//! use jkool_model::json::Json;
//! let mut line = Vec::new();
//! Json::begin(&mut line, 64).raw(b"{\"path\":").text("C:\\").raw(b",\"size\":").int(3).raw(b"}").end();
//! assert_eq!(line, br#"{"path":"C:\\","size":3}"#);
//! ```
//!
//! Two techniques make it fast. [`Json`] passes the position of the next byte by value, so it stays in a register, whereas the
//! length of a `Vec` would be written to memory for each comma. And short texts are copied in pieces of a fixed size, which
//! needs no call.

mod escape;
mod quoted;

use escape::{CHUNK, ESCAPED, copy, escape, is_plain};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

pub(crate) use quoted::Quoted;

/// The maximum size of a short text in quotes, and of a number.
const SHORT: usize = CHUNK + 2;

/// The number of bytes by which the buffer grows.
const ROOM: usize = 1024;

/// The 16 hexadecimal digits of a number.
///
/// ```
/// assert_eq!(&jkool_model::json::hex(0xbeef), b"000000000000beef");
/// ```
pub fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    digits[..8].copy_from_slice(&hex_of_half((number >> 32) as u32));
    digits[8..].copy_from_slice(&hex_of_half(number as u32));
    digits
}

/// Converts all eight digits at once, each in a byte of its own.
fn hex_of_half(number: u32) -> [u8; 8] {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let mut digits = u64::from(number);
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & (EACH * 0xf);
    let letters = (digits + EACH * 6) >> 4 & EACH;
    (digits + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// A writer that appends JSON to a buffer. Each method returns the writer with its new position.
#[derive(Debug)]
#[must_use = "what was written counts from `end` on"]
pub struct Json<'a> {
    /// Contains what was written up to `at`, and free room after it.
    bytes: &'a mut Vec<u8>,
    at: usize,
}

/// Appends a text in quotes.
pub fn text(out: &mut Vec<u8>, text: &str) {
    Json::begin(out, text.len() + SHORT).text(text).end();
}

/// Appends an integer.
pub fn int(out: &mut Vec<u8>, int: i64) {
    Json::begin(out, SHORT).int(int).end();
}

/// Appends a float; values that JSON cannot represent are written as texts: `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub fn double(out: &mut Vec<u8>, double: f64) {
    Json::begin(out, SHORT).double(double).end();
}

/// The texts for numbers that JSON cannot represent, as TNT4J and jkool-client-java-api write them.
pub(crate) fn non_finite(double: f64) -> Option<&'static str> {
    match double {
        double if double.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

impl<'a> Json<'a> {
    /// Starts writing at the end of `out`, with room for so many bytes. The buffer grows when needed.
    pub fn begin(out: &'a mut Vec<u8>, room: usize) -> Self {
        let at = out.len();
        out.resize(at + room, 0);
        Self { bytes: out, at }
    }

    /// Starts writing at the end of `out`, for an entity of the usual size.
    pub(crate) fn entity(out: &'a mut Vec<u8>) -> Self {
        Self::begin(out, ROOM)
    }

    /// Ends writing, and truncates the buffer to what was written.
    pub fn end(self) {
        self.bytes.truncate(self.at);
    }

    /// The current position.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    fn room(&mut self, size: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(self.at..self.at + size)
    }

    #[inline(always)]
    fn behind(self, size: usize) -> Self {
        Self { at: self.at + size, ..self }
    }

    #[inline(never)]
    fn more_room(self, size: usize) -> Self {
        self.bytes.resize(self.at + size + ROOM, 0);
        self
    }

    /// Writes bytes as they are.
    #[inline(always)]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        match self.room(bytes.len()) {
            Some(room) => room.copy_from_slice(bytes),
            None => {
                self = self.more_room(bytes.len());
                if let Some(room) = self.room(bytes.len()) {
                    room.copy_from_slice(bytes);
                }
            }
        }
        self.behind(bytes.len())
    }

    /// Writes a text in quotes.
    #[inline(always)]
    pub fn text(self, text: &str) -> Self {
        self.utf8(text.as_bytes())
    }

    /// Writes a text in quotes that is given by its bytes. They must be UTF-8, which is not checked.
    // Rare cases are handled by other functions, so that this one needs to save no registers.
    #[doc(hidden)]
    pub fn utf8(mut self, text: &[u8]) -> Self {
        match self.room(SHORT) {
            Some(room) if text.len() <= CHUNK => {
                let end = text.len() + 1;
                room[0] = b'"';
                room[end] = b'"';
                match copy::<true>(&mut room[1..end], text) {
                    true => self.behind(end + 1),
                    false => self.long_text(text),
                }
            }
            _ => self.long_text(text),
        }
    }

    #[inline(never)]
    fn long_text(mut self, mut text: &[u8]) -> Self {
        if self.room(text.len() + SHORT).is_none() {
            self = self.more_room(text.len());
        }
        let mut out = self.raw(b"\"");
        while let Some((chunk, rest)) = text.split_first_chunk::<CHUNK>() {
            out = match is_plain(chunk) {
                true => out.raw(chunk),
                false => out.escaped(chunk),
            };
            text = rest;
        }
        out.end_of_text(text).raw(b"\"")
    }

    #[inline(always)]
    fn end_of_text(mut self, text: &[u8]) -> Self {
        match self.room(text.len()).is_some_and(|room| copy::<true>(room, text)) {
            true => self.behind(text.len()),
            false => self.escaped(text),
        }
    }

    /// Writes up to a chunk that contains bytes to be escaped.
    #[inline(never)]
    fn escaped(mut self, text: &[u8]) -> Self {
        match self.room(ESCAPED) {
            Some(room) => {
                let size = escape(room, text);
                self.behind(size)
            }
            None => self.more_room(ESCAPED).escaped(text),
        }
    }

    /// Writes an integer.
    pub fn int(self, int: i64) -> Self {
        self.number(itoa::Buffer::new().format(int))
    }

    #[inline(always)]
    fn number(mut self, digits: &str) -> Self {
        let digits = digits.as_bytes();
        match self.room(digits.len()) {
            Some(room) => {
                copy::<false>(room, digits);
                self.behind(digits.len())
            }
            None => self.raw(digits),
        }
    }

    /// Writes an integer of any size, as a text of its digits.
    pub(crate) fn big_int(self, int: i128) -> Self {
        self.text(&int.to_string())
    }

    /// Writes a float; values that JSON cannot represent are written as texts: `"NaN"`, `"Infinity"`, `"-Infinity"`.
    pub fn double(self, double: f64) -> Self {
        if let Some(word) = non_finite(double) {
            return self.text(word);
        }
        self.number(zmij::Buffer::new().format_finite(double))
    }

    /// Writes a UUID in its usual form, in quotes.
    pub(crate) fn uuid(self, uuid: &Uuid) -> Self {
        const QUOTED: usize = Hyphenated::LENGTH + 2;
        let out = self.raw(&[b'"'; QUOTED]);
        let (start, end) = (out.at - QUOTED + 1, out.at - 1);
        uuid.hyphenated().encode_lower(&mut out.bytes[start..end]);
        out
    }

    /// Writes a word that is already quoted.
    #[inline(always)]
    pub(crate) fn quoted(self, Quoted { quoted, length }: &Quoted) -> Self {
        let start = self.at;
        Self { at: start + length, ..self.raw(quoted) }
    }

    /// Writes a list, with each item written by `write`.
    pub fn list<T>(self, items: impl Iterator<Item = T>, write: impl Fn(Self, T) -> Self) -> Self {
        let start = self.at;
        items.fold(self, |out, item| write(out.raw(b","), item)).enclose(start, *b"[]")
    }

    /// Puts what was written from `start` on, with a comma before each part, between brackets. The first comma is replaced by
    /// the opening bracket, so that no part needs to know whether it is the first.
    #[inline]
    pub(crate) fn enclose(self, start: usize, [open, close]: [u8; 2]) -> Self {
        let out = if self.at == start { self.raw(b",") } else { self };
        out.bytes[start] = open;
        out.raw(&[close])
    }
}
