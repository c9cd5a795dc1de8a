//! The visible time range of a trace.

use crate::condition::bound;
use crate::field::FieldName;
use std::fmt;
use std::str::FromStr;

/// A time relative to the start of a trace, or a duration: `250ms`, `1.5s`, `300us`, or a number of microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::page) struct Usec(pub(in crate::page) i64);

impl FromStr for Usec {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usec = bound(&FieldName::new("elapsed-time-usec".to_owned()), text).ok();
        // The conversion of a float that is too large gives the largest number.
        let usec = usec.filter(|usec| *usec >= 0.0).map(|usec| Self(usec.round() as i64));
        usec.ok_or("expected microseconds, or a time such as 250ms, 1.5s or 2m")
    }
}

/// Formats the duration so that it can be parsed, in the largest unit in which it is a whole number.
impl fmt::Display for Usec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, unit) = match self.0 {
            usec if usec % 1_000_000 == 0 => (1_000_000, "s"),
            usec if usec % 1_000 == 0 => (1_000, "ms"),
            _ => (1, "us"),
        };
        write!(f, "{}{unit}", self.0 / size)
    }
}

/// A time range relative to the start of a trace, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) struct Window {
    pub(in crate::page) from: i64,
    pub(in crate::page) to: i64,
    /// The start of the trace.
    pub(in crate::page) start: i64,
}

impl Window {
    /// Creates the range for a trace with this `start` and `length`. Invalid ends are ignored.
    pub(in crate::page) fn new(start: i64, length: i64, from: Option<Usec>, to: Option<Usec>) -> Self {
        let from = from.map_or(0, |from| from.0);
        let to = to.map_or(length, |to| to.0.min(length));
        if from < to { Self { from, to, start } } else { Self { from: 0, to: length.max(1), start } }
    }

    pub(in crate::page) fn length(self) -> i64 {
        self.to - self.from
    }

    /// Returns the position of a time: 0 is the left end of the range, 1 the right end; times outside are beyond.
    pub(in crate::page) fn place(self, time: i64) -> f64 {
        (time.saturating_sub(self.start) as f64 - self.from as f64) / self.length() as f64
    }

    /// Returns the visible part between two times, with a width of at least `least`, or `None` if it is outside.
    pub(in crate::page) fn part(self, from: i64, to: i64, least: f64) -> Option<(f64, f64)> {
        let (from, to) = (self.place(from), self.place(to));
        if to < 0.0 || from > 1.0 {
            return None;
        }
        let from = from.clamp(0.0, 1.0 - least);
        Some((from, (to.min(1.0) - from).max(least)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Usec, Window};

    #[test]
    fn durations_are_read_as_they_are_written() {
        for (text, usec, said) in [
            ("1500", 1_500, "1500us"),
            ("250ms", 250_000, "250ms"),
            ("1.5s", 1_500_000, "1500ms"),
            ("2m", 120_000_000, "120s"),
        ] {
            let parsed: Usec = text.parse().unwrap();
            assert_eq!((parsed, parsed.to_string().as_str()), (Usec(usec), said));
            assert_eq!(said.parse(), Ok(parsed));
        }
        for bad in ["", "-1", "soon", "NaN", "1e999", "5 years"] {
            assert!(bad.parse::<Usec>().is_err(), "{bad}");
        }
        assert_eq!("1e300".parse(), Ok(Usec(i64::MAX)));
    }

    #[test]
    fn a_window_is_within_its_trace() {
        let window = |from, to| {
            let window = Window::new(1_000, 100, from, to);
            (window.from, window.to)
        };
        assert_eq!(window(None, None), (0, 100));
        assert_eq!(window(Some(Usec(20)), Some(Usec(40))), (20, 40));
        assert_eq!(window(Some(Usec(20)), Some(Usec(400))), (20, 100));
        assert_eq!(window(Some(Usec(40)), Some(Usec(20))), (0, 100));
        assert_eq!(window(Some(Usec(i64::MAX)), None), (0, 100));
        let zoomed = Window::new(1_000, 100, Some(Usec(20)), Some(Usec(40)));
        assert_eq!(zoomed.part(1_020, 1_030, 0.01), Some((0.0, 0.5)));
        assert_eq!(zoomed.part(1_000, 1_100, 0.01), Some((0.0, 1.0)));
        assert_eq!(zoomed.part(1_040, 1_040, 0.25), Some((0.75, 0.25)));
        assert_eq!(zoomed.part(1_041, 1_050, 0.01), None);
        assert_eq!(zoomed.part(i64::MIN, i64::MAX, 0.01), Some((0.0, 1.0)));
    }
}
