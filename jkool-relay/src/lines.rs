//! Splits bytes that arrive in pieces into lines. Pure.

use memchr::memchr;

/// The maximum length of a line.
pub(crate) const LONGEST: usize = 16 << 20;

/// The part of a longer line that is kept, to identify it.
const KEPT: usize = 1 << 10;

/// The line that is not complete yet, and its position.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The position of the next line, in bytes.
    offset: u64,
    rest: Vec<u8>,
    /// The number of bytes of this line that were left out, because it is too long.
    left_out: usize,
}

/// A line without its line break. A line that is too long is cut, and then is not an entity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The position after it.
    pub(crate) end: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Lines {
    /// Starts at an offset.
    pub(crate) fn from(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// The lines that end in `piece`, without blank ones.
    pub(crate) fn push(&mut self, mut piece: &[u8], lines: &mut Vec<Line>) {
        while let Some(end) = memchr(b'\n', piece) {
            self.keep(&piece[..end]);
            piece = &piece[end + 1..];
            lines.extend(self.take(1));
        }
        self.keep(piece);
    }

    /// The last line, if it has no line break.
    pub(crate) fn finish(&mut self) -> Option<Line> {
        self.take(0)
    }

    /// The number of bytes read so far.
    pub(crate) fn taken(&self) -> u64 {
        self.offset + (self.rest.len() + self.left_out) as u64
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > LONGEST || (self.left_out > 0 && self.rest.len() > KEPT) {
            self.left_out += self.rest.len() - KEPT;
            self.rest.truncate(KEPT);
            self.rest.shrink_to_fit();
        }
    }

    fn take(&mut self, line_break: u64) -> Option<Line> {
        self.offset = self.taken() + line_break;
        self.left_out = 0;
        let bytes = std::mem::take(&mut self.rest);
        let is_blank = bytes.trim_ascii().is_empty();
        (!is_blank).then_some(Line { end: self.offset, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LONGEST, Line, Lines};
    use proptest::{collection, prelude::any, proptest};

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_stands_where_it_stands() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let long = vec![b'x'; LONGEST + 1];
        for piece in [&long[..], b"yyy", b"z\nnext\n"] {
            lines.push(piece, &mut found);
        }
        let end = LONGEST as u64 + 6;
        assert_eq!(found[0], Line { end, bytes: vec![b'x'; KEPT] });
        assert_eq!(found[1], Line { end: end + 5, bytes: b"next".to_vec() });
        assert_eq!((lines.finish(), lines.taken()), (None, end + 5));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(texts in collection::vec("[a-c \n]{0,6}", 0..12), ends in any::<bool>()) {
            let text = texts.concat() + if ends { "\n" } else { "" };
            let (mut lines, mut found, mut expected) = (Lines::from(5), Vec::new(), Vec::new());
            texts.iter().for_each(|piece| lines.push(piece.as_bytes(), &mut found));
            if ends {
                lines.push(b"\n", &mut found);
            }
            found.extend(lines.finish());
            let mut end = 5;
            for line in text.split_inclusive('\n') {
                end += line.len() as u64;
                let line = line.trim_end_matches('\n');
                if !line.trim().is_empty() {
                    expected.push(Line { end, bytes: line.as_bytes().to_vec() });
                }
            }
            assert_eq!(found, expected);
            assert_eq!(lines.taken(), 5 + text.len() as u64);
        }
    }
}
