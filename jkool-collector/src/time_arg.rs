//! Points in time, as people and urls write them.

use crate::query::{InvalidQuery, Query};
use jkool_jkql::Zone;
use jkool_model::Timestamp;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A point in time, or an age: `90s`, `15m`, `1h30m`, `7d`, `2026-03-09T12:00:00Z`, or a number of seconds, milli-, micro- or
/// nanoseconds since 1970, which are distinguished by their size.
///
/// ```
/// use jkool_collector::Moment;
/// use jkool_model::Timestamp;
/// let now = Timestamp::from_usec(7_200_000_000);
/// assert_eq!("1h".parse::<Moment>()?.before(now), Timestamp::from_usec(3_600_000_000));
/// # Ok::<(), jkool_collector::InvalidMoment>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An age: this time before now, in whole seconds.
    Ago(Duration),
    /// A point in time.
    At(Timestamp),
}

/// The error for a text that is not a [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an age such as 90s, 15m, 1h30m or 7d, a time such as 2026-03-09T12:00:00Z, or seconds, ms, us or ns since 1970"
)]
pub struct InvalidMoment;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Moment {
    /// Returns the point in time, if the current time is `now`.
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Ago(age) => {
                Timestamp::from_usec(now.as_usec().saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX)))
            }
            Moment::At(time) => time,
        }
    }
}

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let text = text.trim();
        match age(text) {
            Some(age) => Ok(Moment::Ago(age)),
            None => {
                let number = text.parse().ok().map(Timestamp::from_unix);
                number.or_else(|| text.parse().ok()).map(Moment::At).ok_or(InvalidMoment)
            }
        }
    }
}

/// An age: counts with their units, the largest first, each unit once.
fn age(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0_u64);
    for (unit, size) in UNITS {
        if let Some((count, behind)) = rest.split_once(unit) {
            seconds += size * u64::from(count.parse::<u32>().ok()?);
            rest = behind;
        }
    }
    (rest.is_empty() && !text.is_empty()).then(|| Duration::from_secs(seconds))
}

/// Writes what people say of a time as what a [`Moment`] reads: `08:00`, `yesterday`, `9 Mar 2026 8 pm`, all in `zone` unless one
/// stands behind it. Of a whole day, `since` means the beginning and `until` the end.
///
/// # Errors
/// When one is no time.
pub(crate) fn resolve(query: &mut Query, now: Timestamp, zone: &Zone) -> Result<(), InvalidQuery> {
    for parameter in ["since", "until"] {
        for text in query.take_texts(parameter) {
            if text.trim().is_empty() || text.parse::<Moment>().is_ok() {
                query.push(parameter, text);
                continue;
            }
            let range = jkool_jkql::moment(&text, now.as_usec(), zone)
                .map_err(|error| InvalidQuery::new(parameter, &text, format_args!("expected {}", error.expected())))?;
            let usec = if parameter == "since" { range.start } else { range.end };
            query.push(parameter, Timestamp::from_usec(usec));
        }
    }
    Ok(())
}

/// As it is parsed: ages in the largest unit that says them in whole numbers.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Ago(age) => {
                let seconds = age.as_secs();
                let (unit, size) = UNITS.iter().find(|(_, size)| seconds % size == 0).unwrap_or(&('s', 1));
                write!(f, "{}{unit}", seconds / size)
            }
            Moment::At(time) => write!(f, "{time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use crate::query::Query;
    use jkool_model::Timestamp;
    use std::time::Duration;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, moment) in [
            ("90s", Moment::Ago(Duration::from_secs(90))),
            ("15m", Moment::Ago(Duration::from_secs(900))),
            ("1h", Moment::Ago(Duration::from_secs(3_600))),
            ("7d", Moment::Ago(Duration::from_secs(604_800))),
            ("90m", Moment::Ago(Duration::from_secs(5_400))),
            ("2016-03-09T12:00:00.000000Z", Moment::At(Timestamp::from_usec(1_457_524_800_000_000))),
        ] {
            assert_eq!(text.parse(), Ok(moment));
            assert_eq!(moment.to_string(), text);
        }
        for number in ["1457524800", "1457524800000", "1457524800000000"] {
            assert_eq!(number.parse(), Ok(Moment::At(Timestamp::from_usec(1_457_524_800_000_000))));
        }
    }

    #[test]
    fn an_age_may_be_said_in_several_units() {
        for (text, age) in [("1h30m", "90m"), ("1d12h", "36h"), ("1m1s", "61s")] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), age);
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = Timestamp::from_usec(1_457_524_800_000_000);
        let read = |text: &str| {
            let mut query = Query::parse(text);
            super::resolve(&mut query, now, &"Europe/Berlin".parse().unwrap()).map(|()| query.to_string())
        };
        for (said, meant) in [
            ("since=1h30m", "since=1h30m"),
            ("since=08:00", "since=2016-03-09T07%3A00%3A00.000000Z"),
            ("since=08:00+UTC", "since=2016-03-09T08%3A00%3A00.000000Z"),
            (
                "since=yesterday&until=yesterday",
                "since=2016-03-07T23%3A00%3A00.000000Z&until=2016-03-08T23%3A00%3A00.000000Z",
            ),
        ] {
            assert_eq!(read(said).unwrap(), meant, "{said}");
        }
        assert!(read("since=soon").unwrap_err().expected.contains("a time such as 08:00"));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "h", "1w", "30m1h", "1h1h", "1h30", "-1h", "1.5h", "soon", "99999999999s"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
