//! Words that JSON takes as they are, ready in their quotes.

/// A word in its quotes, padded so that it is copied at once.
#[derive(Debug)]
pub(crate) struct Quoted {
    pub(super) quoted: [u8; Quoted::MAX],
    pub(super) length: usize,
}

impl Quoted {
    const MAX: usize = 16;

    /// Of a text that needs no escape. One that is too long does not compile.
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
