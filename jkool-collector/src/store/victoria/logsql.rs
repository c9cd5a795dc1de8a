//! Converts a filter to a LogsQL query. Without I/O.

use super::encoding::{BETWEEN, ESCAPE, column, escaped, number, quoted};
use crate::condition::{Condition, Test, number_of, rank};
use crate::expression::Expression;
use crate::field::{FieldValue, PROPERTIES, SEVERITY, SNAPSHOTS, TIME, cut};
use crate::filter::Filter;
use crate::like::{Sign, signs};
use crate::store::{EntityId, Search};
use jkool_model::{Severity, Timestamp};
use std::ops::Range;

/// The prefixes of columns. Texts and numbers of a field have separate columns; fields with several numbers also have
/// columns for the smallest and the largest.
pub(super) const TEXTS: &str = "t.";
pub(super) const NUMBERS: &str = "n.";
/// The column with each different value once, if an entity has a value twice.
pub(super) const DISTINCT: &str = "d.";
pub(super) const LEAST: &str = "lo.";
pub(super) const GREATEST: &str = "hi.";

/// The stream of all entities.
pub(super) const ENTITIES: &str = r#"{store="jkool"}"#;
/// A query that matches nothing.
const NOTHING: &str = "!*";

/// The latest time in microseconds that VictoriaLogs, which counts nanoseconds, can represent.
pub(super) const LAST_TIME: i64 = i64::MAX / 1_000 - 1;

/// Returns the query for `filter` in a time range.
pub(super) fn question(filter: &Filter, range: &Range<i64>) -> String {
    let mut parts = vec![ENTITIES.to_owned()];
    parts.extend(times(range));
    let is = |name: &str, text: &str| text_test(name, &Test::Is(text.to_owned()));
    parts.extend(filter.kind.map(|kind| is("kind", kind.as_str())));
    parts.extend(filter.severity.map(|range| severities(|severity| range.contains(severity))));
    parts.extend(filter.operation.as_ref().map(|name| is("operation", name)));
    parts.extend(filter.correlator.as_ref().map(|name| is("corrid", name)));
    parts.extend(filter.parent.as_ref().map(|id| is("parent-id", id)));
    for (source_type, name) in filter.source.iter().flat_map(|source| source.elements()) {
        parts.push(is(source_type.as_str(), name));
    }
    parts.extend(filter.text.as_ref().map(|text| words(&Search::parse(text))));
    parts.extend(filter.expression.parts().iter().map(expression));
    parts.join(" ")
}

/// Returns the condition for a time range, or `None` if it contains all times.
pub(super) fn times(range: &Range<i64>) -> Option<String> {
    let time = |usec: i64| Timestamp::from_usec(usec.clamp(0, LAST_TIME));
    match (range.start > 0, range.end <= LAST_TIME) {
        _ if range.is_empty() => Some(NOTHING.to_owned()),
        (false, false) => None,
        (false, true) => Some(format!("_time:<{}", time(range.end))),
        (true, false) => Some(format!("_time:>={}", time(range.start))),
        (true, true) => Some(format!("_time:[{}, {})", time(range.start), time(range.end))),
    }
}

/// Returns the condition for entities after `id`, in the order newest first or oldest first.
pub(super) fn beyond(id: EntityId, youngest_first: bool) -> String {
    let time = id.time().as_usec();
    let same = times(&(time..time + 1)).unwrap_or_default();
    let own = super::encoding::letters(id.sequence());
    let (all, rest) = match youngest_first {
        true => (times(&(i64::MIN..time + 1)), format!(r#"seq:string_range("a", "{own}")"#)),
        // The next possible sequence has one more letter.
        false => (times(&(time..i64::MAX)), format!(r#"seq:string_range("{own}a", "q")"#)),
    };
    format!("{} (!{same} or {rest})", all.unwrap_or_default())
}

fn expression(of: &Expression) -> String {
    let list = |parts: &[Expression], between: &str| {
        let parts: Vec<String> = parts.iter().map(expression).collect();
        format!("({})", parts.join(between))
    };
    match of {
        Expression::All(parts) if parts.is_empty() => "*".to_owned(),
        Expression::Any(parts) if parts.is_empty() => NOTHING.to_owned(),
        Expression::All(parts) => list(parts, " "),
        Expression::Any(parts) => list(parts, " or "),
        Expression::Not(part) => format!("!({})", expression(part)),
        Expression::Condition(Condition { field, test, negated }) => {
            let test = condition(field.as_str(), test);
            if *negated { format!("!({test})") } else { test }
        }
        Expression::Words { text, begins } => words(&Search::words(text, *begins)),
    }
}

/// Returns the condition for words. `_msg` contains each word with a space before and after it.
fn words(search: &Search) -> String {
    let term = |(words, begins, negated): (&[String], bool, bool)| {
        let text = format!(" {}{}", words.join(" "), if begins { "" } else { " " });
        format!("{}_msg:*{}*", if negated { "!" } else { "" }, quoted(&text))
    };
    let terms: Vec<String> = search.terms().map(term).collect();
    if terms.is_empty() { NOTHING.to_owned() } else { terms.join(" ") }
}

fn severities(is_wanted: impl Fn(Severity) -> bool) -> String {
    let wanted = Severity::ALL.iter().filter(|severity| is_wanted(**severity));
    let wanted: Vec<String> = wanted.map(|severity| quoted(&severity.to_string())).collect();
    format!("\"t.severity\":in({})", wanted.join(","))
}

/// Whether a field may have texts, and whether it may have numbers.
pub(super) fn kinds(name: &str) -> (bool, bool) {
    let is_number =
        name.ends_with("-usec") || matches!(name, "reason-code" | "pid" | "tid" | "msg-size" | "msg-age" | "ttl-sec");
    let is_free = name.starts_with(PROPERTIES) || name.starts_with(SNAPSHOTS);
    (!is_number || is_free, is_number || is_free)
}

/// Whether an entity may have several values of a field.
pub(super) fn may_be_several(name: &str) -> bool {
    kinds(name) == (true, true) || matches!(name, "corrid" | "msg-tag")
}

fn condition(name: &str, test: &Test) -> String {
    match (name, test) {
        (TIME, _) => return time_test(test),
        (SEVERITY, Test::Above { .. } | Test::Below { .. }) => {
            return severities(|severity| test.holds(&FieldValue::Number(rank(severity))));
        }
        _ => {}
    }
    match kinds(name) {
        (true, true) => format!("({} or {})", text_test(name, test), number_test(name, test)),
        (_, true) => number_test(name, test),
        _ => text_test(name, test),
    }
}

/// Returns the condition for a time. Every entity has one, in whole microseconds.
fn time_test(test: &Test) -> String {
    let (from, to) = match test {
        Test::Exists => return "*".to_owned(),
        Test::Is(text) => match number_of(text) {
            Some(number) if number.fract() == 0.0 => (number, number + 1.0),
            _ => return NOTHING.to_owned(),
        },
        Test::Above { bound, inclusive: true } => (bound.ceil(), f64::INFINITY),
        Test::Above { bound, .. } => (bound.floor() + 1.0, f64::INFINITY),
        Test::Below { bound, inclusive: true } => (f64::NEG_INFINITY, bound.floor() + 1.0),
        Test::Below { bound, .. } => (f64::NEG_INFINITY, bound.ceil()),
        Test::Begins(_) | Test::Contains(_) | Test::Like(_) => return NOTHING.to_owned(),
    };
    // The conversion of a float that is too large gives the largest number.
    times(&(from as i64..to as i64)).unwrap_or_else(|| "*".to_owned())
}

fn text_test(name: &str, test: &Test) -> String {
    let Some(column) = column(TEXTS, name).map(|column| quoted(&column)) else { return NOTHING.to_owned() };
    let several = may_be_several(name);
    match test {
        Test::Is(text) if text.is_empty() => NOTHING.to_owned(),
        Test::Is(text) => one_of(&column, &escaped(&cut(text)), several),
        Test::Begins(text) if !text.is_empty() => {
            let text = escaped(text);
            let one = format!("{column}:={}*", quoted(&text));
            if several { format!("({one} or {column}:*{}*)", quoted(&format!("{BETWEEN}{text}"))) } else { one }
        }
        Test::Contains(text) if !text.is_empty() => format!("{column}:*{}*", quoted(&escaped(text))),
        Test::Like(pattern) => format!("{column}:~{}", quoted(&regex(pattern, several))),
        Test::Exists | Test::Begins(_) | Test::Contains(_) => format!("{column}:*"),
        Test::Above { .. } | Test::Below { .. } => NOTHING.to_owned(),
    }
}

/// Converts a pattern with `%` and `_` to a regular expression for a whole value, which may be one of several.
fn regex(pattern: &str, several: bool) -> String {
    // An escaped character consists of three; see `escaped`.
    let any = format!("(?:{ESCAPE}..|[^{BETWEEN}{ESCAPE}])");
    let mut regex = String::from("(?s)");
    regex.push_str(&if several { format!("(?:^|{BETWEEN})") } else { "^".to_owned() });
    for sign in signs(pattern) {
        match sign {
            Sign::Any => regex.extend([any.as_str(), "*"]),
            Sign::One => regex.push_str(&any),
            Sign::Same(c) if c.is_ascii_punctuation() => regex.extend(['\\', c]),
            Sign::Same(c) => regex.push_str(&escaped(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(&if several { format!("(?:{BETWEEN}|$)") } else { "$".to_owned() });
    regex
}

/// Returns the condition for a value, which may be one of several.
fn one_of(column: &str, value: &str, several: bool) -> String {
    let alone = format!("{column}:={}", quoted(value));
    match several {
        true => format!("({alone} or {column}:*{}*)", quoted(&format!("{BETWEEN}{value}{BETWEEN}"))),
        false => alone,
    }
}

fn number_test(name: &str, test: &Test) -> String {
    let of = |prefix| column(prefix, name).map(|column| quoted(&column));
    let (Some(alone), Some(least), Some(greatest)) = (of(NUMBERS), of(LEAST), of(GREATEST)) else {
        return NOTHING.to_owned();
    };
    let several = may_be_several(name);
    let compared = |sign: &str, bound: f64, inclusive: bool, extreme: &str| {
        let test = format!("{sign}{}{}", if inclusive { "=" } else { "" }, number(bound.clamp(f64::MIN, f64::MAX)));
        if several { format!("({alone}:{test} or {extreme}:{test})") } else { format!("{alone}:{test}") }
    };
    match test {
        Test::Exists => format!("{alone}:*"),
        Test::Is(text) => match number_of(text) {
            Some(wanted) => one_of(&alone, &number(wanted), several),
            None => NOTHING.to_owned(),
        },
        Test::Above { bound, inclusive } => compared(">", *bound, *inclusive, &greatest),
        Test::Below { bound, inclusive } => compared("<", *bound, *inclusive, &least),
        Test::Begins(_) | Test::Contains(_) | Test::Like(_) => NOTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{beyond, question};
    use crate::filter::Filter;
    use crate::query::Query;
    use crate::store::EntityId;
    use jkool_model::Timestamp;

    fn asked(text: &str) -> String {
        let filter = Filter::take(&mut Query::parse(text)).unwrap();
        let question = question(&filter, &(i64::MIN..i64::MAX));
        question.strip_prefix(r#"{store="jkool"}"#).unwrap().trim_start().to_owned()
    }

    #[test]
    fn a_filter_is_a_question() {
        for (filter, expected) in [
            ("", ""),
            ("kind=event&operation=pay", r#""t.kind":="event" "t.operation":="pay""#),
            ("severity=>=FATAL", r#""t.severity":in("FATAL","HALT")"#),
            ("source=APPL=Shop%23SERVER=web-1", r#""t.APPL":="Shop" "t.SERVER":="web-1""#),
            ("corrid=c1", r#"("t.corrid":="c1" or "t.corrid":*"\x01c1\x01"*)"#),
            ("text=Pay*+\"no+Stock\"+-t%C3%89st", r#"_msg:*" pay"* _msg:*" no stock "* !_msg:*" test "*"#),
            ("text=...", "!*"),
            ("where=user!=alice", r#"!("t.user":="alice")"#),
            ("where=user", r#""t.user":*"#),
            ("where=user^=al", r#""t.user":="al"*"#),
            ("where=user*=li", r#""t.user":*"li"*"#),
            ("where=user~=a.%25_", "\"t.user\":~\"(?s)^a\\\\.(?:\\x02..|[^\\x01\\x02])*(?:\\x02..|[^\\x01\\x02])$\""),
            ("where=elapsed-time-usec>1s", r#""n.elapsed-time-usec":>1000000"#),
            ("where=properties.a<=1.5", r#"(!* or ("n.properties.a":<=1.5 or "lo.properties.a":<=1.5))"#),
            (
                "where=properties.a=1.50",
                concat!(
                    r#"(("t.properties.a":="1.50" or "t.properties.a":*"\x011.50\x01"*) or "#,
                    r#"("n.properties.a":="1.5" or "n.properties.a":*"\x011.5\x01"*))"#
                ),
            ),
            ("where=time-usec>=2016-03-09T12:00:00Z", "_time:>=2016-03-09T12:00:00.000000Z"),
            ("where=severity<INFO", r#""t.severity":in("NONE","TRACE","DEBUG")"#),
        ] {
            assert_eq!(asked(filter), expected, "{filter}");
        }
    }

    #[test]
    fn no_value_and_no_name_means_anything_else() {
        let value = r#"where=user="*) or * | delete _time \ %0A%01"#;
        assert_eq!(asked(value), r#""t.user":="\"*) or * | delete _time \\ \x0a\x02\x03\x03""#);
        let name = r#"where=properties.":* or x*%>1"#;
        assert_eq!(
            asked(&name.replace('%', "%25")),
            r#"(!* or ("n.properties.\":%2A or x%2A%25":>1 or "hi.properties.\":%2A or x%2A%25":>1))"#
        );
        assert_eq!(asked(&format!("where=properties.{}=x", "y".repeat(200))), "(!* or !*)");
    }

    #[test]
    fn times_have_an_end_that_is_outside() {
        let filter = Filter::default();
        let of = |range| question(&filter, &range).replace("{store=\"jkool\"}", "").trim().to_owned();
        assert_eq!(of(5..9), "_time:[1970-01-01T00:00:00.000005Z, 1970-01-01T00:00:00.000009Z)");
        assert_eq!(of(5..i64::MAX), "_time:>=1970-01-01T00:00:00.000005Z");
        assert_eq!(of(5..5), "!*");
        let id = EntityId::new(Timestamp::from_usec(7), 3);
        assert_eq!(
            beyond(id, true),
            concat!(
                "_time:<1970-01-01T00:00:00.000008Z (!_time:[1970-01-01T00:00:00.000007Z, 1970-01-01T00:00:00.000008Z) ",
                r#"or seq:string_range("a", "aaaaaaaaaaaaaaad"))"#
            )
        );
    }
}
