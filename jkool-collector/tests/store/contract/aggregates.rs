//! Any aggregation, and the same by a naive scan.

use jkool_collector::{Aggregation, Function, Group, Key, Measure, Row, Stored};
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: &[&str] =
    &["operation", "severity", "kind", "SERVER", "source-fqn", "corrid", "properties.a", "properties.b.c"];
const MEASURED: &[&str] = &["properties.a", "properties.b.c", "properties.none", "elapsed-time-usec"];

/// More than there are.
const LIMIT: usize = 100;

#[derive(Debug, Clone)]
pub(crate) struct Question {
    groups: Vec<Group>,
    measures: Vec<Measure>,
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    let group = prop_oneof![
        2 => select(FIELDS).prop_map(|name| Group::Field(name.parse().unwrap(), LIMIT)),
        1 => select(&[1_000_000, 7_000_000, 60_000_000][..]).prop_map(Group::Time),
    ];
    let function = prop_oneof![
        select(&[Function::Count, Function::Sum, Function::Min, Function::Max, Function::Avg, Function::Distinct][..]),
        Just(Function::Percentile(50.0)),
        Just(Function::Percentile(95.0)),
    ];
    let measure =
        (function, select(MEASURED)).prop_map(|(function, field)| Measure { function, field: field.parse().unwrap() });
    let parts = (proptest::collection::vec(group, 0..3), proptest::collection::vec(measure, 0..4));
    parts.prop_map(|(groups, measures)| Question { groups, measures })
}

impl Question {
    pub(crate) fn aggregation(&self) -> Aggregation {
        Aggregation { groups: self.groups.clone(), measures: self.measures.clone() }
    }

    /// Whether `rows` are what a scan of `wanted` says; what kind a field is of depends on `all` there are.
    pub(crate) fn check(&self, rows: &[Row], wanted: &[Stored], all: &[Stored]) {
        let mut expected: BTreeMap<Vec<String>, Vec<&Stored>> = BTreeMap::new();
        if self.groups.is_empty() {
            expected.insert(Vec::new(), Vec::new());
        }
        for stored in wanted {
            for keys in keys(&self.groups, stored, all) {
                expected.entry(keys).or_default().push(stored);
            }
        }
        let said: Vec<Vec<String>> = rows.iter().map(|row| row.keys.iter().map(key).collect()).collect();
        let distinct: BTreeSet<_> = said.iter().cloned().collect();
        assert_eq!(distinct.len(), rows.len(), "a group is there twice: {self:?}");
        assert_eq!(distinct, expected.keys().cloned().collect(), "{self:?}");
        for (keys, row) in said.iter().zip(rows) {
            let members = &expected[keys];
            assert_eq!(row.count, members.len() as u64, "{keys:?} of {self:?}");
            for (measure, value) in self.measures.iter().zip(&row.values) {
                agree(measure, *value, members, all);
            }
        }
        if let [group] = &*self.groups {
            let is_in_order = |pair: &[Row]| match group {
                Group::Time(_) => key(&pair[0].keys[0]) < key(&pair[1].keys[0]),
                _ => pair[0].count >= pair[1].count,
            };
            assert!(rows.windows(2).all(is_in_order), "{rows:?}");
        }
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Time(time) => time.to_string(),
        Key::Text(text) => text.clone(),
        Key::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// The groups that an entity is in.
fn keys(groups: &[Group], stored: &Stored, all: &[Stored]) -> Vec<Vec<String>> {
    let Some((group, inner)) = groups.split_first() else { return vec![Vec::new()] };
    let own: Vec<String> = match group {
        Group::Time(width) => {
            let usec = stored.time.as_usec();
            vec![jkool_model::Timestamp::from_usec(usec - usec.rem_euclid(*width)).to_string()]
        }
        Group::Field(name, _) => {
            let distinct: BTreeSet<String> = values(stored, name.as_str(), all).collect();
            distinct.into_iter().collect()
        }
        other => panic!("{other:?}"),
    };
    let inner = keys(inner, stored, all);
    let all = own.iter().flat_map(|own| inner.iter().map(move |inner| [std::slice::from_ref(own), &**inner].concat()));
    all.collect()
}

/// The values that are grouped by: numbers if any entity has some, else texts.
fn values<'a>(stored: &'a Stored, name: &'a str, all: &'a [Stored]) -> impl Iterator<Item = String> + 'a {
    let is_number = all.iter().any(|stored| !numbers(stored, name).is_empty());
    let (texts, numbers) = (texts(stored, name), numbers(stored, name));
    let numbers = numbers.into_iter().map(|number| number.to_string());
    let texts = texts.into_iter();
    let (texts, numbers) = (texts.filter(move |_| !is_number), numbers.filter(move |_| is_number));
    texts.chain(numbers)
}

fn json(stored: &Stored) -> Value {
    serde_json::from_slice(&stored.json).unwrap()
}

/// All values of a property, of lists each one.
fn property(stored: &Stored, name: &str) -> Vec<Value> {
    let json = json(stored);
    let properties = json["properties"].as_array().unwrap().iter();
    let values = properties.filter(|property| property["name"] == name).map(|property| property["value"].clone());
    values.flat_map(|value| if let Value::Array(items) = value { items } else { vec![value] }).collect()
}

fn numbers(stored: &Stored, name: &str) -> Vec<f64> {
    match name.strip_prefix("properties.") {
        Some(name) => property(stored, name).iter().filter_map(Value::as_f64).collect(),
        None => Vec::new(),
    }
}

fn texts(stored: &Stored, name: &str) -> Vec<String> {
    let json = json(stored);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match name {
        "kind" => vec![if json["type"] == "ACTIVITY" { "activity" } else { "event" }.to_owned()],
        "SERVER" => {
            let source = json["source-fqn"].as_str().unwrap().to_owned();
            vec![source.rsplit_once('=').unwrap().1.to_owned()]
        }
        "corrid" => {
            let all: BTreeSet<String> = json["corrid"].as_array().unwrap().iter().filter_map(text).collect();
            all.into_iter().collect()
        }
        _ => match name.strip_prefix("properties.") {
            Some(name) => {
                let text = |value: &Value| match value {
                    Value::Bool(value) => Some(value.to_string()),
                    Value::Number(number) if number.as_i64().is_some_and(|int| int > 1 << 53) => {
                        Some(number.to_string())
                    }
                    value => text(value).filter(|text| !text.is_empty()),
                };
                property(stored, name).iter().filter_map(text).collect()
            }
            None => text(&json[name]).into_iter().collect(),
        },
    }
}

fn agree(measure: &Measure, value: Option<f64>, members: &[&Stored], all: &[Stored]) {
    let name = measure.field.as_str();
    let mut numbers: Vec<f64> = members.iter().flat_map(|stored| numbers(stored, name)).collect();
    numbers.sort_by(f64::total_cmp);
    let texts = || members.iter().flat_map(|stored| values(stored, name, all));
    let close = |expected: f64| value.is_some_and(|value| (value - expected).abs() <= expected.abs() * 0.02 + 1e-9);
    let sum: f64 = numbers.iter().sum();
    let holds = match measure.function {
        Function::Count => close(texts().count() as f64),
        Function::Distinct => close(texts().collect::<BTreeSet<_>>().len() as f64),
        Function::Sum => close(sum),
        _ if numbers.is_empty() => value.is_none(),
        Function::Min => close(numbers[0]),
        Function::Max => close(numbers[numbers.len() - 1]),
        Function::Avg => close(sum / numbers.len() as f64),
        Function::Percentile(percent) => {
            let rank = (percent * numbers.len() as f64 / 100.0).ceil() as usize;
            close(numbers[rank.max(1) - 1])
        }
        other => panic!("{other:?}"),
    };
    assert!(holds, "{measure} is {value:?} of {numbers:?}");
}
