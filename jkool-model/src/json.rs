//! The smallest parts of JSON, written straight to bytes: a text, a number, a list. They are the bytes that serde_json writes,
//! for the client's log lines too.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// How many bytes of a text are taken at once.
const CHUNK: usize = 32;

/// The room that [`text`] and [`int`] want, at most. They ask for it first and leave what else can happen to another function, as
/// a function that calls none saves no registers.
const ROOM: usize = CHUNK + 2;

#[inline]
fn has_room(out: &Vec<u8>) -> bool {
    out.capacity() - out.len() >= ROOM
}

/// Appends a text in quotes.
pub fn text(out: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    if text.len() > CHUNK || !has_room(out) {
        return long_text(out, text);
    }
    end_of_text(out, 1, text);
}

#[inline(never)]
fn long_text(out: &mut Vec<u8>, mut text: &[u8]) {
    out.reserve(text.len() + ROOM);
    out.push(b'"');
    while let Some((chunk, rest)) = text.split_first_chunk::<CHUNK>() {
        match is_plain(chunk) {
            true => out.extend_from_slice(chunk),
            false => escaped(out, chunk),
        }
        text = rest;
    }
    end_of_text(out, 0, text);
}

/// Appends up to a chunk, with 0 or 1 quotes before it and one behind it.
#[inline(always)]
fn end_of_text(out: &mut Vec<u8>, quotes: usize, text: &[u8]) {
    let start = out.len() + quotes;
    // Room of a fixed size, full of quotes: of these the ones stay that are needed.
    out.extend_from_slice(&[b'"'; ROOM]);
    let room = out.get_mut(start..start + text.len());
    match room.is_some_and(|room| copy::<true>(room, text)) {
        true => out.truncate(start + text.len() + 1),
        false => escaped_end(out, start, text),
    }
}

#[inline(never)]
fn escaped_end(out: &mut Vec<u8>, start: usize, rest: &[u8]) {
    out.truncate(start);
    escaped(out, rest);
    out.push(b'"');
}

/// Copies up to a chunk. Says whether all of it is plain, if that is asked.
#[inline(always)]
fn copy<const ASKED: bool>(room: &mut [u8], bytes: &[u8]) -> bool {
    match bytes.len() {
        16.. => ends::<16, ASKED>(room, bytes),
        8.. => ends::<8, ASKED>(room, bytes),
        4.. => ends::<4, ASKED>(room, bytes),
        2.. => ends::<2, ASKED>(room, bytes),
        1 => ends::<1, ASKED>(room, bytes),
        0 => true,
    }
}

/// Copies `N` to `2 * N` bytes as their first and their last `N`, which may overlap: copies of a known size take no call.
#[inline(always)]
fn ends<const N: usize, const ASKED: bool>(room: &mut [u8], bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else { return false };
    if let Some(room) = room.first_chunk_mut::<N>() {
        *room = *first;
    }
    if let Some(room) = room.last_chunk_mut::<N>() {
        *room = *last;
    }
    !ASKED || is_plain(first) & is_plain(last)
}

/// Whether it goes out as it is. Eight bytes are looked at as one number, and none of them ends the search early.
#[inline(always)]
fn is_plain<const N: usize>(bytes: &[u8; N]) -> bool {
    let mut found = 0;
    for part in bytes.chunks(8) {
        let mut eight = [b' '; 8];
        eight[..part.len()].copy_from_slice(part);
        found |= special(u64::from_le_bytes(eight));
    }
    found == 0
}

/// Not 0 when one of the eight bytes is special: the top bit of a byte is set when subtracting took it below zero.
#[inline(always)]
const fn special(eight: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let control = eight.wrapping_sub(EACH * 0x20);
    let quote = (eight ^ EACH * b'"' as u64).wrapping_sub(EACH);
    let backslash = (eight ^ EACH * b'\\' as u64).wrapping_sub(EACH);
    (control | quote | backslash) & !eight & EACH * 0x80
}

#[inline]
const fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Appends bytes of which some are special.
fn escaped(out: &mut Vec<u8>, mut bytes: &[u8]) {
    while let Some(at) = bytes.iter().position(|byte| is_special(*byte)) {
        let (run, rest) = bytes.split_at(at);
        out.extend_from_slice(run);
        if let Some((special, rest)) = rest.split_first() {
            escape(out, *special);
            bytes = rest;
        }
    }
    out.extend_from_slice(bytes);
}

fn escape(out: &mut Vec<u8>, special: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let letter = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        control => {
            let digits = [HEX[usize::from(control >> 4)], HEX[usize::from(control & 15)]];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digits[0], digits[1]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Appends the digits of a number, which are few.
#[inline]
fn short(out: &mut Vec<u8>, digits: &str) {
    let (start, digits) = (out.len(), digits.as_bytes());
    out.extend_from_slice(&[0; CHUNK]);
    if let Some(room) = out.get_mut(start..start + digits.len()) {
        copy::<false>(room, digits);
    }
    out.truncate(start + digits.len());
}

/// Appends a whole number.
pub fn int(out: &mut Vec<u8>, int: i64) {
    match has_room(out) {
        true => whole(out, int),
        false => int_into_more(out, int),
    }
}

#[inline(never)]
fn int_into_more(out: &mut Vec<u8>, int: i64) {
    out.reserve(ROOM);
    whole(out, int);
}

#[inline(always)]
fn whole(out: &mut Vec<u8>, int: i64) {
    const EIGHT: u64 = 100_000_000;
    let start = out.len() + usize::from(int < 0);
    out.extend_from_slice(&[b'-'; ROOM]);
    let int = int.unsigned_abs();
    let (high, low) = (int / EIGHT, int % EIGHT);
    let end = match high {
        0 => leading_digits(out, start, low),
        1..EIGHT => {
            let at = leading_digits(out, start, high);
            put_eight(out, at, eight_digits(low))
        }
        _ => {
            let at = leading_digits(out, start, high / EIGHT);
            let at = put_eight(out, at, eight_digits(high % EIGHT));
            put_eight(out, at, eight_digits(low))
        }
    };
    out.truncate(end);
}

/// Writes a number of up to eight digits without the zeros in front of it, and says where it ends. How many digits there are is
/// not read off them: what comes next need not wait for them then.
#[inline(always)]
fn leading_digits(out: &mut [u8], start: usize, int: u64) -> usize {
    let count = (int as u32).max(1).ilog10() + 1;
    put_eight(out, start, eight_digits(int) << (8 * (8 - count)));
    start + count as usize
}

#[inline(always)]
fn put_eight(out: &mut [u8], at: usize, digits: u64) -> usize {
    if let Some(room) = out.get_mut(at..at + 8) {
        room.copy_from_slice(&digits.to_be_bytes());
    }
    at + 8
}

const ZEROS: u64 = u64::from_be_bytes([b'0'; 8]);

/// The eight digits of a number, a byte for each. It is cut in two parts of four digits, both of them at once in two parts of
/// two, and these in single ones: `x * 5243 >> 19` is `x / 100`, and `x * 103 >> 10` is `x / 10`, for as many digits as there
/// are.
#[inline]
const fn eight_digits(int: u64) -> u64 {
    let fours = (int / 10_000) << 32 | int % 10_000;
    let hundreds = (fours * 5243) >> 19 & 0x7F_0000_007F;
    let twos = hundreds << 16 | (fours - hundreds * 100);
    let tens = (twos * 103) >> 10 & 0x0F_000F_000F_000F;
    let ones = tens << 8 | (twos - tens * 10);
    ones | ZEROS
}

/// Appends a whole number of any size, as a text of its digits.
pub(crate) fn digits(out: &mut Vec<u8>, int: i128) {
    text(out, &int.to_string());
}

/// Appends a float; what is no number for JSON as its word: `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub fn double(out: &mut Vec<u8>, double: f64) {
    match crate::value::non_finite(double) {
        Some(word) => text(out, word),
        None => short(out, zmij::Buffer::new().format_finite(double)),
    }
}

/// Appends a UUID in its usual form, in quotes.
pub(crate) fn uuid(out: &mut Vec<u8>, uuid: &Uuid) {
    let start = out.len() + 1;
    out.extend_from_slice(&[b'"'; Hyphenated::LENGTH + 2]);
    uuid.hyphenated().encode_lower(&mut out[start..start + Hyphenated::LENGTH]);
}

/// Appends a list, each item as `write` does it.
pub(crate) fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    let start = out.len();
    for item in items {
        out.push(b',');
        write(out, item);
    }
    enclose(out, start, *b"[]");
}

/// Puts what was appended from `start` on, each part behind a comma, between brackets. The first comma gives way to the
/// opening one, so that nobody asks for each part whether it is the first.
#[inline]
pub(crate) fn enclose(out: &mut Vec<u8>, start: usize, [open, close]: [u8; 2]) {
    match out.get_mut(start) {
        Some(comma) => *comma = open,
        None => out.push(open),
    }
    out.push(close);
}

/// A word of a list, in its quotes, padded so that it is copied with one instruction.
#[derive(Clone, Copy)]
pub(crate) struct Word([u8; Word::MAX], usize);

impl Word {
    const MAX: usize = 16;

    /// Of a text that needs no escape. A word that is too long does not compile.
    pub(crate) const fn new(quoted: &str) -> Self {
        let (quoted, mut padded, mut at) = (quoted.as_bytes(), [0; Self::MAX], 0);
        while at < quoted.len() {
            padded[at] = quoted[at];
            at += 1;
        }
        Self(padded, at)
    }

    /// Appends it.
    #[inline]
    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.1;
        out.extend_from_slice(&self.0);
        out.truncate(end);
    }
}
