//! Points in time, in the protocol's unit.

use serde::{Serialize, Serializer};
use std::fmt;
use std::time::{Duration, SystemTime};

/// A point in time: whole microseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use jkool_model::Timestamp;
/// use std::time::{Duration, SystemTime};
/// let time: Timestamp = (SystemTime::UNIX_EPOCH + Duration::from_millis(1_457_524_800_000)).into();
/// assert_eq!(time, Timestamp::from_usec(1_457_524_800_000_000));
/// assert_eq!("2016-03-09T12:00:00Z".parse::<Timestamp>()?, time);
/// # Ok::<(), jkool_model::InvalidTimestamp>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// An error for a text that is not a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected microseconds since 1970 or an ISO 8601 time such as 2016-03-09T12:00:00Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The end of the year 9999, the largest four-digit year.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Creates it from microseconds since 1970.
    pub const fn from_usec(usec: i64) -> Self {
        Self(usec)
    }

    /// Returns microseconds since 1970.
    pub const fn as_usec(self) -> i64 {
        self.0
    }

    /// Creates it from a number since 1970 of unknown unit: seconds, milliseconds, microseconds or nanoseconds, derived from
    /// the size of the number. This works for the years 1973 to 5138; smaller numbers are seconds.
    ///
    /// ```
    /// use jkool_model::Timestamp;
    /// for number in [1_457_524_800, 1_457_524_800_000, 1_457_524_800_000_000, 1_457_524_800_000_000_000] {
    ///     assert_eq!(Timestamp::from_unix(number).to_string(), "2016-03-09T12:00:00.000000Z");
    /// }
    /// ```
    pub const fn from_unix(number: i64) -> Self {
        const SECONDS: u64 = 100_000_000_000;
        Self(match number.unsigned_abs() {
            size if size < SECONDS => number * 1_000_000,
            size if size < SECONDS * 1_000 => number * 1_000,
            size if size < SECONDS * 1_000_000 => number,
            _ => number / 1_000,
        })
    }
}

/// A time before 1970 is negative; a time out of range becomes the nearest one in range.
impl From<SystemTime> for Timestamp {
    #[inline]
    fn from(time: SystemTime) -> Self {
        let usec = |duration: Duration| {
            let whole = i64::try_from(duration.as_secs()).ok().and_then(|secs| secs.checked_mul(1_000_000));
            whole.and_then(|usec| usec.checked_add(duration.subsec_micros().into())).unwrap_or(i64::MAX)
        };
        Self(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => usec(since),
            Err(before) => -usec(before.duration()),
        })
    }
}

/// Less than a microsecond is cut off.
#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> From<chrono::DateTime<Tz>> for Timestamp {
    fn from(time: chrono::DateTime<Tz>) -> Self {
        Self(time.timestamp_micros())
    }
}

/// Less than a microsecond is cut off; a time out of range becomes the nearest one in range.
#[cfg(feature = "time")]
impl From<time::OffsetDateTime> for Timestamp {
    fn from(time: time::OffsetDateTime) -> Self {
        Self(nearest(time.unix_timestamp_nanos().div_euclid(1_000)))
    }
}

/// Less than a microsecond is cut off; a time out of range becomes the nearest one in range.
#[cfg(feature = "time")]
impl From<time::UtcDateTime> for Timestamp {
    fn from(time: time::UtcDateTime) -> Self {
        Self(nearest(time.unix_timestamp_nanos().div_euclid(1_000)))
    }
}

/// Returns the number of microseconds, or the nearest one of 64 bits.
#[cfg(any(feature = "chrono", feature = "time"))]
pub(crate) fn nearest(usec: i128) -> i64 {
    i64::try_from(usec).unwrap_or(if usec < 0 { i64::MIN } else { i64::MAX })
}

/// Parses microseconds, and ISO 8601 (`2016-03-09T12:00:00`, with an optional fraction and offset; UTC without one).
///
/// An offset is `Z`, `+01:00`, `+0100`, `+01`, or one of the names of RFC 5322, which are unambiguous: `UTC`, `UT`, `GMT`,
/// `EST`, `EDT`, `CST`, `CDT`, `MST`, `MDT`, `PST`, `PDT`. Another name is an error.
impl std::str::FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().parse() {
            Ok(usec) => Ok(Self(usec)),
            Err(_) => parse_iso(text.trim()).map(Self).ok_or(InvalidTimestamp),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// ISO 8601 in UTC, in microseconds: `2016-03-09T12:00:00.000000Z`. Outside of the years 0 to 9999 it is the number of
/// microseconds.
///
/// ```
/// use jkool_model::Timestamp;
/// assert_eq!(Timestamp::from_usec(1_457_524_800_000_001).to_string(), "2016-03-09T12:00:00.000001Z");
/// ```
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, usec) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date(days);
        if !(0..=9_999).contains(&year) {
            return write!(f, "{}", self.0);
        }
        let seconds = usec / 1_000_000;
        let (hour, minute, second, micros) = (seconds / 3_600, seconds / 60 % 60, seconds % 60, usec % 1_000_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

const DAY: i64 = 86_400_000_000;

fn parse_iso(text: &str) -> Option<i64> {
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let mut days = date.split('-');
    let (year, month, day) = (digits(days.next()?, 4)?, digits(days.next()?, 2)?, digits(days.next()?, 2)?);
    if days.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let mut usec = days_since_epoch(year, month, day) * DAY;
    if rest.is_empty() {
        return Some(usec);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let offset_at = rest.find(|c: char| c == '+' || c == '-' || c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(offset_at);
    usec += clock_usec(clock.trim_end())?;
    Some(usec - offset_minutes(offset)? * 60_000_000)
}

/// The offset from UTC in minutes, positive to the east.
fn offset_minutes(offset: &str) -> Option<i64> {
    let Some(amount) = offset.strip_prefix(['+', '-']) else {
        return ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(offset)).map(|(_, hours)| hours * 60);
    };
    let (hours, minutes) = match amount.split_once(':') {
        Some(parts) => parts,
        None if amount.len() == 2 => (amount, "00"),
        None => amount.split_at_checked(2)?,
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(if offset.starts_with('-') { -1 } else { 1 } * (hours * 60 + minutes))
}

const ZONES: [(&str, i64); 13] = [
    ("", 0),
    ("Z", 0),
    ("UTC", 0),
    ("UT", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// `12:00`, `12:00:00`, `12:00:00.123456`, `12:00:00,123`; digits beyond the sixth are dropped.
fn clock_usec(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(6)];
    let micros = digits(fraction, fraction.len())? * 10_i64.pow(6 - fraction.len() as u32);
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

fn digits(text: &str, len: usize) -> Option<i64> {
    let all_digits = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok())?
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Years start in March, so that the leap day is the last day of a year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

/// Converts days since 1970 to year, month and day: the inverse of [`days_since_epoch`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use std::time::{Duration, SystemTime};

    #[test]
    fn iso_times_are_read() {
        for (text, usec) in [
            ("1970-01-01", 0),
            ("2016-03-09T12:00:00", 1_457_524_800_000_000),
            ("2016-03-09 12:00", 1_457_524_800_000_000),
            ("2016-03-09T12:00:00.5Z", 1_457_524_800_500_000),
            ("2016-03-09T12:00:00.1234567Z", 1_457_524_800_123_456),
            ("2016-03-09T14:30:00+02:30", 1_457_524_800_000_000),
            ("2016-03-09T09:30:00-02:30", 1_457_524_800_000_000),
            ("2016-03-09T12:00:00.12345Z", 1_457_524_800_123_450),
            ("2016-03-09 12:00:00,123", 1_457_524_800_123_000),
            ("2016-03-09 07:00:00.018593 EST", 1_457_524_800_018_593),
            ("2016-03-09 07:00:00.018593 -0500", 1_457_524_800_018_593),
            ("2016-03-09T13:00:00+01", 1_457_524_800_000_000),
            ("2016-03-09T12:00:00 UTC", 1_457_524_800_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("1969-12-31T23:59:59Z", -1_000_000),
            ("9999-12-31T23:59:59.999999Z", Timestamp::MAX.as_usec()),
            ("1457524800000000", 1_457_524_800_000_000),
            ("-5", -5),
        ] {
            assert_eq!(text.parse(), Ok(Timestamp::from_usec(usec)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2016-13-01",
            "2016-02-30",
            "1900-02-29",
            "2016-03-09T25:00:00",
            "2016-03-09T12",
            "2016-3-9",
            "2016-03-09T12:00:00+2",
            "2016-03-09T12:00:00.",
            "2016-03-09T12:00:00.x",
            "2016-03-09T12:00:00.123456garbage",
            "2016-03-09T12:00:00.1234567x",
            "2016-03-09T12:00:00 XYZ",
            "2016-03-09T12:00:00 IST",
            "2016-03-09T12:00:00Zulu",
            "2016-03-09T12:00:00+99:00",
            "2016-03-09T12:00:00+010",
            "2016-03-09T12:00:00+1:00",
            "20160-3-09",
            "２０１６-03-09",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for usec in (-62_167_219_200_000_000..=Timestamp::MAX.as_usec()).step_by(86_399_999_999 * 13) {
            let time = Timestamp::from_usec(usec);
            assert_eq!(time.to_string().parse(), Ok(time), "{usec}");
        }
        for usec in [i64::MIN, -62_167_219_200_000_001, Timestamp::MAX.as_usec() + 1, i64::MAX] {
            assert_eq!(Timestamp::from_usec(usec).to_string(), usec.to_string());
        }
    }

    #[test]
    fn no_system_time_overflows() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::from(before).as_usec(), -1_000_000);
        if let Some(far) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64 / 2)) {
            assert_eq!(Timestamp::from(far).as_usec(), i64::MAX);
        }
    }
}
