//! The frame of a chart over time: values on the left, times below. Their texts have the text size of the page; only
//! the picture between them stretches.

use super::ticks::TimeTicks;
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::ops::Range;

/// The width of a picture in its own units. Its height is 100.
pub(super) const WIDE: f64 = 1000.0;

/// Returns the distance of a time from the left, in per cent of the width.
pub(in crate::page) fn share(range: &Range<i64>, usec: i64) -> f64 {
    let length = (range.end as f64 - range.start as f64).max(1.0);
    ((usec as f64 - range.start as f64) / length * 100.0).clamp(0.0, 100.0)
}

/// The chart with `content` and the title `label`: `values` on the left, each with its distance from the top in per
/// cent of the height, and times below.
pub(in crate::page) fn frame(label: &str, range: &Range<i64>, values: &[(f64, String)], content: &Markup) -> Markup {
    let longest = values.iter().map(|(_, label)| label.chars().count()).max().unwrap_or_default();
    html! {
        div.chart data-from=(Timestamp::from_usec(range.start)) data-to=(Timestamp::from_usec(range.end)) {
            svg.y-axis aria-hidden="true" width=(longest * 8 + 8) {
                @for (y, label) in values {
                    text x="100%" dx="-8" y={ (format!("{y:.1}")) "%" } { (label) }
                }
            }
            svg.plot viewBox={ "0 0 " (WIDE) " 100" } preserveAspectRatio="none" role="group" aria-label=(label) {
                @for (y, _) in values {
                    @let y = format!("{y:.1}");
                    line.l-grid x1="0" x2=(WIDE) y1=(y) y2=(y) {}
                }
                (content)
            }
            (times(range))
        }
    }
}

/// A time axis alone.
pub(super) fn times(range: &Range<i64>) -> Markup {
    let ticks = TimeTicks::between(range.start, range.end);
    html! {
        svg.x-axis aria-hidden="true" height="20" {
            @for (index, usec) in ticks.at.iter().enumerate() {
                @let at = share(range, *usec);
                // The first and the last label must not extend beyond the picture.
                @let anchor = if at < 5.0 { "start" } else if at > 95.0 { "end" } else { "middle" };
                text class=[(index % 2 == 1).then_some("odd")] x={ (format!("{at:.2}")) "%" } y="14" text-anchor=(anchor)
                    data-time=(Timestamp::from_usec(*usec)) data-grain=(ticks.grain()) { (ticks.label(*usec)) }
            }
        }
    }
}
