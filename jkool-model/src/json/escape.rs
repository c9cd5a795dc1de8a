//! Copies a text, and finds and escapes special characters, without a branch or call for each byte.

/// The number of bytes of a text that are handled at once.
pub(super) const CHUNK: usize = 32;

/// The room that [`escape`] needs: six bytes for each byte of a chunk, and what it writes ahead.
pub(super) const ESCAPED: usize = 6 * CHUNK + 8;

/// Copies up to a chunk. Returns whether no byte of it needs escaping, if that is asked.
#[inline(always)]
pub(super) fn copy<const ASKED: bool>(room: &mut [u8], bytes: &[u8]) -> bool {
    match bytes.len() {
        16.. => ends::<16, ASKED>(room, bytes),
        8.. => ends::<8, ASKED>(room, bytes),
        4.. => ends::<4, ASKED>(room, bytes),
        2.. => ends::<2, ASKED>(room, bytes),
        1 => ends::<1, ASKED>(room, bytes),
        0 => true,
    }
}

/// Copies `N` to `2 * N` bytes as their first and their last `N`, which may overlap.
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

/// Whether no byte needs escaping. The search does not stop early, so that sixteen bytes are checked with one instruction, and
/// fewer as one number.
#[inline(always)]
pub(super) fn is_plain<const N: usize>(bytes: &[u8; N]) -> bool {
    if N >= 16 {
        return bytes.iter().fold(0, |found, byte| found | is_special(*byte) as u8) == 0;
    }
    let mut found = 0;
    for part in bytes.chunks(8) {
        let mut eight = [b' '; 8];
        eight[..part.len()].copy_from_slice(part);
        found |= special(u64::from_le_bytes(eight));
    }
    found == 0
}

/// Not 0 if one of the eight bytes is special: the top bit of a byte is set if the subtraction made it negative.
#[inline(always)]
const fn special(eight: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let control = eight.wrapping_sub(EACH * 0x20);
    let quote = (eight ^ (EACH * b'"' as u64)).wrapping_sub(EACH);
    let backslash = (eight ^ (EACH * b'\\' as u64)).wrapping_sub(EACH);
    (control | quote | backslash) & !eight & (EACH * 0x80)
}

const fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Copies up to a chunk to a buffer of [`ESCAPED`] bytes, with special bytes escaped. Returns the number of bytes written.
pub(super) fn escape(room: &mut [u8], text: &[u8]) -> usize {
    let mut at = 0;
    for part in text.chunks(8) {
        match part.first_chunk::<8>() {
            Some(eight) if is_plain(eight) => {
                room[at..at + 8].copy_from_slice(eight);
                at += 8;
            }
            // All eight bytes of an entry are copied; the next entry overwrites those that do not count.
            _ => part.iter().map(|byte| &FORMS[usize::from(*byte)]).for_each(|form| {
                room[at..at + 8].copy_from_slice(form);
                at += usize::from(form[7]);
            }),
        }
    }
    at
}

/// How each byte is written, at most six bytes; the last of the eight is the length.
static FORMS: [[u8; 8]; 256] = {
    let mut forms = [[0; 8]; 256];
    let mut byte = 0;
    while byte < forms.len() {
        forms[byte] = form(byte as u8);
        byte += 1;
    }
    forms
};

const fn form(byte: u8) -> [u8; 8] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        0..0x20 => return [b'\\', b'u', b'0', b'0', HEX[byte as usize >> 4], HEX[byte as usize & 15], 0, 6],
        _ => return [byte, 0, 0, 0, 0, 0, 0, 1],
    };
    [b'\\', letter, 0, 0, 0, 0, 0, 2]
}
