//! A point in time as a person or a url says it.

use jkool_model::Timestamp;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A point in time, or so long ago: `90s`, `15m`, `1h`, `7d`, `2026-03-09T12:00:00Z`, or a number of seconds,
/// milli-, micro- or nanoseconds since 1970, told apart by its size.
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
    /// So long before now, in whole seconds.
    Ago(Duration),
    /// A point in time.
    At(Timestamp),
}

/// Text that is no [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an age such as 90s, 15m, 1h or 7d, a time such as 2026-03-09T12:00:00Z, or seconds, ms, us or ns since 1970"
)]
pub struct InvalidMoment;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Moment {
    /// The point in time that it means at `now`.
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
        let age = UNITS.iter().find_map(|(unit, seconds)| {
            let count: u32 = text.strip_suffix(*unit)?.parse().ok()?;
            Some(Moment::Ago(Duration::from_secs(seconds * u64::from(count))))
        });
        match age {
            Some(age) => Ok(age),
            None => {
                let number = text.parse().ok().map(Timestamp::from_unix);
                number.or_else(|| text.parse().ok()).map(Moment::At).ok_or(InvalidMoment)
            }
        }
    }
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
    use jkool_model::Timestamp;
    use std::time::Duration;

    #[test]
    fn what_is_written_is_read_again() {
        for (text, moment) in [
            ("90s", Moment::Ago(Duration::from_secs(90))),
            ("15m", Moment::Ago(Duration::from_secs(900))),
            ("1h", Moment::Ago(Duration::from_secs(3_600))),
            ("7d", Moment::Ago(Duration::from_secs(604_800))),
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
    fn what_is_no_moment_is_refused() {
        for text in ["", "h", "1w", "-1h", "1.5h", "soon", "99999999999s"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
