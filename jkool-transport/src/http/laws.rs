//! Properties that hold whatever a server sends: the tests check them with random input, `fuzz/` with a fuzzer.

use super::{http_date, retry_after};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// For any headers at any time: no wait is longer than five minutes, several headers wait as long as the longest of them, and a
/// header waits as long as it says.
pub(crate) fn retry_after(values: &[&[u8]], now: SystemTime) {
    let of = |values: &[&[u8]]| retry_after::longest(values.iter().copied(), now);
    let most = Duration::from_secs(300);
    let waits: Vec<_> = values.iter().map(|value| of(&[value])).collect();
    assert_eq!(of(values), waits.iter().copied().flatten().max());
    for (value, wait) in values.iter().zip(waits) {
        assert!(wait.is_none_or(|wait| wait <= most), "{wait:?}");
        let Ok(text) = std::str::from_utf8(value) else {
            assert_eq!(wait, None);
            continue;
        };
        let text = text.trim_matches([' ', '\t']);
        if let Some(date) = http_date::parse(text, now) {
            assert_eq!(wait, Some(date.duration_since(now).unwrap_or_default().min(most)));
            date_survives(date, now);
        } else if wait.is_some() {
            assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "{text:?}");
            let significant = text.trim_start_matches('0');
            let seconds = if significant.len() > 3 { 300 } else { format!("0{significant}").parse().unwrap_or(300) };
            assert_eq!(wait, Some(Duration::from_secs(seconds).min(most)));
        } else {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(!digits, "{text:?}");
        }
    }
}

/// A date is the same in each form that has the whole year. A year of two digits becomes one that ends in them and is at most
/// fifty years in the future.
fn date_survives(date: SystemTime, now: SystemTime) {
    let seconds = since_epoch(date);
    if seconds > 253_402_300_799 {
        return; // The leap second after the last year of four digits.
    }
    let [today, old, older] = forms(seconds);
    for form in [&today, &older] {
        assert_eq!(http_date::parse(form, now), Some(date), "{form}");
    }
    if let Some(read) = http_date::parse(&old, now) {
        let [_, again, _] = forms(since_epoch(read));
        let without_weekday = |form: &str| form.split_once(',').map(|(_, rest)| rest.to_owned());
        assert_eq!(without_weekday(&again), without_weekday(&old));
        assert!(read.duration_since(now).unwrap_or_default().as_secs() <= 50 * 31_556_952, "{old}");
    }
}

fn since_epoch(date: SystemTime) -> u64 {
    date.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The forms of a date in RFC 9110. Days are counted one by one, slowly and unlike the parser.
fn forms(seconds: u64) -> [String; 3] {
    const NAMES: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [(&str, u64); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let leap_day = |year: u64| u64::from(year % 400 == 0 || (year % 4 == 0 && year % 100 != 0));
    let (mut year, mut day) = (1970, days);
    while day >= 365 + leap_day(year) {
        day -= 365 + leap_day(year);
        year += 1;
    }
    let mut name = "";
    for (month, length) in MONTHS {
        name = month;
        let length = if month == "Feb" { length + leap_day(year) } else { length };
        if day < length {
            break;
        }
        day -= length;
    }
    let (day, weekday) = (day + 1, NAMES[(days % 7) as usize]);
    let (short, time) = (&weekday[..3], format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60));
    [
        format!("{short}, {day:02} {name} {year} {time} GMT"),
        format!("{weekday}, {day:02}-{name}-{:02} {time} GMT", year % 100),
        format!("{short} {name} {day:2} {time} {year}"),
    ]
}
