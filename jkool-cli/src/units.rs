//! Durations and sizes, as people write them.

use std::time::Duration;

const DURATIONS: [(&str, f64); 6] =
    [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

const SIZES: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// `250ms`, `1.5s`, `10m`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let duration = DURATIONS.iter().find(|(name, _)| *name == unit).and_then(|(_, seconds)| {
        let number: f64 = number.parse().ok()?;
        Duration::try_from_secs_f64(number * seconds).ok()
    });
    duration.ok_or_else(|| "expected a duration such as 250ms, 1.5s, 10m, 1h or 7d".into())
}

/// `512MB`, `2GiB`, `1000` (bytes).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let unit = if unit.is_empty() { "B" } else { unit };
    let size = SIZES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .and_then(|(_, bytes)| number.parse::<u64>().ok()?.checked_mul(*bytes));
    size.ok_or_else(|| "expected a size such as 512MB, 2GB or 1GiB".into())
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.trim(), unit.trim())
}

/// A whole number, with commas between the thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats bytes, in the largest unit of which there is at least one.
pub(crate) fn bytes(bytes: u64) -> String {
    match SIZES[..4].iter().rev().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} B"),
    }
}

/// Formats a duration in microseconds: `412 us`, `12 ms`, `3.4 s`.
pub(crate) fn elapsed(usec: i64) -> String {
    match usec {
        1_000_000.. => format!("{:.1} s", usec as f64 / 1e6),
        1_000.. => format!("{} ms", usec / 1_000),
        _ => format!("{usec} us"),
    }
}

/// Formats an age in microseconds, in the largest unit of which there is at least one.
pub(crate) fn age(usec: i64) -> String {
    let seconds = usec.max(0) / 1_000_000;
    let (unit, size) =
        [("d", 86_400), ("h", 3_600), ("min", 60)].into_iter().find(|(_, size)| seconds >= *size).unwrap_or(("s", 1));
    format!("{} {unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::{age, bytes, count, duration, elapsed, size};
    use std::time::Duration;

    #[test]
    fn durations_and_sizes_are_read() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("1 gib"), Ok(1 << 30));
        assert_eq!(size("1000"), Ok(1_000));
        for text in ["", "5", "s", "-1s", "1w", "1e400s", "infs", "nan s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "GB", "-1", "1.5GB", "99999999999GB", "1PB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([17, 1_536, 3 << 30].map(bytes), ["17 B", "1.5 KiB", "3.0 GiB"]);
        assert_eq!([412, 12_900, 3_440_000].map(elapsed), ["412 us", "12 ms", "3.4 s"]);
        assert_eq!([-5, 3_900_000, 90_000_000, 172_800_000_000].map(age), ["0 s", "3 s", "1 min", "2 d"]);
    }
}
