//! Splits bytes that arrive in pieces into lines, and limits their length.

use memchr::memchr;

/// The maximum length of a line.
const LONGEST: usize = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct Splitter {
    rest: Vec<u8>,
    /// The current line is too long, and is skipped.
    skipping: bool,
}

/// A line, or the information that one was too long.
pub(super) type Line<'a> = Option<&'a [u8]>;

impl Splitter {
    /// Calls back with each line that ends in `piece`, until the first error.
    pub(super) fn push<E>(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = memchr(b'\n', piece) {
            let (line, rest) = (&piece[..end], &piece[end + 1..]);
            piece = rest;
            if std::mem::take(&mut self.skipping) {
                each(None)?;
            } else if self.rest.is_empty() {
                each(Some(line))?;
            } else {
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                each(Some(&whole))?;
            }
        }
        if !self.skipping {
            self.rest.extend_from_slice(piece);
            if self.rest.len() > LONGEST {
                (self.rest, self.skipping) = (Vec::new(), true);
            }
        }
        Ok(())
    }

    /// The last line, if it has no line break.
    pub(super) fn finish<E>(&mut self, mut each: impl FnMut(Line<'_>) -> Result<(), E>) -> Result<(), E> {
        let rest = std::mem::take(&mut self.rest);
        match std::mem::take(&mut self.skipping) {
            true => each(None),
            false if rest.is_empty() => Ok(()),
            false => each(Some(&rest)),
        }
    }

    /// The number of bytes of the incomplete line.
    pub(super) fn held(&self) -> usize {
        self.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Splitter};

    fn lines(pieces: &[&[u8]]) -> Vec<Option<String>> {
        let (mut splitter, mut found) = (Splitter::default(), Vec::new());
        let mut each = |line: super::Line<'_>| {
            found.push(line.map(|line| String::from_utf8_lossy(line).into_owned()));
            Ok::<(), ()>(())
        };
        for piece in pieces {
            splitter.push(piece, &mut each).expect("no error");
        }
        splitter.finish(&mut each).expect("no error");
        found
    }

    #[test]
    fn lines_come_out_whole_and_too_long_ones_are_told() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(lines(&[b"one\ntw", b"o\n\nthr", b"ee"]), [text("one"), text("two"), text(""), text("three")]);
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(lines(&[&long, b"x\nnext\n"]), [None, text("next")]);
        assert_eq!(lines(&[&long]), [None]);
    }
}
