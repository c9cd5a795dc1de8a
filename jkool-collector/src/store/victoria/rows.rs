//! Converts answers to rows of measures, and sorts them.

use super::columns::Column;
use super::encoding::unescaped;
use super::row::text;
use super::server::Answer;
use crate::store::{Function, Group, Key, Measure, Row};
use jkool_model::Timestamp;
use std::cmp::Reverse;

/// A row, with its keys as the server returned them.
pub(super) type Keyed = (Vec<String>, Row);

pub(super) fn value(answer: &Answer, index: usize, measure: &Measure) -> Option<f64> {
    let said = text(answer, &format!("m{index}")).and_then(|text| text.parse::<f64>().ok());
    match measure.function {
        // Without values, these functions return 0, not an unknown value.
        Function::Count | Function::Distinct | Function::Sum => {
            Some(said.filter(|value| !value.is_nan()).unwrap_or(0.0))
        }
        _ => said.filter(|value| !value.is_nan()),
    }
}

/// Converts an answer to a row with its keys; `None` if a key is missing.
pub(super) fn keyed(answer: &Answer, keys: &[(String, Option<&Column>)]) -> Option<Keyed> {
    let said: Vec<String> =
        keys.iter().map(|(name, _)| text(answer, name).map(str::to_owned)).collect::<Option<_>>()?;
    let key = |(said, (_, column)): (&String, &(String, Option<&Column>))| match column {
        None => said.parse::<Timestamp>().ok().map(Key::Time),
        Some(column) if column.is_number => said.parse().ok().map(Key::Number),
        Some(_) => Some(Key::Text(unescaped(said))),
    };
    let keys = said.iter().zip(keys).map(key).collect::<Option<_>>()?;
    let count = text(answer, "n").and_then(|count| count.parse().ok()).unwrap_or_default();
    Some((said, Row { keys, count, values: Vec::new() }))
}

/// Sorts rows as their groups require: times in ascending order, fields by size, largest first, up to the limit. The
/// outermost field is sorted already.
pub(super) fn arranged(mut rows: Vec<Keyed>, groups: &[&Group], level: usize) -> Vec<Keyed> {
    let Some(group) = groups.get(level) else { return rows };
    let mut parts: Vec<(String, u64, Vec<Keyed>)> = Vec::new();
    if level > 0 || matches!(group, Group::Time(_)) {
        rows.sort_by(|(one, _), (other, _)| one.get(level).cmp(&other.get(level)));
    }
    for row in rows {
        let key = row.0.get(level).cloned().unwrap_or_default();
        match parts.last_mut().filter(|(last, ..)| *last == key) {
            Some((_, count, part)) => {
                *count += row.1.count;
                part.push(row);
            }
            None => parts.push((key, row.1.count, vec![row])),
        }
    }
    match group {
        Group::Time(_) => parts.sort_by_key(|(.., part)| part.first().map(|(_, row)| time_of(row, level))),
        Group::Field(_, limit) => {
            if level > 0 {
                parts.sort_by_key(|(_, count, _)| Reverse(*count));
            }
            parts.truncate(*limit);
        }
    }
    parts.into_iter().flat_map(|(.., part)| arranged(part, groups, level + 1)).collect()
}

fn time_of(row: &Row, level: usize) -> i64 {
    match row.keys.get(level) {
        Some(Key::Time(time)) => time.as_usec(),
        _ => 0,
    }
}
