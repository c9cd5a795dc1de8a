//! Groups and measures, by the search engine's aggregations.

use super::frequent::{EXACT, frequent};
use super::grouped::{Figure, can, grouped};
use super::query::{query, time_range, within};
use super::ranks::{self, Ranks};
use super::schema::{FIELDS, Place, number_column, text_column};
use super::span::SpanView;
use super::weights::{Weights, overlaps};
use crate::field::FieldName;
use crate::filter::Kind;
use crate::store::engine::{Aggregate, Deadline};
use crate::store::{Aggregation, Function, Group, Key, Measure, Row, StoreError, StoreErrorKind};
use jkool_model::{Severity, Timestamp};
use serde_json::{Value, json};
use std::ops::Range;
use tantivy::aggregation::agg_req::Aggregations;
use tantivy::aggregation::agg_result::{
    AggregationResult, AggregationResults, BucketEntries, BucketEntry, BucketResult, MetricResult,
};
use tantivy::aggregation::{
    AggContextParams, AggregationLimitsGuard, DistributedAggregationCollector, Key as IndexKey,
};
use tantivy::collector::Collector;
use tantivy::tokenizer::TokenizerManager;

/// The limits of an aggregation: memory in bytes, and groups.
const MEMORY: u64 = 256 << 20;
const GROUPS: u32 = 250_000;

/// The names of the groups, of the total count, and the prefix of measures in a request.
pub(super) const GROUP: &str = "g";
const ALL: &str = "n";

pub(crate) fn aggregate(
    spans: &[SpanView],
    ask: &Aggregate,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Row>, StoreError> {
    let Aggregation { groups, measures } = &ask.aggregation;
    let question = |range: &_| Ok(within(query(&ask.filter)?, time_range(range)));
    let mut weights = Weights::new(question, range);
    let mut request = request(spans, groups, measures)?;
    if let [Group::Field(name, limit), inner @ ..] = &**groups {
        // There are few kinds and severities.
        if is_text(spans, name) && !matches!(FIELDS.place(name.as_str()), Place::Kind | Place::Severity) {
            // First the most frequent values: the others need not be aggregated.
            let column = column(spans, name)?;
            if let (true, Some(figures)) = (inner.is_empty() && !measures.is_empty(), figures(spans, measures)) {
                return grouped(spans, &column, *limit, &figures, &mut weights, deadline);
            }
            let top = frequent(spans, &column, *limit, &mut weights, deadline)?;
            if top.is_empty() || (inner.is_empty() && measures.is_empty()) {
                let row = |(value, count)| Row { keys: vec![Key::Text(value)], count, values: Vec::new() };
                return Ok(top.into_iter().map(row).collect());
            }
            let values: Vec<&String> = top.iter().map(|(value, _)| value).collect();
            request[GROUP]["terms"]["include"] = json!(values);
        }
    }
    let request: Aggregations =
        serde_json::from_value(request).map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
    let limits = AggregationLimitsGuard::new(Some(MEMORY), Some(GROUPS));
    let context = AggContextParams::new(limits.clone(), TokenizerManager::default());
    let collector = DistributedAggregationCollector::from_aggs(request.clone(), context);
    let mut parts = Vec::new();
    for span in spans {
        for segment in span.segments.iter().filter(|segment| overlaps(segment, range)) {
            deadline.check()?;
            let reader = span.searcher.segment_reader(segment.ordinal);
            parts.push(collector.collect_segment(weights.of(span, *segment)?, segment.ordinal, reader)?);
        }
    }
    deadline.check()?;
    let results = collector.merge_fruits(parts)?;
    let ranks = Ranks::new(&results, measures);
    let results = results.into_final_result(request, limits)?;
    let mut rows = Vec::new();
    flatten(&results, Some(&ranks), &ask.aggregation, &mut Vec::new(), None, &mut rows);
    Ok(rows)
}

/// The request for the search engine: the innermost groups have the measures.
fn request(spans: &[SpanView], groups: &[Group], measures: &[Measure]) -> Result<Value, StoreError> {
    let Some((group, inner)) = groups.split_first() else {
        let mut figures = json!({ALL: {"value_count": {"field": "time"}}});
        for (index, measure) in measures.iter().enumerate() {
            if let Some(figure) = figure(spans, measure)? {
                figures[format!("m{index}")] = figure;
            }
        }
        for (name, request) in ranks::requests(measures) {
            figures[name] = request;
        }
        return Ok(figures);
    };
    let mut one = match group {
        Group::Time(width) => json!({"histogram": {"field": "time", "interval": width, "min_doc_count": 1}}),
        Group::Field(name, limit) => {
            let column = column(spans, name)?;
            json!({"terms": {"field": column, "size": limit, "segment_size": EXACT.max(*limit)}})
        }
    };
    if !inner.is_empty() || !measures.is_empty() {
        one["aggs"] = request(spans, inner, measures)?;
    }
    Ok(json!({GROUP: one}))
}

/// The column of a field's values: numbers if there are any, else texts.
fn column(spans: &[SpanView], name: &FieldName) -> Result<String, StoreError> {
    if !is_text(spans, name) {
        return Ok(number_column(name));
    }
    let none = || {
        StoreError::new(StoreErrorKind::NoSuchField, format!("can't group by {name}: nearly all values are distinct"))
    };
    text_column(name).ok_or_else(none)
}

fn is_text(spans: &[SpanView], name: &FieldName) -> bool {
    let has_numbers = || spans.iter().any(|span| span.names.has_numbers(name.as_str()));
    FIELDS.place(name.as_str()) != Place::Named || !has_numbers()
}

/// The measures as figures of numbers, if [`grouped`] supports all of them.
fn figures(spans: &[SpanView], measures: &[Measure]) -> Option<Vec<Figure>> {
    let of = |measure: &Measure| {
        let counts_texts = measure.function == Function::Count && is_text(spans, &measure.field);
        let figure = Figure { function: measure.function, column: number_column(&measure.field) };
        (can(measure.function) && !counts_texts).then_some(figure)
    };
    measures.iter().map(of).collect()
}

/// `None` for a percentile, which [`ranks`] requests.
fn figure(spans: &[SpanView], measure: &Measure) -> Result<Option<Value>, StoreError> {
    let field = match measure.function {
        Function::Distinct | Function::Count => column(spans, &measure.field)?,
        _ => number_column(&measure.field),
    };
    Ok(Some(match measure.function {
        Function::Count => json!({"value_count": {"field": field}}),
        Function::Sum => json!({"sum": {"field": field}}),
        Function::Min => json!({"min": {"field": field}}),
        Function::Max => json!({"max": {"field": field}}),
        Function::Avg => json!({"avg": {"field": field}}),
        Function::Percentile(_) => return Ok(None),
        Function::Distinct => json!({"cardinality": {"field": field}}),
    }))
}

/// Converts nested groups to rows.
fn flatten(
    results: &AggregationResults,
    ranks: Option<&Ranks>,
    ask: &Aggregation,
    keys: &mut Vec<Key>,
    count: Option<u64>,
    rows: &mut Vec<Row>,
) {
    let Some(group) = ask.groups.get(keys.len()) else {
        let figure = |(index, measure): (usize, &Measure)| match measure.function {
            Function::Percentile(_) => ranks?.value(index),
            _ => value(results, &format!("m{index}")),
        };
        let values = ask.measures.iter().enumerate().map(figure).collect();
        let count = count.unwrap_or_else(|| value(results, ALL).unwrap_or_default() as u64);
        rows.push(Row { keys: keys.clone(), count, values });
        return;
    };
    let mut each = |bucket: &BucketEntry| {
        keys.push(key(group, &bucket.key));
        let ranks = ranks.and_then(|ranks| ranks.inner(&bucket.key));
        flatten(&bucket.sub_aggregation, ranks, ask, keys, Some(bucket.doc_count), rows);
        keys.pop();
    };
    match results.0.get(GROUP) {
        Some(AggregationResult::BucketResult(BucketResult::Histogram { buckets: BucketEntries::Vec(buckets) })) => {
            buckets.iter().for_each(&mut each);
        }
        Some(AggregationResult::BucketResult(BucketResult::Terms { buckets, .. })) => {
            buckets.iter().for_each(&mut each)
        }
        _ => {}
    }
}

fn key(group: &Group, key: &IndexKey) -> Key {
    let number = match key {
        IndexKey::Str(text) => return Key::Text(text.clone()),
        IndexKey::I64(number) => *number as f64,
        IndexKey::U64(number) => *number as f64,
        IndexKey::F64(number) => *number,
    };
    let index = number as usize;
    match group {
        Group::Time(_) => Key::Time(Timestamp::from_usec(number as i64)),
        Group::Field(name, _) => match FIELDS.place(name.as_str()) {
            Place::Severity => Key::Text(Severity::ALL.get(index).map(ToString::to_string).unwrap_or_default()),
            Place::Kind => Key::Text(Kind::ALL.get(index).map(ToString::to_string).unwrap_or_default()),
            _ => Key::Number(number),
        },
    }
}

fn value(results: &AggregationResults, name: &str) -> Option<f64> {
    let AggregationResult::MetricResult(result) = results.0.get(name)? else { return None };
    match result {
        MetricResult::Count(single)
        | MetricResult::Sum(single)
        | MetricResult::Min(single)
        | MetricResult::Max(single)
        | MetricResult::Average(single)
        | MetricResult::Cardinality(single) => single.value,
        _ => None,
    }
}
