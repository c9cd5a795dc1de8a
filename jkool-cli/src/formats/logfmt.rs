//! `level=info msg="order processed" duration=5ms`

use super::fields::put;
use jkool_client::model::{Event, Value};

/// Whether a line of unknown format is logfmt: it begins with a pair, and has one of the usual names.
pub(super) fn is_likely(line: &str) -> bool {
    const NAMES: [&str; 6] = ["level", "lvl", "msg", "ts", "time", "severity"];
    let mut pairs = Pairs(line);
    let (Some(first), mut more) = (pairs.next(), 0) else { return false };
    let mut known = first.1.is_some() && NAMES.contains(&first.0);
    for (name, value) in pairs.take(8) {
        more += usize::from(value.is_some());
        known |= value.is_some() && NAMES.contains(&name);
    }
    first.1.is_some() && more > 0 && known
}

/// `None` if there are no pairs.
pub(super) fn parse(line: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut any = false;
    for (name, value) in Pairs(line) {
        any |= value.is_some();
        let value = match value {
            None => Value::Bool(true),
            Some(text) => typed(&text),
        };
        put(&mut event, name, value);
    }
    any.then_some(event)
}

/// Whether a value is a number. An order number with a leading zero is not.
fn typed(text: &str) -> Value {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0') || digits.starts_with("0."));
    match (text, is_plain) {
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        (_, true) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => Value::Int(number),
            (_, Ok(number)) if number.is_finite() && text.len() < 18 => Value::Double(number),
            _ => Value::Text(text.to_owned().into()),
        },
        _ => Value::Text(text.to_owned().into()),
    }
}

/// The pairs of a line; a name without `=` has no value.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Option<String>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start();
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest;
            return Some((name, None));
        };
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        self.0 = rest;
        Some((name, Some(value)))
    }
}

/// Returns the text up to the closing quote, or to the end.
fn unquote(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                Some((_, c)) => value.extend(['\\', c]),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    (value, "")
}
