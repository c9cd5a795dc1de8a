//! The smallest parts of JSON, written straight to bytes: a text, a number, a list. They are the bytes that serde_json writes,
//! for the client's log lines too.

/// How many bytes of a text are taken at once.
const CHUNK: usize = 32;

/// Appends a text in quotes.
pub fn text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    if rest.len() <= CHUNK {
        return last(out, rest, 1);
    }
    out.push(b'"');
    while rest.len() > CHUNK {
        let Some((chunk, tail)) = rest.split_first_chunk::<CHUNK>() else { break };
        match is_plain(chunk) {
            true => out.extend_from_slice(chunk),
            false => escaped(out, chunk),
        }
        rest = tail;
    }
    last(out, rest, 0);
}

/// Appends up to a chunk of a text and the closing quote, behind as many opening ones as `quotes`.
#[inline]
fn last(out: &mut Vec<u8>, bytes: &[u8], quotes: usize) {
    let start = out.len() + quotes;
    // Room of a fixed size, full of quotes: of these the ones stay that are needed.
    out.extend_from_slice(&[b'"'; CHUNK + 2]);
    let is_plain = match out.get_mut(start..start + bytes.len()) {
        Some(room) => copy_plain(room, bytes),
        None => false,
    };
    if !is_plain {
        out.truncate(start);
        escaped(out, bytes);
        return out.push(b'"');
    }
    out.truncate(start + bytes.len() + 1);
}

#[inline]
fn copy_plain(room: &mut [u8], bytes: &[u8]) -> bool {
    match bytes.len() {
        16.. => ends::<16>(room, bytes),
        8.. => ends::<8>(room, bytes),
        4.. => ends::<4>(room, bytes),
        2.. => ends::<2>(room, bytes),
        1 => ends::<1>(room, bytes),
        0 => true,
    }
}

/// Copies `N` to `2 * N` bytes as their first and their last `N`, which may overlap: copies of a known size take no call. Says
/// whether all are plain.
#[inline]
fn ends<const N: usize>(room: &mut [u8], bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else { return false };
    if let Some(room) = room.first_chunk_mut::<N>() {
        *room = *first;
    }
    if let Some(room) = room.last_chunk_mut::<N>() {
        *room = *last;
    }
    is_plain(first) & is_plain(last)
}

/// Whether it goes out as it is. Every byte is looked at, whatever the others are: so the compiler takes them all at once.
#[inline]
fn is_plain<const N: usize>(bytes: &[u8; N]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & !is_special(*byte))
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
        copy_plain(room, digits);
    }
    out.truncate(start + digits.len());
}

/// Appends a whole number.
#[inline]
pub fn int(out: &mut Vec<u8>, int: i64) {
    short(out, itoa::Buffer::new().format(int));
}

/// Appends a whole number of any size, as a text of its digits.
pub(crate) fn digits(out: &mut Vec<u8>, int: i128) {
    text(out, itoa::Buffer::new().format(int));
}

/// Appends a float; what is no number for JSON as its word: `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub fn double(out: &mut Vec<u8>, double: f64) {
    match crate::value::non_finite(double) {
        Some(word) => text(out, word),
        None => short(out, zmij::Buffer::new().format_finite(double)),
    }
}

/// Appends a UUID in its usual form, in quotes.
pub(crate) fn uuid(out: &mut Vec<u8>, uuid: &uuid::Uuid) {
    let mut quoted = [b'"'; 38];
    uuid.hyphenated().encode_lower(&mut quoted[1..37]);
    out.extend_from_slice(&quoted);
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
