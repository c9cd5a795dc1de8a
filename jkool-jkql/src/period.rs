//! Periods of time in statements, and their conversion to times.

use crate::moment::{InvalidMoment, Zone, moment};
use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, Zoned};
use std::fmt;
use std::ops::Range;

/// A period of time in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// All of time.
    All,
    /// `today`, or a number of days before.
    Day {
        /// 0 is today, 1 yesterday.
        back: u32,
    },
    /// `latest 3 hours`: the time up to now.
    Latest(u32, Unit),
    /// `this week`: from its start to its end.
    This(Unit),
    /// `last week`: the whole week before this one.
    Previous(Unit),
    /// From one time up to, and not including, another; if the end is a date, that day is included.
    Between(String, String),
    /// From a day or point in time on: `since '08:00'`.
    Since(String),
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// All units, with their names.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("second", Self::Second),
        ("minute", Self::Minute),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("year", Self::Year),
    ];

    /// The length of the unit, if it is fixed.
    pub(crate) fn seconds(self) -> Option<u64> {
        match self {
            Self::Second => Some(1),
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::Week => Some(604_800),
            Self::Month | Self::Year => None,
        }
    }

    fn span(self, count: i64) -> Result<Span, jiff::Error> {
        let span = Span::new();
        match self {
            Self::Second => span.try_seconds(count),
            Self::Minute => span.try_minutes(count),
            Self::Hour => span.try_hours(count),
            Self::Day => span.try_days(count),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
            Self::Year => span.try_years(count),
        }
    }

    /// The start of the unit that contains `now`.
    fn begin(self, now: &Zoned) -> Result<Zoned, jiff::Error> {
        let day: Date = now.date();
        let from = match self {
            Self::Second => return now.with().subsec_nanosecond(0).build(),
            Self::Minute => return now.with().second(0).subsec_nanosecond(0).build(),
            Self::Hour => return now.with().minute(0).second(0).subsec_nanosecond(0).build(),
            Self::Day => day,
            Self::Week => day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days())?,
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        };
        from.to_zoned(now.time_zone().clone())
    }
}

impl Period {
    /// Returns the range of times in microseconds since 1970, given the current time `now`. The end is not included.
    ///
    /// ```
    /// use jkool_jkql::{Period, Zone};
    /// let berlin: Zone = "Europe/Berlin".parse()?;
    /// let noon = 1_457_524_800_000_000; // 2016-03-09 12:00 in UTC, 13:00 in Berlin
    /// let today = Period::Day { back: 0 }.range(noon, &berlin)?;
    /// assert_eq!(today, noon - 13 * 3_600_000_000..noon + 11 * 3_600_000_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a date in it cannot be parsed, or is out of range.
    pub fn range(&self, now: i64, zone: &Zone) -> Result<Range<i64>, InvalidMoment> {
        let outside = |error: jiff::Error| InvalidMoment::new(&self.to_string(), &error);
        let at = Timestamp::from_microsecond(now).map_err(outside)?.to_zoned(zone.0.clone());
        let usec = |time: &Zoned| time.timestamp().as_microsecond();
        let unit = |unit: Unit, back: i64| {
            let begin = unit.begin(&at)?.checked_sub(unit.span(back)?)?;
            Ok(usec(&begin)..usec(&begin.checked_add(unit.span(1)?)?))
        };
        match self {
            Self::All => Ok(i64::MIN..i64::MAX),
            Self::Day { back } => unit(Unit::Day, i64::from(*back)).map_err(outside),
            Self::This(of) => unit(*of, 0).map_err(outside),
            Self::Previous(of) => unit(*of, 1).map_err(outside),
            Self::Latest(count, of) => {
                let from = of.span(i64::from(*count)).and_then(|span| at.checked_sub(span)).map_err(outside)?;
                Ok(usec(&from)..now)
            }
            Self::Between(from, to) => {
                let (from, to) = (moment(from, now, zone)?, moment(to, now, zone)?);
                Ok(from.start..to.end)
            }
            Self::Since(from) => Ok(moment(from, now, zone)?.start..i64::MAX),
        }
    }
}

/// The syntax of statements.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |of: &Unit| Unit::ALL.iter().find(|(_, unit)| unit == of).map_or("", |(name, _)| name);
        match self {
            Self::All => f.write_str("all"),
            Self::Day { back: 0 } => f.write_str("today"),
            Self::Day { back: 1 } => f.write_str("yesterday"),
            Self::Day { back } => write!(f, "{back} days ago"),
            Self::Latest(1, of) => write!(f, "latest {}", name(of)),
            Self::Latest(count, of) => write!(f, "latest {count} {}s", name(of)),
            Self::This(of) => write!(f, "this {}", name(of)),
            Self::Previous(of) => write!(f, "previous {}", name(of)),
            Self::Between(from, to) => write!(f, "'{from}' to '{to}'"),
            Self::Since(from) => write!(f, "since '{from}'"),
        }
    }
}
