//! A chart of values over time: lines, stacked areas or stacked bars.

use super::axis::ValueAxis;
use super::frame::{WIDE, frame, share};
use super::unit::Unit;
use crate::page::format::{self, cut};
use crate::page::layout::as_table;
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;

/// The marks of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Mark {
    /// A line for each series.
    Lines,
    /// Stacked areas.
    Areas,
    /// Stacked bars.
    Bars,
}

/// A series of values.
#[derive(Debug, Clone)]
pub(in crate::page) struct Series {
    pub(in crate::page) name: String,
    /// The CSS class of the colour, see [`super::color`].
    pub(in crate::page) color: String,
    /// The values, by the start of their intervals in microseconds.
    pub(in crate::page) values: BTreeMap<i64, f64>,
    /// Whether it is the previous period, shifted for comparison.
    pub(in crate::page) is_before: bool,
}

/// A chart of series over time.
#[derive(Debug)]
pub(in crate::page) struct OverTime<'a> {
    /// The title.
    pub(in crate::page) label: &'a str,
    /// The time range, and the length of an interval, in microseconds.
    pub(in crate::page) range: Range<i64>,
    pub(in crate::page) width: i64,
    /// The series; stacked ones from the bottom up.
    pub(in crate::page) series: &'a [Series],
    /// The smallest and the largest value of each interval, drawn in the background.
    pub(in crate::page) band: &'a [(i64, f64, f64)],
    pub(in crate::page) mark: Mark,
    pub(in crate::page) unit: Unit,
    /// Whether values are whole numbers.
    pub(in crate::page) whole: bool,
}

/// The maximum number of points of a line that are marked.
const MARKED: usize = 60;

impl OverTime<'_> {
    /// Draws the chart; `link` returns the URL for the interval between two times.
    pub(in crate::page) fn draw(&self, link: impl Fn(Timestamp, Timestamp) -> Option<String>) -> Markup {
        let stacked = self.mark != Mark::Lines;
        let (mut low, mut high) = if stacked { (0.0, 0.0_f64) } else { (f64::INFINITY, f64::NEG_INFINITY) };
        let mut totals: BTreeMap<i64, f64> = BTreeMap::new();
        for series in self.series {
            for (time, value) in &series.values {
                let mut total = *value;
                if stacked && !series.is_before {
                    let sum = totals.entry(*time).or_default();
                    *sum = (*sum + value.max(0.0)).min(f64::MAX);
                    total = *sum;
                } else {
                    totals.entry(*time).or_default();
                }
                (low, high) = (total.min(low), total.max(high));
            }
        }
        for (time, least, most) in self.band {
            totals.entry(*time).or_default();
            (low, high) = (least.min(low), most.max(high));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // If no value is negative, the axis starts at 0, unless differences would become too small to see.
        let low = if low > 0.0 && low < high * 0.8 { 0.0 } else { low };
        let axis = ValueAxis::new(low, high, self.whole, self.unit);
        let shapes = html! {
            (self.band(&axis))
            @match self.mark {
                Mark::Lines => {}
                Mark::Areas => (self.areas(&axis, &totals)),
                Mark::Bars => (self.bars(&axis)),
            }
            @for (index, series) in self.series.iter().enumerate().filter(|(_, series)| !stacked || series.is_before) {
                (self.line(&axis, series, index))
            }
            @for time in totals.keys() { (self.spot(*time, &link)) }
        };
        frame(self.label, &self.range, &axis.marks(), &shapes)
    }

    /// Returns the left edge, the middle and the right edge of an interval.
    fn x(&self, time: i64) -> [f64; 3] {
        let end = time.saturating_add(self.width);
        let [from, to] = [time, end].map(|time| share(&self.range, time) * WIDE / 100.0);
        [from, (from + to) / 2.0, to]
    }

    fn line(&self, axis: &ValueAxis, series: &Series, index: usize) -> Markup {
        let mut path = String::new();
        let mut points = String::new();
        let mut last = None;
        for (time, value) in &series.values {
            let (x, y) = (self.x(*time)[1], axis.y(*value));
            // A long gap without values interrupts the line.
            let follows = last.is_none_or(|last: i64| time.saturating_sub(last) <= self.width.saturating_mul(8));
            let command = if path.is_empty() || !follows { 'M' } else { 'L' };
            write!(path, "{command}{x:.1} {y:.2}").unwrap_or_default();
            write!(points, "M{x:.1} {y:.2}h0").unwrap_or_default();
            last = Some(*time);
        }
        let before = if series.is_before { " before" } else { "" };
        html! {
            path class={ "line l-" (series.color) " d" (index % 4) (before) } d=(path) {}
            @if series.values.len() <= MARKED && !series.is_before { path class={ "point l-" (series.color) } d=(points) {} }
        }
    }

    fn areas(&self, axis: &ValueAxis, totals: &BTreeMap<i64, f64>) -> Markup {
        let mut below: Vec<(i64, f64)> = totals.keys().map(|time| (*time, 0.0)).collect();
        let areas = self.series.iter().filter(|series| !series.is_before).map(|series| {
            let value = |time: &i64| series.values.get(time).copied().unwrap_or_default().max(0.0);
            let above: Vec<_> = below.iter().map(|(time, sum)| (*time, sum + value(time))).collect();
            let under = std::mem::replace(&mut below, above.clone()).into_iter().rev();
            (&series.color, self.points(axis, above.into_iter().chain(under)))
        });
        html! { @for (color, points) in areas { polygon class={ "area f-" (color) } points=(points) {} } }
    }

    fn bars(&self, axis: &ValueAxis) -> Markup {
        let mut below: BTreeMap<i64, f64> = BTreeMap::new();
        let mut bar = |time: i64, value: f64| {
            let sum = below.entry(time).or_default();
            let bottom = axis.y(*sum);
            *sum += value;
            let (top, [from, _, to]) = (axis.y(*sum), self.x(time));
            let gap = (to - from) / 16.0;
            // Never 0, so that a small value is visible.
            let (width, height) = ((to - from - 2.0 * gap).max(0.5), (bottom - top).max(0.6));
            html! { rect x=(format!("{:.1}", from + gap)) y=(format!("{top:.2}")) width=(format!("{width:.1}")) height=(format!("{height:.2}")) {} }
        };
        html! {
            @for series in self.series.iter().filter(|series| !series.is_before) {
                g class={ "f-" (series.color) } {
                    @for (time, value) in series.values.iter().filter(|(_, value)| **value > 0.0) { (bar(*time, *value)) }
                }
            }
        }
    }

    fn band(&self, axis: &ValueAxis) -> Markup {
        let above = self.band.iter().map(|(time, _, most)| (*time, *most));
        let below = self.band.iter().rev().map(|(time, least, _)| (*time, *least));
        html! { @if !self.band.is_empty() { polygon.f-band points=(self.points(axis, above.chain(below))) {} } }
    }

    fn points(&self, axis: &ValueAxis, values: impl Iterator<Item = (i64, f64)>) -> String {
        values.fold(String::new(), |mut text, (time, value)| {
            write!(text, "{:.1},{:.2} ", self.x(time)[1], axis.y(value)).unwrap_or_default();
            text
        })
    }

    /// The data as a table.
    pub(in crate::page) fn table(&self) -> Markup {
        let band: BTreeMap<i64, (f64, f64)> = self.band.iter().map(|(time, min, max)| (*time, (*min, *max))).collect();
        let times: BTreeSet<i64> = self.series.iter().flat_map(|series| series.values.keys().copied()).collect();
        let heads = html! {
            th { "From (" span.zone-name { "UTC" } ")" }
            @for series in self.series { th.n { (cut(&series.name, 60)) } }
            @if !band.is_empty() { th.n { "least" } th.n { "greatest" } }
        };
        let say = |value: Option<&f64>| value.map(|value| self.unit.say(*value));
        let rows = html! {
            @for start in times {
                tr {
                    td { (format::time(Timestamp::from_usec(start))) }
                    @for series in self.series { td.n { @if let Some(value) = say(series.values.get(&start)) { (value) } } }
                    @if let Some((min, max)) = band.get(&start) { td.n { (self.unit.say(*min)) } td.n { (self.unit.say(*max)) } }
                }
            }
        };
        as_table("As a table", &heads, &rows)
    }

    /// The tooltip of an interval.
    fn spot(&self, time: i64, link: &impl Fn(Timestamp, Timestamp) -> Option<String>) -> Markup {
        let [from, _, to] = self.x(time);
        let at = Timestamp::from_usec(time);
        let mut title = String::new();
        let iso = at.to_string();
        write!(title, "{} UTC", iso.get(..19).unwrap_or(&iso).replace('T', " ")).unwrap_or_default();
        for series in self.series {
            if let Some(value) = series.values.get(&time) {
                write!(title, "\n{}: {}", cut(&series.name, 60), self.unit.say(*value)).unwrap_or_default();
            }
        }
        let rect = html! {
            rect.spot x=(format!("{from:.1}")) y="0" width=(format!("{:.1}", (to - from).max(0.5))) height="100" { title { (title) } }
        };
        match link(at, Timestamp::from_usec(time.saturating_add(self.width))) {
            // The table below the chart has the same links for keyboard users.
            Some(url) => html! { a href=(url) tabindex="-1" { (rect) } },
            None => rect,
        }
    }
}
