//! Finds the end of the last complete line in a file.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read at a time.
const PIECE: u64 = 64 << 10;

/// Returns where the last complete line ends, and the first byte of the rest of the file.
pub(super) fn end_of_lines(file: &mut (impl Read + Seek)) -> io::Result<(u64, Option<u8>)> {
    let len = file.seek(SeekFrom::End(0))?;
    let (mut end, mut first) = (len, None);
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok((start + at as u64 + 1, piece.get(at + 1).copied().or(first)));
        }
        (end, first) = (start, piece.first().copied());
    }
    Ok((0, first))
}

#[cfg(test)]
mod tests {
    use super::{PIECE, end_of_lines};
    use std::io::Cursor;

    #[test]
    fn finds_the_last_complete_line() {
        let long = "x".repeat(3 * PIECE as usize);
        for (text, expected) in [
            (String::new(), (0, None)),
            ("{}\n".to_owned(), (3, None)),
            ("{}\n{\"a".to_owned(), (3, Some(b'{'))),
            ("{".to_owned(), (0, Some(b'{'))),
            (format!("{{}}\n{{{long}"), (3, Some(b'{'))),
            (format!("{long}\n"), (3 * PIECE + 1, None)),
            (format!("a\nb{}", &long[..PIECE as usize - 1]), (2, Some(b'b'))),
        ] {
            assert_eq!(end_of_lines(&mut Cursor::new(&text)).expect("memory"), expected, "{} bytes", text.len());
        }
    }
}
