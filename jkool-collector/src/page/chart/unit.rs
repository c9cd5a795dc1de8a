//! The units of values, and their formatting.

use crate::page::format::{count, number};
use jkool_model::ValueType;

/// The unit of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::page) struct Unit {
    /// The factor that converts a value to the smallest step.
    factor: f64,
    /// The steps: from which size each is used, its size, and its symbol.
    steps: &'static [Step],
    /// The minimum number of decimals.
    decimals: usize,
}

type Step = (f64, f64, &'static str);

const MINUTE: f64 = 60e6;
const HOUR: f64 = 3_600e6;
const DAY: f64 = 86_400e6;

const PLAIN: &[Step] = &[(0.0, 1.0, ""), (1e4, 1e3, " k"), (1e6, 1e6, " M"), (1e9, 1e9, " G"), (1e12, 1e12, " T")];
const BYTES: &[Step] =
    &[(0.0, 1.0, " B"), (1e3, 1e3, " kB"), (1e6, 1e6, " MB"), (1e9, 1e9, " GB"), (1e12, 1e12, " TB")];
const TIME: &[Step] = &[
    (0.0, 1.0, " µs"),
    (1e3, 1e3, " ms"),
    (1e6, 1e6, " s"),
    (3.0 * MINUTE, MINUTE, " min"),
    (3.0 * HOUR, HOUR, " h"),
    (3.0 * DAY, DAY, " d"),
];

macro_rules! money {
    ($sign:literal) => {
        &[
            (0.0, 1.0, concat!(" ", $sign)),
            (1e4, 1e3, concat!(" k", $sign)),
            (1e6, 1e6, concat!(" M", $sign)),
            (1e9, 1e9, concat!(" G", $sign)),
        ]
    };
}

macro_rules! sign {
    ($sign:literal) => {
        &[(0.0, 1.0, concat!(" ", $sign))]
    };
}

impl Unit {
    /// A number without a unit.
    pub(in crate::page) const NUMBER: Self = Self::new(1.0, PLAIN);
    /// Microseconds.
    pub(in crate::page) const USEC: Self = Self::new(1.0, TIME);

    const fn new(factor: f64, steps: &'static [Step]) -> Self {
        Self { factor, steps, decimals: 0 }
    }

    const fn money(steps: &'static [Step]) -> Self {
        Self { factor: 1.0, steps, decimals: 2 }
    }

    /// Returns the unit for the value type of a property.
    pub(in crate::page) fn of(value_type: &ValueType) -> Self {
        match value_type {
            ValueType::SizeByte => Self::new(1.0, BYTES),
            ValueType::SizeKb => Self::new(1e3, BYTES),
            ValueType::SizeMb => Self::new(1e6, BYTES),
            ValueType::SizeGb => Self::new(1e9, BYTES),
            ValueType::SizeTb => Self::new(1e12, BYTES),
            ValueType::AgeNsec => Self::new(1e-3, TIME),
            ValueType::AgeUsec => Self::USEC,
            ValueType::AgeMsec | ValueType::CounterMsec => Self::new(1e3, TIME),
            ValueType::AgeSec => Self::new(1e6, TIME),
            ValueType::AgeMin => Self::new(MINUTE, TIME),
            ValueType::AgeHour => Self::new(HOUR, TIME),
            ValueType::AgeDay => Self::new(DAY, TIME),
            ValueType::Percent => Self::new(1.0, sign!("%")),
            ValueType::CurrencyEur => Self::money(money!("€")),
            ValueType::CurrencyUsd => Self::money(money!("$")),
            ValueType::CurrencyUk => Self::money(money!("£")),
            ValueType::TempC => Self::new(1.0, sign!("°C")),
            ValueType::TempF => Self::new(1.0, sign!("°F")),
            ValueType::RateSec => Self::new(1.0, sign!("/s")),
            ValueType::SpeedKmh => Self::new(1.0, sign!("km/h")),
            ValueType::SpeedMph => Self::new(1.0, sign!("mph")),
            ValueType::MassG => Self::new(1.0, sign!("g")),
            ValueType::MassKg => Self::new(1.0, sign!("kg")),
            ValueType::SizeMeter => Self::new(1.0, sign!("m")),
            ValueType::SizeKm => Self::new(1.0, sign!("km")),
            _ => Self::NUMBER,
        }
    }

    /// Returns the size and the symbol of the step for values up to `most`.
    pub(super) fn step(self, most: f64) -> (f64, &'static str) {
        let most = most.abs() * self.factor;
        // Values beyond all steps do not become short in any of them.
        let beyond = self.steps.last().is_some_and(|(_, size, _)| most / size >= 1e6);
        let step = self.steps.iter().rev().find(|(from, ..)| most >= *from && !beyond).or(self.steps.first());
        step.map_or((1.0, ""), |(_, size, sign)| (size / self.factor, sign))
    }

    /// Formats a value for people.
    pub(in crate::page) fn say(self, value: f64) -> String {
        // Whole numbers without a unit are shown with all digits.
        if self == Self::NUMBER && value.fract() == 0.0 && (0.0..1e15).contains(&value) {
            return count(value as u64);
        }
        let (size, sign) = self.step(value);
        let text = match self.decimals {
            0 => number(value / size),
            decimals => format!("{:.decimals$}", value / size),
        };
        format!("{text}{sign}")
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;
    use jkool_model::ValueType;

    #[test]
    fn values_are_said_in_their_units() {
        for (value_type, value, text) in [
            (ValueType::None, 1_234_567.0, "1,234,567"),
            (ValueType::None, 0.25, "0.25"),
            (ValueType::None, -30_500.5, "-30.5 k"),
            (ValueType::SizeByte, 1_978_273_626.0, "1.978 GB"),
            (ValueType::SizeKb, 0.5, "500 B"),
            (ValueType::AgeMsec, 1_500.0, "1.5 s"),
            (ValueType::AgeNsec, 1_500.0, "1.5 µs"),
            (ValueType::AgeSec, 600.0, "10 min"),
            (ValueType::Percent, 12.5, "12.5 %"),
            (ValueType::CurrencyEur, 12.5, "12.50 €"),
            (ValueType::CurrencyUsd, 25_000.0, "25.00 k$"),
            (ValueType::MassKg, 0.0, "0 kg"),
            (ValueType::SizeByte, 1e300, "1e300 B"),
        ] {
            assert_eq!(Unit::of(&value_type).say(value), text);
        }
        for value in [f64::MAX, f64::MIN, f64::MIN_POSITIVE] {
            assert!(!Unit::of(&ValueType::SizeTb).say(value).is_empty());
        }
    }
}
