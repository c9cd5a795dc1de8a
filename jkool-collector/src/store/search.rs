//! What is searched for in messages, as a person writes it.

/// Words and phrases, all of which must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// Words that follow each other, in small letters.
    words: Vec<String>,
    /// Whether the last one only has to begin so.
    prefix: bool,
}

impl Search {
    /// Splits at white space, but not within `"…"`; a `*` at the end of a term means any word that begins so.
    pub(crate) fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        for (index, part) in text.split('"').enumerate() {
            let quoted = index % 2 == 1;
            let parts = if quoted { vec![part] } else { part.split_whitespace().collect() };
            for part in parts {
                let words = words_of(part);
                if !words.is_empty() {
                    terms.push(Term { words, prefix: !quoted && part.ends_with('*') });
                }
            }
        }
        Self(terms)
    }

    /// As FTS5 wants it; `None` when there is no word in it.
    pub(crate) fn to_fts(&self) -> Option<String> {
        // Only letters and digits are in a word, so no quote needs doubling.
        let term = |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" });
        Some(self.0.iter().map(term).collect::<Vec<_>>().join(" ")).filter(|terms| !terms.is_empty())
    }

    /// The same question to a text that is at hand.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let words = words_of(text);
        // Who asks for no word at all finds nothing, as in the store.
        !self.0.is_empty() && self.0.iter().all(|term| words.windows(term.words.len()).any(|window| term.is(window)))
    }
}

impl Term {
    fn is(&self, window: &[String]) -> bool {
        let Some((last, before)) = self.words.split_last() else { return true };
        let Some((found, found_before)) = window.split_last() else { return false };
        before == found_before && (found == last || (self.prefix && found.starts_with(last.as_str())))
    }
}

/// About as FTS5's `unicode61` does it: letters and digits, in small letters.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
