//! Dates and times as people write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A time zone: `Europe/Berlin`, `UTC`, `+02:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(pub(crate) TimeZone);

/// An error for a text that is not a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time zone such as Europe/Berlin, UTC or +02:00")]
pub struct UnknownZone;

/// An error for a text that is not a time, or is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: {why}")]
pub struct InvalidMoment {
    text: String,
    why: String,
}

impl InvalidMoment {
    /// Returns what was expected, or why the time is out of range.
    pub fn expected(&self) -> &str {
        self.why.strip_prefix("expected ").unwrap_or(&self.why)
    }

    pub(crate) fn new(text: &str, why: &dyn fmt::Display) -> Self {
        Self { text: text.chars().take(64).collect(), why: why.to_string() }
    }
}

impl Zone {
    /// Returns the time zone of this machine, or UTC if it has no named one.
    pub fn local() -> Self {
        let named = TimeZone::try_system().ok().filter(|zone| zone.iana_name().is_some());
        Self(named.unwrap_or(TimeZone::UTC))
    }

    /// Formats a time, in microseconds since 1970, in this time zone: `2016-03-09 13:00:00.000000+01:00`.
    pub fn show(&self, usec: i64) -> String {
        match Timestamp::from_microsecond(usec) {
            Ok(time) => time.to_zoned(self.0.clone()).strftime("%Y-%m-%d %H:%M:%S.%6f%:z").to_string(),
            Err(_) => usec.to_string(),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        match text.trim() {
            "" => return Err(UnknownZone),
            "Z" | "UTC" | "GMT" => return Ok(Self::default()),
            _ => {}
        }
        // An offset is parsed as part of a date.
        let offset = || jiff::fmt::strtime::parse("%:z", text).ok()?.offset();
        let offset = offset().map(TimeZone::fixed);
        offset.or_else(|| TimeZone::get(text.trim()).ok()).map(Self).ok_or(UnknownZone)
    }
}

/// The same syntax as for parsing.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.iana_name(), self.0.to_fixed_offset()) {
            (Some(name), _) => f.write_str(name),
            (None, Ok(offset)) => write!(
                f,
                "{}",
                jiff::fmt::strtime::format("%:z", &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::fixed(offset)))
                    .unwrap_or_default()
            ),
            (None, Err(_)) => f.write_str("UTC"),
        }
    }
}

/// Formats of dates. Formats in which day and month can be confused are not included.
const DAYS: [&str; 8] =
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"];

/// Formats of times of day.
const TIMES: [&str; 4] = ["%H:%M:%S%.f", "%H:%M", "%I:%M %p", "%I %p"];

/// Parses a time as people write it, given the current time `now`. Returns a range in microseconds since 1970: a whole day, or
/// a single microsecond for a point in time.
///
/// It accepts a date, a time of today, or both, with or without a time zone; `now`, `today`, `yesterday`, `tomorrow`; an age
/// such as `1h30m` or `2 days ago`; and microseconds since 1970.
///
/// ```
/// use jkool_jkql::{Zone, moment};
/// let now = 1_457_524_800_000_000; // 2016-03-09 12:00 in UTC
/// let berlin: Zone = "Europe/Berlin".parse()?;
/// assert_eq!(moment("2016-03-09 13:00", 0, &berlin)?.start, now);
/// assert_eq!(moment("9 Mar 2016 12:00 UTC", 0, &berlin)?.start, now);
/// assert_eq!(moment("1h30m", now, &berlin)?.start, now - 5_400_000_000);
/// assert!(moment("03/09/2016", now, &berlin).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If it cannot be parsed, or is out of range.
pub fn moment(text: &str, now: i64, zone: &Zone) -> Result<Range<i64>, InvalidMoment> {
    const EXPECTED: &str = "expected a date such as 2026-03-09, 9 Mar 2026 or 09.03.2026, a time such as 08:00 or \
                            2026-03-09 08:00:00, with a zone behind it or without, an age such as 1h30m, or now, \
                            today, yesterday";
    let trimmed = text.trim();
    let point = |usec: i64| usec..usec;
    if let Ok(usec) = trimmed.parse::<i64>() {
        return Ok(point(usec));
    }
    if trimmed.eq_ignore_ascii_case("now") {
        return Ok(point(now));
    }
    if let Ok(time) = trimmed.parse::<Timestamp>() {
        return Ok(point(time.as_microsecond()));
    }
    let outside = |error: jiff::Error| InvalidMoment::new(text, &error);
    // A time zone may follow at the end.
    let with_zone = || {
        let (before, last) = trimmed.rsplit_once(' ')?;
        Some((before.trim(), last.parse::<Zone>().ok()?))
    };
    let (said, zone) = with_zone().unwrap_or((trimmed, zone.clone()));
    let today = Timestamp::from_microsecond(now).map_err(outside)?.to_zoned(zone.0.clone());
    let usec = |time: DateTime| Ok(time.to_zoned(zone.0.clone()).map_err(outside)?.timestamp().as_microsecond());
    if let Some(day) = day(said, today.date()) {
        let next = day.checked_add(1.day()).map_err(outside)?;
        return Ok(usec(day.into())?..usec(next.into())?);
    }
    if let Some(time) = time(said) {
        return Ok(point(usec(today.date().to_datetime(time))?));
    }
    let both = said.char_indices().filter(|(_, c)| matches!(c, ' ' | 'T')).find_map(|(at, _)| {
        let day = day(said.get(..at)?.trim().trim_end_matches(','), today.date())?;
        Some(day.to_datetime(time(said.get(at + 1..)?.trim())?))
    });
    if let Some(both) = both {
        return Ok(point(usec(both)?));
    }
    let age = trimmed.strip_suffix("ago").unwrap_or(trimmed).trim();
    let Some(age) = age.parse::<SignedDuration>().ok().filter(|age| !age.is_negative()).or_else(|| days(age)) else {
        return Err(InvalidMoment::new(text, &EXPECTED));
    };
    let age = i64::try_from(age.as_micros()).map_err(|_| InvalidMoment::new(text, &"it is too long ago"))?;
    Ok(point(now.saturating_sub(age)))
}

fn day(text: &str, today: Date) -> Option<Date> {
    match text.to_ascii_lowercase().as_str() {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        "tomorrow" => today.tomorrow().ok(),
        _ => DAYS.iter().find_map(|format| Date::strptime(format, text).ok()),
    }
}

fn time(text: &str) -> Option<Time> {
    TIMES.iter().find_map(|format| Time::strptime(format, text).ok())
}

/// `7d`, `2 weeks`; a day has 24 hours.
fn days(text: &str) -> Option<SignedDuration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = text.get(..end)?.parse().ok()?;
    let hours = match text.get(end..)?.trim() {
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 168,
        _ => return None,
    };
    count.checked_mul(hours)?.checked_mul(3_600).map(SignedDuration::from_secs)
}
