//! Measures for all values of a text column in one pass: the search engine's own aggregation has a collector for each
//! group and segment, which takes seconds for thousands of groups.

use super::frequent::frequent;
use super::sketches::{Sketch, Sketches};
use super::span::SpanView;
use super::weights::{Weights, overlaps};
use crate::store::engine::Deadline;
use crate::store::{Function, Key, Row, StoreError, StoreErrorKind};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use tantivy::columnar::{Column, DynamicColumn, NumericalType, StrColumn};
use tantivy::query::Query;
use tantivy::{DocId, SegmentReader};

/// The memory limit of percentiles, in bins of about 20 bytes.
const BINS: usize = 12_000_000;

/// The group of values that are not needed.
const NONE: u32 = u32::MAX;

/// If a segment has fewer than this number of values for each one that is needed, reading all of them is faster than
/// looking each up.
const SCANNED: usize = 64;

/// A measure of each group: a function of the numbers in a column.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) function: Function,
    pub(super) column: String,
}

/// Whether such measures are supported here.
pub(super) const fn can(function: Function) -> bool {
    matches!(
        function,
        Function::Count | Function::Sum | Function::Min | Function::Max | Function::Avg | Function::Percentile(_)
    )
}

/// The `limit` most frequent values of `column`, most frequent first, with their measures.
pub(super) fn grouped(
    spans: &[SpanView],
    column: &str,
    limit: usize,
    figures: &[Figure],
    weights: &mut Weights<'_, impl Fn(&Range<i64>) -> Result<Box<dyn Query>, StoreError>>,
    deadline: &Deadline,
) -> Result<Vec<Row>, StoreError> {
    let top = frequent(spans, column, limit, weights, deadline)?;
    let range = weights.range();
    let mut groups = Groups::new(top.into_iter().map(|(value, _)| value).collect(), figures);
    for span in spans {
        for segment in span.segments.iter().filter(|segment| overlaps(segment, range)) {
            deadline.check()?;
            let reader = span.searcher.segment_reader(segment.ordinal);
            let Some(values) = reader.fast_fields().str(column)? else { continue };
            let of_ordinal = groups.of_ordinals(&values)?;
            let mut values = Block::new(values.ords().clone());
            let opened = groups.numbers.iter().map(|numbers| numeric(reader, &numbers.column));
            let mut numbers: Vec<Block<f64>> =
                opened.map(|column| Ok(Block::new(column?))).collect::<Result<_, StoreError>>()?;
            let mut several = Vec::new();
            weights.of(span, *segment)?.for_each_no_score(reader, &mut |documents: &[DocId]| {
                values.read(documents);
                numbers.iter_mut().for_each(|numbers| numbers.read(documents));
                for (place, document) in documents.iter().enumerate() {
                    several.clear();
                    values.each(place, *document, |ordinal| {
                        several.extend(of_ordinal.get(ordinal as usize).filter(|group| **group != NONE));
                    });
                    // A document that has a value twice counts once.
                    several.sort_unstable();
                    several.dedup();
                    several.iter().for_each(|group| groups.add(*group, (place, *document), &numbers));
                }
            })?;
            if groups
                .numbers
                .iter()
                .any(|numbers| numbers.sketches.as_ref().is_some_and(|sketches| sketches.bins() > BINS))
            {
                return Err(StoreError::new(StoreErrorKind::TooSlow, "percentiles of too many groups"));
            }
        }
    }
    Ok(groups.into_rows(figures))
}

/// The values of a column in a block of documents; they are read together if each document has at most one, which is
/// faster.
struct Block<T: 'static> {
    column: Column<T>,
    first: Option<Vec<Option<T>>>,
}

impl<T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static> Block<T> {
    fn new(column: Column<T>) -> Self {
        let first = (!column.get_cardinality().is_multivalue()).then(Vec::new);
        Self { column, first }
    }

    fn read(&mut self, documents: &[DocId]) {
        if let Some(first) = &mut self.first {
            first.clear();
            first.resize(documents.len(), None);
            self.column.first_vals(documents, first);
        }
    }

    /// Calls back with each value of the document at a position in the block.
    fn each(&self, place: usize, document: DocId, tell: impl FnMut(T)) {
        match &self.first {
            Some(first) => first.get(place).copied().flatten().into_iter().for_each(tell),
            None => self.column.values_for_doc(document).for_each(tell),
        }
    }
}

/// The numbers of a column; an empty column if the segment has none.
fn numeric(reader: &SegmentReader, column: &str) -> Result<Column<f64>, StoreError> {
    for handle in reader.fast_fields().dynamic_column_handles(column)? {
        let opened = handle.open().map_err(|error| StoreError::io(&error))?;
        if let Some(DynamicColumn::F64(numbers)) = opened.coerce_numerical(NumericalType::F64) {
            return Ok(numbers);
        }
    }
    Ok(Column::build_empty_column(reader.max_doc()))
}

/// The groups, and the state of each by its number.
#[derive(Debug)]
struct Groups {
    values: Vec<String>,
    /// The ordinals of the values, which are looked up in order.
    sorted: Vec<u32>,
    counts: Vec<u64>,
    numbers: Vec<Numbers>,
}

/// The numbers of a column in each group.
#[derive(Debug)]
struct Numbers {
    column: String,
    sums: Vec<Sum>,
    /// If a percentile is needed.
    sketches: Option<Sketches>,
}

#[derive(Debug, Clone, Copy)]
struct Sum {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Sum {
    const NOTHING: Self = Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, number: f64) {
        self.count += 1;
        self.sum += number;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }

    /// `None` if there are no values.
    fn figure(&self, function: Function, sketch: Option<&Sketch>) -> Option<f64> {
        let some = |figure: f64| (self.count > 0).then_some(figure);
        match function {
            Function::Count => Some(self.count as f64),
            Function::Sum => Some(self.sum),
            Function::Min => some(self.min),
            Function::Max => some(self.max),
            Function::Avg => some(self.sum / self.count.max(1) as f64),
            Function::Percentile(percent) => {
                sketch.and_then(|sketch| sketch.percentile(percent)).map(|value| value.clamp(self.min, self.max))
            }
            Function::Distinct => None,
        }
    }
}

impl Groups {
    fn new(values: Vec<String>, figures: &[Figure]) -> Self {
        let mut sorted: Vec<u32> = (0..).take(values.len()).collect();
        sorted.sort_unstable_by_key(|group| values.get(*group as usize));
        let mut numbers: Vec<Numbers> = Vec::new();
        for figure in figures {
            let is_percentile = matches!(figure.function, Function::Percentile(_));
            let known = numbers.iter().position(|numbers| numbers.column == figure.column);
            let at = known.unwrap_or_else(|| {
                let sums = vec![Sum::NOTHING; values.len()];
                numbers.push(Numbers { column: figure.column.clone(), sums, sketches: None });
                numbers.len() - 1
            });
            if is_percentile {
                numbers[at].sketches.get_or_insert_default();
            }
        }
        Self { counts: vec![0; values.len()], values, sorted, numbers }
    }

    /// The group of each value of a segment.
    fn of_ordinals(&self, column: &StrColumn) -> Result<Vec<u32>, StoreError> {
        let failed = |error| StoreError::io(&error);
        let dictionary = column.dictionary();
        let mut groups = vec![NONE; column.num_terms()];
        let wanted =
            self.sorted.iter().filter_map(|group| Some((*group, self.values.get(*group as usize)?.as_bytes())));
        if column.num_terms() / SCANNED > self.sorted.len() {
            for (group, value) in wanted {
                let ordinal = dictionary.term_ord(value).map_err(failed)?;
                if let Some(place) = ordinal.and_then(|ordinal| groups.get_mut(ordinal as usize)) {
                    *place = group;
                }
            }
            return Ok(groups);
        }
        // Both are sorted.
        let mut wanted = wanted.peekable();
        let mut terms = dictionary.stream().map_err(failed)?;
        while terms.advance() {
            while wanted.next_if(|(_, value)| *value < terms.key()).is_some() {}
            if let Some((group, _)) = wanted.next_if(|(_, value)| *value == terms.key())
                && let Some(place) = groups.get_mut(terms.term_ord() as usize)
            {
                *place = group;
            }
        }
        Ok(groups)
    }

    /// Counts a document, at a position in the block that was read.
    fn add(&mut self, group: u32, (place, document): (usize, DocId), blocks: &[Block<f64>]) {
        if let Some(count) = self.counts.get_mut(group as usize) {
            *count += 1;
        }
        for (Numbers { sums, sketches, .. }, block) in self.numbers.iter_mut().zip(blocks) {
            let Some(sum) = sums.get_mut(group as usize) else { continue };
            block.each(place, document, |number| {
                sum.add(number);
                if let Some(sketches) = sketches {
                    sketches.add(group, number);
                }
            });
        }
    }

    fn into_rows(self, figures: &[Figure]) -> Vec<Row> {
        let groups = self.values.len();
        let known: HashMap<String, (Vec<Sum>, Option<Vec<Sketch>>)> = self
            .numbers
            .into_iter()
            .map(|numbers| {
                let sketches = numbers.sketches.map(|sketches| sketches.into_groups(groups));
                (numbers.column, (numbers.sums, sketches))
            })
            .collect();
        let figure = |figure: &Figure, group: usize| {
            let (sums, sketches) = known.get(&figure.column)?;
            let sketch = sketches.as_ref().and_then(|sketches| sketches.get(group));
            sums.get(group)?.figure(figure.function, sketch)
        };
        let mut rows: Vec<Row> = self
            .values
            .into_iter()
            .zip(self.counts)
            .enumerate()
            .map(|(group, (value, count))| Row {
                keys: vec![Key::Text(value)],
                count,
                values: figures.iter().map(|each| figure(each, group)).collect(),
            })
            .collect();
        // These counts are exact. Groups with equal counts stay in the order of their values.
        rows.sort_by_key(|row| Reverse(row.count));
        rows
    }
}
