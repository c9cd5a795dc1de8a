//! A single number, with the previous value and its trend.

use super::axis::ValueAxis;
use super::frame::{WIDE, share};
use super::unit::Unit;
use crate::page::format;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

/// The history of a number.
#[derive(Debug, Default)]
pub(in crate::page) struct Trend {
    /// The value in the previous period.
    pub(in crate::page) before: Option<f64>,
    /// The values over time, by the start of their intervals in microseconds.
    pub(in crate::page) values: BTreeMap<i64, f64>,
}

/// The number titled `label`; `None` if there is no value.
pub(in crate::page) fn number(
    label: &str,
    value: Option<f64>,
    unit: Unit,
    trend: &Trend,
    range: &Range<i64>,
) -> Markup {
    html! {
        div.number {
            p.figure { (value.map_or("–".to_owned(), |value| unit.say(value))) }
            @if let (Some(value), Some(before)) = (value, trend.before) { p.hint { (change(value, before)) " · " (unit.say(before)) " before" } }
            @if trend.values.len() > 1 { (spark(label, trend, range)) }
        }
    }
}

/// Returns the change in per cent; empty if it is not meaningful.
fn change(value: f64, before: f64) -> String {
    let per_cent = (value - before) / before.abs() * 100.0;
    match value.partial_cmp(&before) {
        Some(std::cmp::Ordering::Equal) => "=".to_owned(),
        Some(order) => {
            let sign = if order.is_gt() { "▲" } else { "▼" };
            match per_cent.is_finite() && per_cent.abs() < 1_000.0 {
                true => format!("{sign} {} %", format::number((per_cent * 10.0).round().abs() / 10.0)),
                false => sign.to_owned(),
            }
        }
        None => String::new(),
    }
}

fn spark(label: &str, trend: &Trend, range: &Range<i64>) -> Markup {
    let most = trend.values.values().copied().fold(0.0, f64::max);
    let least = trend.values.values().copied().fold(0.0, f64::min);
    let axis = ValueAxis::new(least, most, false, Unit::NUMBER);
    let path = trend.values.iter().enumerate().fold(String::new(), |mut path, (index, (time, value))| {
        let (x, y) = (share(range, *time) * WIDE / 100.0, axis.y(*value));
        write!(path, "{}{x:.1} {y:.2}", if index == 0 { 'M' } else { 'L' }).unwrap_or_default();
        path
    });
    html! {
        svg.spark viewBox={ "0 0 " (WIDE) " 100" } preserveAspectRatio="none" role="img" aria-label={ (label) " over time" } { path.line.l-c0 d=(path) {} }
    }
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_change_is_said_in_per_cent_where_that_says_something() {
        for (value, before, text) in
            [(3.0, 2.0, "▲ 50 %"), (1.0, 4.0, "▼ 75 %"), (2.0, 2.0, "="), (5.0, 0.0, "▲"), (f64::MAX, 1.0, "▲")]
        {
            assert_eq!(change(value, before), text);
        }
    }
}
