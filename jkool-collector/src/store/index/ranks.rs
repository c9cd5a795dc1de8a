//! Percentiles by nearest rank from the search engine's sketches. The engine itself takes the lower one of two values,
//! so the count of a group's values is needed to ask its sketch for the right position.

use super::aggregate::GROUP;
use super::schema::number_column;
use crate::store::nearest_rank::nearest_rank;
use crate::store::{Function, Measure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use tantivy::aggregation::Key;
use tantivy::aggregation::intermediate_agg_result::{
    IntermediateAggregationResult as Part, IntermediateAggregationResults, IntermediateBucketResult as Buckets,
    IntermediateMetricResult as Metric,
};
use tantivy::aggregation::metric::{PercentileValues, PercentilesAggregationReq, PercentilesCollector};

/// The percentiles of a group, or of the groups in it.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    /// By the index of the measure.
    values: HashMap<usize, f64>,
    inner: HashMap<Key, Ranks>,
}

impl Ranks {
    /// Computes all percentiles; nothing if `measures` has none.
    pub(super) fn new(results: &IntermediateAggregationResults, measures: &[Measure]) -> Self {
        let is_percentile = |measure: &Measure| matches!(measure.function, Function::Percentile(_));
        if measures.iter().any(is_percentile) { Self::of(results, measures) } else { Self::default() }
    }

    fn of(results: &IntermediateAggregationResults, measures: &[Measure]) -> Self {
        let inner = match results.get(GROUP) {
            Some(Part::Bucket(Buckets::Histogram { buckets, .. })) => buckets
                .iter()
                .map(|bucket| (Key::F64(bucket.key), Self::of(&bucket.sub_aggregation, measures)))
                .collect(),
            Some(Part::Bucket(Buckets::Terms { buckets })) => buckets
                .entries()
                .iter()
                .map(|(key, bucket)| (key.clone().into(), Self::of(&bucket.sub_aggregation, measures)))
                .collect(),
            _ => HashMap::new(),
        };
        let values = measures.iter().enumerate().filter_map(|(index, measure)| {
            let Function::Percentile(percent) = measure.function else { return None };
            let name = sketch(sketch_of(measures, index));
            let Part::Metric(Metric::Percentiles(sketch)) = results.get(&name)? else { return None };
            Some((index, percentile(sketch, percent)?))
        });
        Self { values: values.collect(), inner }
    }

    pub(super) fn inner(&self, key: &Key) -> Option<&Self> {
        self.inner.get(key)
    }

    pub(super) fn value(&self, measure: usize) -> Option<f64> {
        self.values.get(&measure).copied()
    }
}

/// The requests for the percentiles among `measures`, with their names: one sketch for each field.
pub(super) fn requests(measures: &[Measure]) -> impl Iterator<Item = (String, Value)> {
    let is_needed = |(index, measure): &(usize, &Measure)| {
        matches!(measure.function, Function::Percentile(_)) && sketch_of(measures, *index) == *index
    };
    measures.iter().enumerate().filter(is_needed).map(|(index, measure)| {
        let field = number_column(&measure.field);
        // Which percentile is asked for is decided when the count is known.
        (sketch(index), json!({"percentiles": {"field": field, "percents": [0.0], "keyed": false}}))
    })
}

/// The first of the percentiles of the same field, which has the sketch.
fn sketch_of(measures: &[Measure], index: usize) -> usize {
    let field = measures.get(index).map(|measure| &measure.field);
    let is_same =
        |measure: &Measure| matches!(measure.function, Function::Percentile(_)) && Some(&measure.field) == field;
    measures.iter().position(is_same).unwrap_or(index)
}

fn sketch(measure: usize) -> String {
    format!("p{measure}")
}

/// What is needed of a sketch in its serialized form: the engine does not tell the count otherwise, and to count the
/// values in addition takes a third more time.
#[derive(Debug, Deserialize)]
struct Counted {
    sketch: Counts,
}

#[derive(Debug, Deserialize)]
struct Counts {
    store: Bins,
    negative_store: Bins,
    zero_count: u64,
    /// Infinite values are null.
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Bins {
    count: u64,
}

fn percentile(sketch: &PercentilesCollector, percent: f64) -> Option<f64> {
    let Counted { sketch: counts } = serde_json::from_slice(&serde_json::to_vec(sketch).ok()?).ok()?;
    let count = counts.store.count + counts.negative_store.count + counts.zero_count;
    let last = count.checked_sub(1)?;
    let (min, max) = (counts.min.unwrap_or(f64::NEG_INFINITY), counts.max.unwrap_or(f64::INFINITY));
    // The sketch rounds the position down.
    let position = nearest_rank(percent, count) as f64 + 0.5;
    let ask = PercentilesAggregationReq {
        field: String::new(),
        percents: Some(vec![(100.0 * position / last.max(1) as f64).min(100.0)]),
        keyed: false,
        missing: None,
    };
    match sketch.clone().into_final_result(&ask).values {
        // A sketch knows a value with an error, so the value may be beyond the minimum or maximum.
        PercentileValues::Vec(values) => values.first().map(|entry| entry.value.clamp(min, max)),
        PercentileValues::HashMap(_) => None,
    }
}
