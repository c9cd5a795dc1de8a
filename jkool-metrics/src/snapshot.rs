//! The snapshot of a series.

use crate::descriptions::Description;
use crate::histogram::{QUANTILES, Summary};
use crate::series::Reading;
use crate::units::value_type;
use jkool_client::model::{Property, Snapshot, Text, TypedValue, ValueType};
use metrics::Key;
use std::time::Duration;

/// Returns the snapshot; `None` if there is nothing to send.
pub(crate) fn snapshot(
    key: &Key,
    reading: Reading,
    elapsed: Duration,
    description: Description,
    category: &Text,
) -> Option<Snapshot> {
    let Description { unit, text } = description;
    let measured = unit.and_then(value_type);
    let mut properties = Vec::with_capacity(12 + key.labels().len());
    let mut add = |name: &'static str, value: TypedValue, value_type: ValueType| {
        properties.push(Property::new(name, value).value_type(value_type));
    };
    match reading {
        Reading::Counter { value, more } => {
            add("value", value.into(), measured.clone().unwrap_or(ValueType::Counter));
            if !elapsed.is_zero() {
                add("rate", (more as f64 / elapsed.as_secs_f64()).into(), ValueType::RateSec);
            }
        }
        Reading::Gauge(value) => add("value", value.into(), measured.clone().unwrap_or(ValueType::Gauge)),
        Reading::Histogram { summary: None, refused: 0 } => return None,
        Reading::Histogram { summary, refused } => {
            add("count", summary.map_or(0, |summary| summary.count).into(), ValueType::Absolute);
            if let Some(Summary { count, sum, min, max, quantiles }) = summary {
                let values = [("sum", sum), ("min", min), ("max", max), ("mean", sum / count as f64)];
                let quantiles = QUANTILES.iter().zip(quantiles).map(|((name, _), value)| (*name, value));
                for (name, value) in values.into_iter().chain(quantiles) {
                    add(name, value.into(), measured.clone().unwrap_or_default());
                }
            }
            if refused > 0 {
                add("refused", refused.into(), ValueType::Absolute);
            }
        }
    }
    if let Some(unit) = unit.filter(|_| measured.is_none()) {
        add("unit", unit.as_str().into(), ValueType::None);
    }
    if let Some(text) = text {
        add("description", Text::from(text).into(), ValueType::None);
    }
    add_labels(key, &mut properties);
    let mut snapshot = Snapshot::builder(key.name_shared()).category(category.clone()).build();
    snapshot.properties = properties;
    Some(snapshot)
}

/// A label becomes a property with its name, or `label.name` if the metric has a property of that name.
fn add_labels(key: &Key, properties: &mut Vec<Property>) {
    let own = properties.len();
    for label in key.labels() {
        let (name, value) = label.clone().into_parts();
        let name = Text::from(name);
        let is_taken = properties[..own].iter().any(|property| property.name == name);
        let name = if is_taken { format!("label.{name}").into() } else { name };
        properties.push(Property::new(name, Text::from(value)));
    }
}

#[cfg(test)]
mod tests {
    use super::snapshot;
    use crate::descriptions::Description;
    use crate::histogram::Summary;
    use crate::series::Reading;
    use jkool_client::model::{Snapshot, Text};
    use metrics::{Key, Label, Unit};
    use std::time::Duration;

    fn told(key: &Key, reading: Reading, unit: Option<Unit>) -> Vec<String> {
        let description = Description { unit, text: Some("what it is".into()) };
        let Snapshot { name, category, properties, .. } =
            snapshot(key, reading, Duration::from_secs(10), description, &Text::from("Metrics")).unwrap();
        assert_eq!((&*name, &*category), (key.name(), "Metrics"));
        properties.iter().map(|p| format!("{} {} {} {}", p.name, p.data_type, p.value, p.value_type)).collect()
    }

    #[test]
    fn a_counter_is_a_value_and_a_rate() {
        let key = Key::from_parts("requests", vec![Label::new("path", "/"), Label::new("value", "x")]);
        assert_eq!(
            told(&key, Reading::Counter { value: 70, more: 25 }, None),
            [
                "value long 70 counter",
                "rate double 2.5 rate.sec",
                "description string what it is none",
                "path string / none",
                "label.value string x none",
            ]
        );
    }

    #[test]
    fn a_unit_is_a_value_type_or_is_told_by_its_name() {
        let gauge = |unit| told(&Key::from_name("g"), Reading::Gauge(0.5), unit)[..2].join(", ");
        let described = "description string what it is none";
        assert_eq!(gauge(None), format!("value double 0.5 gauge, {described}"));
        assert_eq!(gauge(Some(Unit::Bytes)), format!("value double 0.5 size.byte, {described}"));
        assert_eq!(gauge(Some(Unit::BitsPerSecond)), "value double 0.5 gauge, unit string bits_per_second none");
    }

    #[test]
    fn a_histogram_is_a_distribution_in_its_unit() {
        let summary = Summary { count: 4, sum: 10.0, min: 1.0, max: 4.0, quantiles: [2.0, 3.0, 4.0, 4.0] };
        let told = told(
            &Key::from_name("took"),
            Reading::Histogram { summary: Some(summary), refused: 2 },
            Some(Unit::Milliseconds),
        );
        assert_eq!(
            told[..10],
            [
                "count long 4 absolute",
                "sum double 10.0 age.msec",
                "min double 1.0 age.msec",
                "max double 4.0 age.msec",
                "mean double 2.5 age.msec",
                "p50 double 2.0 age.msec",
                "p90 double 3.0 age.msec",
                "p99 double 4.0 age.msec",
                "p99.9 double 4.0 age.msec",
                "refused long 2 absolute",
            ]
        );
        let nothing = Reading::Histogram { summary: None, refused: 0 };
        let none = snapshot(&Key::from_name("took"), nothing, Duration::ZERO, Description::default(), &Text::default());
        assert_eq!(none, None);
    }
}
