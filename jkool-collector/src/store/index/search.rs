//! A text search as a user enters it.

use super::query::{every, not, prefix_end};
use super::schema::FIELDS;
use super::words::words_in;
use std::ops::Bound;
use tantivy::Term as IndexTerm;
use tantivy::query::{EmptyQuery, InvertedIndexRangeQuery, PhrasePrefixQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::IndexRecordOption;

/// Words and phrases, all of which must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// Consecutive words.
    words: Vec<String>,
    /// Whether the last word is a prefix.
    prefix: bool,
    /// Whether it must not occur.
    negated: bool,
}

/// The maximum number of indexed words with the prefix at the end of a phrase.
const BEGINNINGS: u32 = 10_000;

impl Search {
    /// Splits at white space, except in `"…"`. A `*` at the end of a term makes its last word a prefix; a `-` before a
    /// term means that it must not occur.
    pub(crate) fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let mut negated_phrase = false;
        for (index, part) in text.split('"').enumerate() {
            let quoted = index % 2 == 1;
            let parts = if quoted { vec![part] } else { part.split_whitespace().collect() };
            for part in parts {
                let words = words_in(part);
                if !words.is_empty() {
                    let negated = if quoted { negated_phrase } else { part.starts_with('-') };
                    terms.push(Term { words, prefix: !quoted && part.ends_with('*'), negated });
                }
            }
            negated_phrase = !quoted && (part == "-" || part.ends_with(" -"));
        }
        Self(terms)
    }

    /// Creates a search for consecutive words.
    pub(crate) fn words(text: &str, begins: bool) -> Self {
        let words = words_in(text);
        Self(if words.is_empty() { Vec::new() } else { vec![Term { words, prefix: begins, negated: false }] })
    }

    /// Returns the words of each term, whether the last one is a prefix, and whether the term must not occur.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (&[String], bool, bool)> {
        self.0.iter().map(|term| (&*term.words, term.prefix, term.negated))
    }

    /// Converts the search to a query of the index. A search without words matches nothing.
    pub(super) fn to_query(&self) -> Box<dyn Query> {
        if self.0.is_empty() {
            return Box::new(EmptyQuery);
        }
        let clause = |term: &Term| if term.negated { not(term.to_query()) } else { term.to_query() };
        every(self.0.iter().map(clause).collect())
    }

    /// Whether a text matches, with the same rules.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let words = words_in(text);
        let found = |term: &Term| words.windows(term.words.len()).any(|window| term.is(window));
        !self.0.is_empty() && self.0.iter().all(|term| found(term) != term.negated)
    }
}

impl Term {
    fn is(&self, window: &[String]) -> bool {
        let Some((last, before)) = self.words.split_last() else { return true };
        let Some((found, found_before)) = window.split_last() else { return false };
        before == found_before && (found == last || (self.prefix && found.starts_with(last.as_str())))
    }

    fn to_query(&self) -> Box<dyn Query> {
        let term = |word: &String| IndexTerm::from_field_text(FIELDS.text, word);
        let terms: Vec<_> = self.words.iter().map(term).collect();
        match (&*self.words, self.prefix) {
            ([word], true) => {
                let end = prefix_end(word).map(|end| IndexTerm::from_field_text(FIELDS.text, &end));
                let end = end.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(InvertedIndexRangeQuery::new(Bound::Included(term(word)), end))
            }
            ([word], false) => Box::new(TermQuery::new(term(word), IndexRecordOption::Basic)),
            (_, true) => {
                let mut query = PhrasePrefixQuery::new(terms);
                query.set_max_expansions(BEGINNINGS);
                Box::new(query)
            }
            (_, false) => Box::new(PhraseQuery::new(terms)),
        }
    }
}
