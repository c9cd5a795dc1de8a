//! The most frequent values of a text column. They are counted by their ordinals in each segment, and only those that
//! may be among the most frequent are read.

use super::span::SpanView;
use super::weights::{Weights, overlaps};
use crate::store::StoreError;
use crate::store::engine::Deadline;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use tantivy::columnar::StrColumn;
use tantivy::query::{Query, Weight};
use tantivy::{DocId, SegmentReader};

/// A segment with up to this number of values returns all of them.
pub(super) const EXACT: usize = 10_000;

/// Otherwise it returns this number of the most frequent ones, because reading values takes longer than counting them.
const CANDIDATES: usize = 1_000;

/// The `limit` most frequent values of `column` among the matches, most frequent first, with their counts.
pub(super) fn frequent(
    spans: &[SpanView],
    column: &str,
    limit: usize,
    weights: &mut Weights<'_, impl Fn(&Range<i64>) -> Result<Box<dyn Query>, StoreError>>,
    deadline: &Deadline,
) -> Result<Vec<(String, u64)>, StoreError> {
    let range = weights.range();
    let mut totals: HashMap<String, u64> = HashMap::new();
    for span in spans {
        for segment in span.segments.iter().filter(|segment| overlaps(segment, range)) {
            deadline.check()?;
            let reader = span.searcher.segment_reader(segment.ordinal);
            let Some(column) = reader.fast_fields().str(column)? else { continue };
            let counts = count(&column, weights.of(span, *segment)?, reader)?;
            let frequent = most(&counts, limit);
            let mut counts = frequent.iter().map(|(_, count)| u64::from(*count));
            let ordinals: Vec<u64> = frequent.iter().map(|(ordinal, _)| *ordinal as u64).collect();
            let add = |value: &[u8]| {
                let count = counts.next().unwrap_or_default();
                let value = String::from_utf8_lossy(value);
                match totals.get_mut(&*value) {
                    Some(total) => *total += count,
                    None => drop(totals.insert(value.into_owned(), count)),
                }
            };
            column.dictionary().sorted_ords_to_term_cb(&ordinals, add).map_err(|error| StoreError::io(&error))?;
        }
    }
    let mut totals: Vec<(String, u64)> = totals.into_iter().collect();
    let order = |(value, count): &(String, u64), (other, other_count): &(String, u64)| {
        other_count.cmp(count).then_with(|| value.cmp(other))
    };
    if limit < totals.len() {
        totals.select_nth_unstable_by(limit, order);
        totals.truncate(limit);
    }
    totals.sort_unstable_by(order);
    Ok(totals)
}

/// The count of each value of a segment, by its ordinal.
fn count(column: &StrColumn, weight: &dyn Weight, reader: &SegmentReader) -> Result<Vec<u32>, StoreError> {
    let mut counts = vec![0; column.num_terms()];
    let ordinals = column.ords();
    let mut add = |ordinal: u64| {
        if let Some(count) = counts.get_mut(ordinal as usize) {
            *count += 1;
        }
    };
    let is_single = !ordinals.get_cardinality().is_multivalue();
    let (mut first, mut several) = (Vec::new(), Vec::new());
    weight.for_each_no_score(reader, &mut |documents: &[DocId]| {
        if is_single {
            first.clear();
            first.resize(documents.len(), None);
            ordinals.first_vals(documents, &mut first);
            first.iter().flatten().for_each(|ordinal| add(*ordinal));
        } else {
            for document in documents {
                // A document that has a value twice counts once.
                several.clear();
                several.extend(ordinals.values_for_doc(*document));
                several.sort_unstable();
                several.dedup();
                several.iter().for_each(|ordinal| add(*ordinal));
            }
        }
    })?;
    Ok(counts)
}

/// The ordinals that may be among the `limit` most frequent, in order, with their counts.
fn most(counts: &[u32], limit: usize) -> Vec<(usize, u32)> {
    let mut most: Vec<(usize, u32)> = counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    let told = CANDIDATES.max(limit);
    if most.len() > EXACT.max(told) {
        most.select_nth_unstable_by_key(told, |(ordinal, count)| (Reverse(*count), *ordinal));
        most.truncate(told);
        most.sort_unstable();
    }
    most
}
