//! Completes a query line: with names of fields, and with values from the store.

use super::known::{KNOWN, MESSAGE};
use super::resolve::{Resolver, Target, short};
use crate::condition::{Condition, Test};
use crate::field::SEVERITY;
use crate::filter::Filter;
use crate::store::{Aggregation, Group, Key, Reader, StoreError, StoreErrorKind};
use jkool_model::{Severity, Timestamp};

/// The incomplete end of a line.
#[derive(Debug, PartialEq)]
enum End<'a> {
    /// The start of a name.
    Name(&'a str),
    /// The name of a field, and the start of a value.
    Value(&'a str, &'a str),
}

/// The characters that separate a name from a value.
const SIGNS: [char; 5] = [':', '>', '<', '=', '~'];

/// Splits off the last word.
fn end_of(line: &str) -> (&str, End<'_>) {
    let mut is_quoted = false;
    let mut start = 0;
    for (at, c) in line.char_indices() {
        is_quoted ^= c == '"';
        if !is_quoted && (c.is_whitespace() || c == '(') {
            start = at + c.len_utf8();
        }
    }
    let term = &line[start..];
    let term = term.strip_prefix('-').unwrap_or(term);
    if let Some(sign) = term.find(SIGNS).filter(|at| *at > 0) {
        let (name, value) = term.split_at(sign);
        let value = value.trim_start_matches(SIGNS);
        return (&line[..line.len() - value.len()], End::Value(name, value.trim_start_matches('"')));
    }
    (&line[..line.len() - term.len()], End::Name(term))
}

/// Returns possible continuations of the line, at most `limit`.
pub(crate) fn complete(
    reader: &Reader<'_>,
    line: &str,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let (before, end) = end_of(line);
    let endings = match end {
        End::Name(begun) => names(reader, begun)?,
        End::Value(name, begun) => values(reader, name, begun, limit, now)?,
    };
    Ok(endings.into_iter().take(limit).map(|ending| format!("{before}{ending}")).collect())
}

fn begins(text: &str, begun: &str) -> bool {
    text.get(..begun.len()).is_some_and(|start| start.eq_ignore_ascii_case(begun))
}

fn names(reader: &Reader<'_>, begun: &str) -> Result<Vec<String>, StoreError> {
    let known = KNOWN.iter().map(|known| known.wire.trim_end_matches("-usec")).filter(|name| *name != MESSAGE);
    let own = reader.field_names()?;
    let own = own.iter().map(|name| short(name));
    let all = known.map(str::to_owned).chain(own);
    // Names that need quotes are not suggested.
    let is_plain = |name: &String| !name.contains(|c: char| c.is_whitespace() || "\"():<>=~".contains(c));
    let mut names: Vec<String> = all.filter(|name| begins(name, begun) && is_plain(name)).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.into_iter().map(|name| format!("{name}:")).collect())
}

fn values(
    reader: &Reader<'_>,
    name: &str,
    begun: &str,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    // For an unknown name there are no suggestions. Running the query reports the error.
    let Target::Fields(fields) = Resolver::new(reader).named(name)? else { return Ok(Vec::new()) };
    let Some(field) = fields.into_iter().next() else { return Ok(Vec::new()) };
    if field.as_str() == SEVERITY {
        let all = Severity::ALL.iter().rev().map(ToString::to_string);
        return Ok(all.filter(|severity| begins(severity, begun)).collect());
    }
    let begins = (!begun.is_empty()).then(|| Condition::new(field.clone(), Test::Begins(begun.to_owned())).into());
    let filter = Filter { expression: begins.unwrap_or_default(), ..Filter::default() };
    let aggregation = Aggregation { groups: vec![Group::Field(field, limit)], measures: Vec::new() };
    let rows = match reader.aggregate(&filter, &aggregation, now) {
        // Some fields cannot be grouped by.
        Err(error) if error.kind() == StoreErrorKind::NoSuchField => Vec::new(),
        rows => rows?,
    };
    let text = |key: &Key| match key {
        Key::Text(text) => Some(quoted(text)),
        Key::Number(number) => Some(number.to_string()),
        Key::Time(_) => None,
    };
    // The groups also contain the other values of entities with several values.
    let values = rows.iter().filter_map(|row| row.keys.first().and_then(text));
    Ok(values.filter(|value| value.trim_start_matches('"').starts_with(begun)).collect())
}

/// Quotes a value as a query line requires.
fn quoted(text: &str) -> String {
    match text.is_empty() || text.contains(|c: char| c.is_whitespace() || "\"()*".contains(c)) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{End, end_of};

    #[test]
    fn the_last_word_is_a_name_or_a_value() {
        for (line, before, end) in [
            ("", "", End::Name("")),
            ("sev", "", End::Name("sev")),
            ("op:Pay -us", "op:Pay -", End::Name("us")),
            ("(us", "(", End::Name("us")),
            ("severity>=ERR", "severity>=", End::Value("severity", "ERR")),
            ("a -user:", "a -user:", End::Value("user", "")),
            ("user:\"Al ice", "user:", End::Value("user", "Al ice")),
            ("\"no stock\" ü", "\"no stock\" ", End::Name("ü")),
            (":x", "", End::Name(":x")),
        ] {
            assert_eq!(end_of(line), (before, end), "{line}");
        }
    }
}
