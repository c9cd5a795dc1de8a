//! Parses an HTTP date (RFC 9110, section 5.6.7), which has three forms, two of them obsolete.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const FIFTY_YEARS: Duration = Duration::from_secs(50 * 31_556_952);

/// Returns the time of `text`; `None` if it is not an HTTP date, or is before 1970. `now` determines the century of a year with
/// two digits: such a date is never more than 50 years in the future.
pub(super) fn parse(text: &str, now: SystemTime) -> Option<SystemTime> {
    let mut parts = text.split([' ', ',', '-']).filter(|part| !part.is_empty());
    let mut next = || parts.next();
    let weekday = next()?;
    if weekday.len() < 3 || !weekday.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let second = next()?;
    let (day, month, year, time) = if MONTHS.contains(&second) {
        // Sun Nov  6 08:49:37 1994
        let (month, day, time, year) = (second, next()?, next()?, next()?);
        (day, month, year, time)
    } else {
        // Sun, 06 Nov 1994 08:49:37 GMT or Sunday, 06-Nov-94 08:49:37 GMT
        let (day, month, year, time) = (second, next()?, next()?, next()?);
        if next()? != "GMT" {
            return None;
        }
        (day, month, year, time)
    };
    if next().is_some() {
        return None;
    }
    let (day, month) = (number(day, 2)?, MONTHS.iter().position(|name| *name == month)?);
    let seconds = seconds_of_day(time)?;
    match year.len() {
        4 => date(number(year, 4)?, month, day, seconds),
        2 => {
            let year = 2000 + number(year, 2)?;
            let date_in = |year| date(year, month, day, seconds);
            date_in(year)
                .filter(|date| now.checked_add(FIFTY_YEARS).is_some_and(|limit| *date <= limit))
                .or_else(|| date_in(year - 100))
        }
        _ => None,
    }
}

/// A number with at most so many digits, and nothing else.
fn number(text: &str, digits: usize) -> Option<u64> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// `08:49:37`; a leap second counts as the one after it.
fn seconds_of_day(time: &str) -> Option<u64> {
    let mut parts = time.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let valid = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    valid.then_some(hour * 3600 + minute * 60 + second)
}

/// `month` counts from 0.
fn date(year: u64, month: usize, day: u64, seconds: u64) -> Option<SystemTime> {
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if leap(year) {
        lengths[1] = 29;
    }
    if year < 1970 || day == 0 || day > *lengths.get(month)? {
        return None;
    }
    let leap_days_before = |year: u64| year / 4 - year / 100 + year / 400;
    let days = (year - 1970) * 365 + leap_days_before(year - 1) - leap_days_before(1969);
    let days = days + lengths.iter().take(month).sum::<u64>() + day - 1;
    UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn read(text: &str) -> Option<u64> {
        let date = parse(text, at(784_111_777))?;
        date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    #[test]
    fn known_dates() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Sun Nov 06 08:49:37 1994", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn two_digits_of_a_year_mean_the_nearest_past_or_fifty_years() {
        assert_eq!(read("Sunday, 06-Oct-44 08:49:37 GMT"), read("Thu, 06 Oct 2044 08:49:37 GMT"));
        assert_eq!(read("Sunday, 06-Dec-44 08:49:37 GMT"), None, "1944 is before 1970");
        assert_eq!(read("Sunday, 06-Nov-70 08:49:37 GMT"), read("Sun, 06 Nov 1970 08:49:37 GMT"));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 29 Feb 1900 00:00:00 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Thu, 31 Apr 2020 00:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 199 08:49:37 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
