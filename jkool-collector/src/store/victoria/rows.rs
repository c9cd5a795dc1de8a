//! Rows of figures, out of answers, and in their order.

use super::columns::Column;
use super::encoding::unescaped;
use super::row::text;
use super::server::Answer;
use crate::store::{Function, Group, Key, Measure, Row};
use jkool_model::Timestamp;
use std::cmp::Reverse;

/// A row with its keys as the server says them.
pub(super) type Keyed = (Vec<String>, Row);

pub(super) fn value(answer: &Answer, index: usize, measure: &Measure) -> Option<f64> {
    let said = text(answer, &format!("m{index}")).and_then(|text| text.parse::<f64>().ok());
    match measure.function {
        // Of nothing these are nothing, and not unknown.
        Function::Count | Function::Distinct | Function::Sum => {
            Some(said.filter(|value| !value.is_nan()).unwrap_or(0.0))
        }
        _ => said.filter(|value| !value.is_nan()),
    }
}

/// A row by its keys; `None` when one of them is not there.
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

/// Rows in the order of their groups: times as they come, of fields the largest first, as many as are wanted. Those of the
/// outermost field are in order already.
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
