//! Words that need no escaping, prepared with their quotes.

/// A quoted word, padded so that it can be copied at once.
#[derive(Debug)]
pub(crate) struct Quoted {
    pub(super) quoted: [u8; Quoted::MAX],
    pub(super) length: usize,
}

impl Quoted {
    const MAX: usize = 16;

    /// Creates it from a text that needs no escaping. A text that is too long is a compile error.
    pub(crate) const fn new(word: &str) -> Self {
        let (word, mut quoted, mut at) = (word.as_bytes(), [b'"'; Self::MAX], 0);
        while at < word.len() {
            quoted[at + 1] = word[at];
            at += 1;
        }
        assert!(at + 2 <= Self::MAX);
        Self { quoted, length: at + 2 }
    }
}
