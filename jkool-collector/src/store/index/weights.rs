//! Queries that are prepared for the segments of some indexes.

use super::span::{Segment, SpanView};
use crate::store::StoreError;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use tantivy::query::{EnableScoring, Query, Weight};

/// The range of all times.
pub(crate) const ALWAYS: Range<i64> = i64::MIN..i64::MAX;

/// A query that is prepared for each index. For segments that lie completely in the time range, the condition for time
/// is left out.
pub(super) struct Weights<'a, F> {
    query: F,
    range: &'a Range<i64>,
    prepared: HashMap<(u64, bool), Box<dyn Weight>>,
}

impl<'a, F: Fn(&Range<i64>) -> Result<Box<dyn Query>, StoreError>> Weights<'a, F> {
    pub(super) fn new(query: F, range: &'a Range<i64>) -> Self {
        Self { query, range, prepared: HashMap::new() }
    }

    /// Returns the time range.
    pub(super) fn range(&self) -> &'a Range<i64> {
        self.range
    }

    pub(super) fn of(&mut self, span: &SpanView, segment: Segment) -> Result<&dyn Weight, StoreError> {
        let is_within = self.range.start <= segment.oldest && segment.youngest < self.range.end;
        Ok(match self.prepared.entry((span.number, is_within)) {
            Entry::Occupied(known) => &**known.into_mut(),
            Entry::Vacant(vacant) => {
                let query = (self.query)(if is_within { &ALWAYS } else { self.range })?;
                &**vacant.insert(query.weight(EnableScoring::disabled_from_searcher(&span.searcher))?)
            }
        })
    }
}

/// Whether a segment may contain entities in the time range.
pub(super) fn overlaps(segment: &Segment, range: &Range<i64>) -> bool {
    segment.oldest < range.end && segment.youngest >= range.start
}
