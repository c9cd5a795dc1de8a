//! Formats times, durations and numbers for people.

use jkool_model::{Property, Severity, Timestamp, Value};
use maud::{Markup, html};

/// A time in UTC, to the millisecond; the title contains the full precision.
pub(super) fn time(time: Timestamp) -> Markup {
    let iso = time.to_string();
    html! {
        time datetime=(iso) title=(format!("{iso} (UTC)")) {
            @match (iso.get(..10), iso.get(11..23)) {
                // A time outside of the years 0 to 9999 is a number.
                (Some(day), Some(clock)) => { span.day { (day) } " " (clock) }
                _ => (iso)
            }
        }
    }
}

/// Formats microseconds in a suitable unit: `850 µs`, `12.3 ms`, `1.50 s`, `15 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4
/// h`.
pub(super) fn duration(usec: i64) -> String {
    let sign = if usec < 0 { "−" } else { "" };
    let usec = usec.unsigned_abs();
    let seconds = usec / 1_000_000;
    let two = |big: u64, big_unit, small: u64, small_unit| match small {
        0 => format!("{sign}{big} {big_unit}"),
        _ => format!("{sign}{big} {big_unit} {small} {small_unit}"),
    };
    match seconds {
        0 if usec < 1_000 => format!("{sign}{usec} µs"),
        0 if usec < 10_000 => format!("{sign}{:.2} ms", usec as f64 / 1e3),
        0 if usec < 100_000 => format!("{sign}{:.1} ms", usec as f64 / 1e3),
        0 => format!("{sign}{:.0} ms", (usec as f64 / 1e3).floor()),
        1..60 if usec.is_multiple_of(1_000_000) => format!("{sign}{seconds} s"),
        1..60 => format!("{sign}{:.2} s", (usec / 10_000) as f64 / 1e2),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// Formats a number with a comma after every three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number with a noun: `1 entry`, `1,234 entries`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// Formats the value of a metric with four significant digits, without trailing zeros.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:e}");
    }
    let before = if size >= 1.0 { size.log10().floor() as usize + 1 } else { 0 };
    let text = format!("{value:.*}", 4_usize.saturating_sub(before));
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Formats the value of a property.
pub(super) fn value(property: &Property) -> String {
    match &property.value {
        Value::Text(text) => text.to_string(),
        Value::BigInt(int) => int.to_string(),
        Value::Double(double) if !double.is_finite() => double.to_string(),
        value => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// Shortens a text to a number of characters, and marks it if it was longer.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Replaces control characters, which are invalid in HTML and invisible, with visible symbols.
pub(super) fn visible(html: String) -> String {
    let sign = |c: char| match c {
        '\t' | '\n' | '\r' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        _ => None,
    };
    if !html.contains(|c| sign(c).is_some()) {
        return html;
    }
    html.chars().map(|c| sign(c).unwrap_or(c)).collect()
}

/// Returns the CSS class of a severity.
pub(super) fn severity_class(severity: Severity) -> String {
    format!("s-{}", severity.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{count, cut, duration, number};

    #[test]
    fn durations_are_said_in_the_unit_that_tells_most() {
        for (usec, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_500, "1.50 ms"),
            (12_340, "12.3 ms"),
            (999_999, "999 ms"),
            (1_500_000, "1.50 s"),
            (15_000_000, "15 s"),
            (59_999_999, "59.99 s"),
            (125_000_000, "2 min 5 s"),
            (3_600_000_000, "1 h"),
            (190_800_000_000, "2 d 5 h"),
            (-1_500, "−1.50 ms"),
        ] {
            assert_eq!(duration(usec), text);
        }
        assert!(duration(i64::MIN).starts_with('−'));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.25, "-0.25"),
            (12.5, "12.5"),
            (1234.56, "1235"),
            (20_000.0, "20000"),
            (1e300, "1e300"),
            (0.00001, "1e-5"),
            (0.123_456, "0.1235"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!((count(7), count(1_234), count(1_234_567)), ("7".into(), "1,234".into(), "1,234,567".into()));
        assert_eq!((cut("größer", 3), cut("abc", 3)), ("grö…".into(), "abc".into()));
    }
}
