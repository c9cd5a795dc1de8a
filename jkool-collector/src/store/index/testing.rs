//! A query for entities with a text that fulfils a condition. Each different text is tested once.

use crate::condition::Test;
use crate::field::FieldValue;
use tantivy::query::{BitSetDocSet, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, Score, SegmentReader};

/// A query for entities with a text in a column that fulfils a condition.
#[derive(Debug, Clone)]
pub(super) struct Testing {
    pub(super) column: String,
    pub(super) test: Test,
}

impl Query for Testing {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for Testing {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(column) = reader.fast_fields().str(&self.column)? else { return Ok(Box::new(EmptyScorer)) };
        let terms = column.dictionary();
        let mut wanted = BitSet::with_max_value(u32::try_from(terms.num_terms()).unwrap_or(u32::MAX));
        let mut stream = terms.stream()?;
        while stream.advance() {
            if std::str::from_utf8(stream.key()).is_ok_and(|term| self.test.holds(&FieldValue::Text(term.into()))) {
                wanted.insert(u32::try_from(stream.term_ord()).unwrap_or(u32::MAX));
            }
        }
        let mut found = BitSet::with_max_value(reader.max_doc());
        for document in 0..reader.max_doc() {
            if column.term_ords(document).any(|term| u32::try_from(term).is_ok_and(|term| wanted.contains(term))) {
                found.insert(document);
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(found), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("a text fulfils the test", 1.0))
    }
}
