//! The analyser of texts. Index, searches and live tail use the same one, so that they always agree.

use std::sync::LazyLock;
use tantivy::tokenizer::{AsciiFoldingFilter, TextAnalyzer, Token, TokenStream, Tokenizer};

/// Its name in the index.
pub(super) const WORDS: &str = "words";

/// The maximum length of a word. A longer one is split, so that data such as base64 does not create huge terms.
const LONGEST: usize = 64;

static ANALYSER: LazyLock<TextAnalyzer> = LazyLock::new(analyser);

/// Returns the analyser: words in lower case and without accents. Symbols, and letters of scripts without spaces
/// between words, are words of their own, so that a part of such a text is found as a phrase.
pub(super) fn analyser() -> TextAnalyzer {
    TextAnalyzer::builder(Words::default()).filter(AsciiFoldingFilter).build()
}

/// Returns the words of a text.
pub(crate) fn words_in(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut analyser = ANALYSER.clone();
    analyser.token_stream(text).process(&mut |token| words.push(token.text.clone()));
    words
}

#[derive(Debug, Clone, Default)]
struct Words(Token);

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.0.reset();
        WordStream { rest: text.char_indices().peekable(), token: &mut self.0 }
    }
}

struct WordStream<'a> {
    rest: std::iter::Peekable<std::str::CharIndices<'a>>,
    token: &'a mut Token,
}

/// The role of a character in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A part of a word.
    Letter,
    /// A word of its own.
    Single,
    /// A combining accent: part of a word, and left out.
    Accent,
    /// Not part of a word.
    Space,
}

fn role(c: char) -> Role {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Role::Letter } else { Role::Space };
    }
    match u32::from(c) {
        0x300..=0x36f | 0xfe00..=0xfe0f | 0x200d => Role::Accent,
        // Thai, Lao, Burmese, Khmer, Chinese, Japanese.
        0xe00..=0xeff
        | 0x1000..=0x109f
        | 0x1780..=0x17ff
        | 0x2e80..=0x2fdf
        | 0x3005..=0x3007
        | 0x3040..=0x31ff
        | 0x3400..=0x9fff
        | 0xf900..=0xfaff
        | 0xff66..=0xff9f
        | 0x20000..=0x3ffff => Role::Single,
        // Arrows, signs, emoji.
        0x2190..=0x2bff | 0x1f000..=0x1faff => Role::Single,
        _ if c.is_alphanumeric() => Role::Letter,
        _ => Role::Space,
    }
}

fn push_small(text: &mut String, c: char) {
    if c.is_ascii() {
        text.push(c.to_ascii_lowercase());
        return;
    }
    for small in c.to_lowercase() {
        match small {
            'ς' => text.push('σ'),
            small if role(small) == Role::Accent => {}
            small => text.push(small),
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        while let Some((from, c)) = self.rest.next() {
            let role_of_first = role(c);
            if matches!(role_of_first, Role::Space | Role::Accent) {
                continue;
            }
            self.token.offset_from = from;
            self.token.offset_to = from + c.len_utf8();
            push_small(&mut self.token.text, c);
            while role_of_first == Role::Letter && self.token.text.len() < LONGEST {
                let next = self.rest.next_if(|(_, c)| matches!(role(*c), Role::Letter | Role::Accent));
                let Some((at, c)) = next else { break };
                self.token.offset_to = at + c.len_utf8();
                if role(c) == Role::Letter {
                    push_small(&mut self.token.text, c);
                }
            }
            self.token.position = self.token.position.wrapping_add(1);
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::words_in;

    #[test]
    fn what_means_the_same_is_the_same_words() {
        for (one, other) in [
            ("Café ÄRGER", "cafe\u{301} arger"),
            ("İSTANBUL", "istanbul"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Order_7-b", "order 7 b"),
        ] {
            assert_eq!(words_in(one), words_in(other), "{one}");
        }
        assert_eq!(words_in("注文が失敗 🚀!"), ["注", "文", "が", "失", "敗", "🚀"]);
        assert_eq!(words_in("... -- \u{301}"), [""; 0]);
        assert_eq!(words_in(&"x".repeat(150)).len(), 3);
    }
}
