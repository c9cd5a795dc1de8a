//! A metric over time: its mean as a line, in a band from the least to the greatest.

use super::axis::Axis;
use super::css_color::CssColor;
use super::svg::{ChartKind, axes, draw_svg, time_from};
use crate::store::Metric;
use maud::Markup;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::Color;

/// So many points are marked one by one.
const MARKED: usize = 60;

/// `unit` is what its values are.
pub(in crate::page) fn metric(values: &[Metric], name: &str, unit: &str) -> Markup {
    let start = values.first().map_or(0, |value| value.start.as_usec());
    let end = values.last().map_or(start, |value| value.start.as_usec()).max(start + 1_000_000);
    let low = values.iter().map(|value| value.min).fold(f64::INFINITY, f64::min);
    let high = values.iter().map(|value| value.max).fold(f64::NEG_INFINITY, f64::max);
    // Of what never is below zero, zero is shown too unless that makes everything look the same.
    let low = if low > 0.0 && low < high * 0.8 { 0.0 } else { low };
    draw_svg((1000, 290), &format!("{name} over time: minimum, average and maximum"), |canvas| {
        let (x, y) = (Axis::of_time(start, end), Axis::of_values(low, high, false));
        let mut chart = axes(canvas, ChartKind::OverTime, (x, &time_from(start)), (y, unit))?;
        let at = |value: &Metric, y: f64| (value.start.as_usec() as f64, y);
        let above = values.iter().map(|value| at(value, value.max));
        let below = values.iter().rev().map(|value| at(value, value.min));
        let band: Vec<_> = above.chain(below).collect();
        chart.draw_series([Polygon::new(band, CssColor::BAND.color().filled())])?;
        let means: Vec<_> = values.iter().map(|value| at(value, value.avg)).collect();
        chart.draw_series([PathElement::new(means.clone(), CssColor::LINE.color().stroke_width(2))])?;
        if means.len() <= MARKED {
            chart.draw_series(means.into_iter().map(|mean| Circle::new(mean, 3, CssColor::LINE.color().filled())))?;
        }
        Ok(Vec::new())
    })
}
