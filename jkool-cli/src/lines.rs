//! Splits a body that arrives in pieces into lines.

/// Splits a body that arrives in pieces into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are complete with this piece, each with its line break.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        let complete = std::mem::replace(&mut self.rest, rest);
        complete.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_come_out_whole() {
        let mut lines = Lines::default();
        assert!(lines.push(b"one\ntw").len() == 1);
        assert!(lines.push(b"o").is_empty());
        assert_eq!(lines.push(b"\n\nthree"), [b"two\n".to_vec(), b"\n".to_vec()]);
    }
}
