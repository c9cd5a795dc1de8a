//! Times, as programs write them. Times without an offset are in UTC.

use jkool_client::model::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses a value that is only a time: ISO 8601, or a number since 1970 in any unit, with an optional fraction.
pub(super) fn of_value(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return (number > 0).then(|| Timestamp::from_unix(number));
    }
    if let Ok(number) = text.parse::<f64>() {
        return of_seconds(number);
    }
    leading(text).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| time)
}

/// Seconds since 1970 with a fraction, or milliseconds.
pub(super) fn of_seconds(number: f64) -> Option<Timestamp> {
    let seconds = if number < 1e11 { number } else { number / 1e3 };
    (seconds > 0.0 && seconds < 2e11).then(|| Timestamp::from_usec((seconds * 1e6).round() as i64))
}

/// Parses the time at the beginning of a line, with or without brackets, and returns the rest: ISO 8601 with `T` or a
/// blank, a comma or a point before the fraction, or slashes in the date as Go writes them.
pub(super) fn leading(line: &str) -> Option<(Timestamp, &str)> {
    let (bracket, text) = match line.strip_prefix('[') {
        Some(text) => (true, text),
        None => (false, line),
    };
    let bytes = text.as_bytes();
    // The date.
    let shape =
        |at: usize, digits: usize| bytes.get(at..at + digits).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let separator = *bytes.get(4)?;
    if !(shape(0, 4) && shape(5, 2) && shape(8, 2) && (separator == b'-' || separator == b'/')) || bytes[7] != separator
    {
        return None;
    }
    if !(matches!(bytes.get(10), Some(b'T' | b't' | b' ')) && shape(11, 2) && shape(14, 2) && shape(17, 2)) {
        return None;
    }
    if bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let mut end = 19;
    if matches!(bytes.get(end), Some(b'.' | b',')) && shape(end + 1, 1) {
        end += 1;
        while bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
    }
    let clock = end;
    match bytes.get(end) {
        Some(b'Z' | b'z') => end += 1,
        Some(b'+' | b'-') if shape(end + 1, 2) => {
            end += 3;
            if bytes.get(end) == Some(&b':') && shape(end + 1, 2) {
                end += 3;
            } else if shape(end, 2) {
                end += 2;
            }
        }
        _ => {}
    }
    // The fraction may have more digits than the model supports.
    let fraction = &text[19..clock];
    let fraction = fraction.get(1..fraction.len().min(7)).map(|digits| format!(".{digits}")).unwrap_or_default();
    let iso =
        format!("{}-{}-{}T{}{fraction}{}", &text[..4], &text[5..7], &text[8..10], &text[11..19], &text[clock..end]);
    let time = iso.parse().ok()?;
    let rest = &text[end..];
    Some((time, if bracket { rest.strip_prefix(']')? } else { rest }))
}

/// `10/Oct/2000:13:55:36 -0700`, of web servers.
pub(super) fn of_access(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(':')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (clock, offset) = rest.split_once(' ').unwrap_or((rest, "+0000"));
    let month = month_number(month)?;
    format!("{year}-{month:02}-{day}T{clock}{offset}").parse().ok()
}

/// Parses `Dec  1 03:14:10` of BSD syslog in the given year, and returns the rest.
pub(super) fn leading_bsd(line: &str, year: i64) -> Option<(Timestamp, &str)> {
    let month = month_number(line.get(..3)?)?;
    let (day, rest) = (line.get(4..6)?.trim_start(), line.get(6..)?);
    let clock = rest.get(1..9)?;
    if line.as_bytes().get(3) != Some(&b' ') || !rest.starts_with(' ') {
        return None;
    }
    let day: u8 = day.parse().ok()?;
    let time = format!("{year:04}-{month:02}-{day:02}T{clock}Z").parse().ok()?;
    Some((time, &rest[9..]))
}

fn month_number(name: &str) -> Option<usize> {
    MONTHS.iter().position(|month| *month == name).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::{leading, leading_bsd, of_access, of_value};

    #[test]
    fn times_are_read_as_programs_write_them() {
        for (line, time, rest) in [
            ("2026-12-01 03:14:10,123 ERROR", "2026-12-01T03:14:10.123000Z", " ERROR"),
            ("2026-12-01T03:14:10.123456789Z x", "2026-12-01T03:14:10.123456Z", " x"),
            ("[2026-12-01T03:14:10+01:00] x", "2026-12-01T02:14:10.000000Z", " x"),
            ("2026/12/01 03:14:10 x", "2026-12-01T03:14:10.000000Z", " x"),
            ("2026-12-01 03:14:10-0500", "2026-12-01T08:14:10.000000Z", ""),
        ] {
            let (found, after) = leading(line).expect(line);
            assert_eq!((found.to_string().as_str(), after), (time, rest), "{line}");
        }
        for line in [
            "",
            "2026",
            "2026-13-01 03:14:10",
            "2026-12-01",
            "x 2026-12-01 03:14:10",
            "2026-12-01 03:14:1ü",
            "[2026-12-01 03:14:10",
        ] {
            assert!(leading(line).is_none(), "{line}");
        }
        let (time, rest) = leading_bsd("Dec  1 03:14:10 web-1", 2026).expect("a time");
        assert_eq!((time.to_string().as_str(), rest), ("2026-12-01T03:14:10.000000Z", " web-1"));
        assert_eq!(of_access("10/Oct/2000:13:55:36 -0700").expect("a time").to_string(), "2000-10-10T20:55:36.000000Z");
        assert_eq!(of_value("1700000000.5").expect("a time").as_usec(), 1_700_000_000_500_000);
        assert_eq!(of_value("1700000000123").expect("a time").as_usec(), 1_700_000_000_123_000);
        assert!(of_value("soon").is_none() && of_value("-5").is_none() && of_value("NaN").is_none());
    }
}
