//! What is searched for in texts, as a person writes it.

use super::query::{every, not, prefix_end};
use super::schema::FIELDS;
use super::words::words_in;
use std::ops::Bound;
use tantivy::Term as IndexTerm;
use tantivy::query::{EmptyQuery, InvertedIndexRangeQuery, PhrasePrefixQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::IndexRecordOption;

/// Words and phrases, all of which must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// Words that follow each other.
    words: Vec<String>,
    /// Whether the last one only has to begin so.
    prefix: bool,
    /// Whether it must not be there.
    negated: bool,
}

/// So many words of the index may begin so, where a phrase ends in a beginning.
const BEGINNINGS: u32 = 10_000;

impl Search {
    /// Splits at white space, but not within `"…"`; a `*` at the end of a term means any word that begins so, a `-` before it
    /// that it must not be there.
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

    /// The words of `text`, one after the other.
    pub(crate) fn words(text: &str, begins: bool) -> Self {
        let words = words_in(text);
        Self(if words.is_empty() { Vec::new() } else { vec![Term { words, prefix: begins, negated: false }] })
    }

    /// The words of each term, whether the last one only has to begin so, and whether it must not be there.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (&[String], bool, bool)> {
        self.0.iter().map(|term| (&*term.words, term.prefix, term.negated))
    }

    /// As the index wants it. Who asks for no word at all finds nothing.
    pub(super) fn to_query(&self) -> Box<dyn Query> {
        if self.0.is_empty() {
            return Box::new(EmptyQuery);
        }
        let clause = |term: &Term| if term.negated { not(term.to_query()) } else { term.to_query() };
        every(self.0.iter().map(clause).collect())
    }

    /// The same question to a text that is at hand.
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
