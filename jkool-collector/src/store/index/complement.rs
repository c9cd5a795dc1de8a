//! Entities that do not match a query.

use tantivy::query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Entities that do not match a query.
///
/// tantivy's `MustNot` seeks a phrase to a document that it has already passed, which fails an assertion in tantivy
/// 0.27.
#[derive(Debug)]
pub(super) struct Complement(pub(super) Box<dyn Query>);

impl Clone for Complement {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for Complement {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(ComplementWeight(self.0.weight(scoring)?)))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.0.query_terms(visitor);
    }
}

struct ComplementWeight(Box<dyn Weight>);

impl Weight for ComplementWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut left = BitSet::with_max_value_and_full(reader.max_doc());
        let mut found = self.0.scorer(reader, boost)?;
        let mut document = found.doc();
        while document != TERMINATED {
            left.remove(document);
            document = found.advance();
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(left), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("not found by the negated query", 1.0))
    }
}
