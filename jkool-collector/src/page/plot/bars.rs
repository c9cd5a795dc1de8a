//! Names with bars for how often they come, stacked by severity.

use super::axis::Axis;
use super::svg::{ChartKind, LinkArea, axes, draw_svg, stacked};
use crate::page::format::{count, cut};
use crate::store::Top;
use maud::Markup;
use plotters::element::Rectangle;
use plotters::style::Color;

/// `name` is what a bar is called, `link` where a click on it leads.
pub(in crate::page) fn bars(
    tops: &[Top],
    label: &str,
    name: impl Fn(&str) -> String,
    link: impl Fn(&str) -> String,
) -> Markup {
    let rows = tops.len() as f64;
    let most = tops.iter().map(|top| top.severities.total()).max().unwrap_or_default();
    draw_svg((560, 70 + 26 * u32::try_from(tops.len()).unwrap_or_default()), label, |canvas| {
        let x = Axis::of_values(0.0, most as f64, true);
        // The first is at the top.
        let names = tops.iter().zip(1..).map(|(top, row)| (rows - f64::from(row) + 0.5, cut(&name(&top.name), 18)));
        let y = Axis::new(0.0, rows, names.collect());
        let high = x.high();
        let mut chart = axes(canvas, ChartKind::Names, (x, "events"), (y, ""))?;
        let mut areas = Vec::new();
        for (row, top) in tops.iter().enumerate() {
            let y = rows - row as f64;
            for (color, from, to) in stacked(&top.severities) {
                chart.draw_series([Rectangle::new([(from, y - 0.15), (to, y - 0.85)], color.filled())])?;
            }
            areas.push(LinkArea {
                from: chart.backend_coord(&(0.0, y)),
                to: chart.backend_coord(&(high, y - 1.0)),
                url: link(&top.name),
                title: format!("{}: {}", top.name, count(top.severities.total())),
            });
        }
        Ok(areas)
    })
}
