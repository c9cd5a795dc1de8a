//! Converts an entity to rows of VictoriaLogs, and back.

use super::encoding::{block, column, escaped, from_letters, joined, letters, number};
use super::logsql::{DISTINCT, GREATEST, LEAST, NUMBERS, TEXTS};
use super::server::Answer;
use crate::field::{FieldValue, TIME, each_value};
use crate::filter::words_of;
use crate::store::index::words_in;
use crate::store::{EntityId, StoreError, StoreErrorKind, Stored};
use jkool_model::Timestamp;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The maximum size of JSON in an entity's main row; larger JSON is split into separate rows. VictoriaLogs skips rows
/// of more than 256 KiB or 1,000 fields, and a byte may take two bytes in a row.
const INLINE: usize = 48 << 10;
/// The maximum size of words and of fields in a row. Values beyond it cannot be queried and are counted.
const WORDS: usize = 32 << 10;
const FIELDS: usize = 64 << 10;
const MOST_FIELDS: usize = 900;

/// Returns the number of separate rows for JSON of this size.
pub(super) const fn parts(json: usize) -> usize {
    if json <= INLINE { 0 } else { json.div_ceil(INLINE) }
}

/// Appends the rows of an entity, one per line.
pub(super) fn write(stored: &Stored, lines: &mut Vec<u8>) {
    let json = String::from_utf8_lossy(&stored.json);
    let mut rest = &*json;
    for part in 0..parts(stored.json.len()) {
        let mut row = head(stored, "jkool-part");
        // The last part contains the rest, wherever character boundaries are.
        let is_last = part + 1 == parts(stored.json.len());
        let end = if is_last {
            rest.len()
        } else {
            (0..=INLINE.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or_default()
        };
        let (now, behind) = rest.split_at(end);
        rest = behind;
        row.insert("part".into(), part.to_string().into());
        row.insert("json".into(), now.into());
        row.insert("_msg".into(), " ".into());
        push(&row, lines);
    }
    let mut row = head(stored, "jkool");
    let mut skipped = fields(stored, &mut row);
    row.insert("_msg".into(), words(stored, &mut skipped).into());
    if skipped > 0 {
        row.insert("skipped".into(), skipped.to_string().into());
    }
    row.insert("received".into(), stored.received.as_usec().to_string().into());
    match parts(stored.json.len()) {
        0 => row.insert("json".into(), json.into()),
        parts => row.insert("parts".into(), parts.to_string().into()),
    };
    push(&row, lines);
}

fn push(row: &Map<String, Value>, lines: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    serde_json::to_writer(&mut *lines, row).unwrap_or_default();
    lines.push(b'\n');
}

fn head(stored: &Stored, stream: &str) -> Map<String, Value> {
    let sequence = stored.id.sequence();
    let head = [
        ("_time", stored.time.to_string()),
        ("store", stream.to_owned()),
        ("seq", letters(sequence)),
        ("block", block(sequence)),
    ];
    head.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// Adds the values of all fields to `row`; returns the number of values that were left out.
fn fields(stored: &Stored, row: &mut Map<String, Value>) -> usize {
    let mut values: BTreeMap<String, (Vec<Cow<'_, str>>, Vec<f64>)> = BTreeMap::new();
    values.entry(TIME.to_owned()).or_default().1.push(stored.time.as_usec() as f64);
    each_value(&stored.entity, &mut |name, value| {
        if !values.contains_key(name) {
            values.insert(name.to_owned(), Default::default());
        }
        match (values.get_mut(name), value) {
            (Some((texts, _)), FieldValue::Text(text)) => texts.push(escaped(&text).into_owned().into()),
            (Some((_, numbers)), FieldValue::Number(number)) => numbers.push(number),
            _ => {}
        }
    });
    let (mut skipped, mut bytes) = (0, 0);
    let mut add = |column: Option<String>, count: usize, value: Cow<'_, str>| {
        let size = value
            .chars()
            .map(|c| if c.is_control() || matches!(c, '"' | '\\') { 6 } else { c.len_utf8() })
            .sum::<usize>();
        match column.filter(|column| bytes + size + column.len() <= FIELDS && row.len() < MOST_FIELDS) {
            Some(column) => {
                bytes += size + column.len();
                row.insert(column, value.into_owned().into());
            }
            None => skipped += count,
        }
    };
    for (name, (texts, numbers)) in &values {
        if !texts.is_empty() {
            add(column(TEXTS, name), texts.len(), joined(texts));
            if let Some(distinct) = distinct(texts) {
                add(column(DISTINCT, &format!("{TEXTS}{name}")), 0, joined(&distinct));
            }
        }
        if !numbers.is_empty() {
            let written: Vec<Cow<'_, str>> = numbers.iter().map(|float| number(*float).into()).collect();
            // The columns of a field are added together: if the longest name fits, all do.
            let has_place = column(LEAST, name).is_some();
            add(column(NUMBERS, name).filter(|_| has_place), numbers.len(), joined(&written));
            if let Some(distinct) = distinct(&written) {
                add(column(DISTINCT, &format!("{NUMBERS}{name}")), 0, joined(&distinct));
            }
            if numbers.len() > 1 {
                let extreme = |of: fn(f64, f64) -> f64| number(numbers.iter().copied().fold(numbers[0], of));
                add(column(LEAST, name), 0, extreme(f64::min).into());
                add(column(GREATEST, name), 0, extreme(f64::max).into());
            }
        }
    }
    skipped
}

/// Returns each different value once, or `None` if no value occurs twice.
fn distinct<'a>(values: &[Cow<'a, str>]) -> Option<Vec<Cow<'a, str>>> {
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    (distinct.len() < values.len()).then_some(distinct)
}

/// Returns the words of an entity, with a space before and after each.
fn words(stored: &Stored, skipped: &mut usize) -> String {
    let mut text = String::from(" ");
    let mut is_cut = false;
    for word in words_in(&words_of(&stored.entity)) {
        if text.len() + word.len() > WORDS {
            is_cut = true;
            break;
        }
        text.push_str(&word);
        text.push(' ');
    }
    *skipped += usize::from(is_cut);
    text
}

/// The columns that [`read`] needs.
pub(super) const WANTED: &str = "_time, seq, received, parts, json";

/// Returns a field of an answer.
pub(super) fn text<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Returns the id of a row's entity.
pub(super) fn id(answer: &Answer) -> Option<EntityId> {
    Some(EntityId::new(text(answer, "_time")?.parse().ok()?, from_letters(text(answer, "seq")?)?))
}

/// Creates the entity from its row and its JSON.
pub(super) fn read(answer: &Answer, json: &str) -> Result<Stored, StoreError> {
    let corrupt = |error: &dyn std::fmt::Display| {
        StoreError::new(StoreErrorKind::Corrupt, format_args!("an entity of VictoriaLogs can't be read: {error}"))
    };
    let id = id(answer).ok_or_else(|| corrupt(&"it has no id"))?;
    let received = text(answer, "received").and_then(|usec| usec.parse().ok()).unwrap_or_default();
    let entity = serde_json::from_str(json).map_err(|error| corrupt(&error))?;
    let json = bytes::Bytes::copy_from_slice(json.as_bytes());
    Ok(Stored { id, time: id.time(), received: Timestamp::from_usec(received), entity, json })
}
