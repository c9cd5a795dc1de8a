//! How many entities there were over time, stacked by severity.

use super::axis::Axis;
use super::svg::{ChartKind, LinkArea, axes, draw_svg, stacked, time_from};
use crate::page::format::{count, duration};
use crate::store::Bucket;
use jkool_model::Timestamp;
use maud::Markup;
use plotters::element::Rectangle;
use plotters::style::Color;

/// How wide each bucket is, in microseconds; a single one is a second.
pub(in crate::page) fn width_of(buckets: &[Bucket]) -> i64 {
    match buckets {
        [first, second, ..] => second.start.as_usec() - first.start.as_usec(),
        _ => 1_000_000,
    }
}

/// `link` is where a click on the stretch between two times leads.
pub(in crate::page) fn histogram(buckets: &[Bucket], link: impl Fn(Timestamp, Timestamp) -> String) -> Markup {
    let width = width_of(buckets);
    let most = buckets.iter().map(|bucket| bucket.severities.total()).max().unwrap_or_default();
    let start = buckets.first().map_or(0, |bucket| bucket.start.as_usec());
    let end = buckets.last().map_or(start, |bucket| bucket.start.as_usec()) + width;
    draw_svg((1000, 270), "Events over time, stacked by severity", |canvas| {
        let unit = format!("events in {}", duration(width));
        let x = Axis::of_time(start, end);
        let y = Axis::of_values(0.0, most as f64, true);
        let top = y.high();
        let mut chart = axes(canvas, ChartKind::OverTime, (x, &time_from(start)), (y, &unit))?;
        let mut areas = Vec::new();
        for bucket in buckets.iter().filter(|bucket| bucket.severities.total() > 0) {
            let (start, end) = (bucket.start.as_usec(), bucket.start.as_usec() + width);
            let (left, right) = ((start + width / 16) as f64, (end - width / 16) as f64);
            for (color, from, to) in stacked(&bucket.severities) {
                chart.draw_series([Rectangle::new([(left, from), (right, to)], color.filled())])?;
            }
            areas.push(LinkArea {
                from: chart.backend_coord(&(start as f64, top)),
                to: chart.backend_coord(&(end as f64, 0.0)),
                url: link(bucket.start, Timestamp::from_usec(end)),
                title: format!("{} from {} on", count(bucket.severities.total()), bucket.start),
            });
        }
        Ok(areas)
    })
}
