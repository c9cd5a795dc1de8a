//! The durations of activities over time, as points. The script adds selection by dragging.

use super::compared::Compared;
use crate::page::chart::{LogAxis, frame, share};
use crate::page::format::{counted, cut, duration};
use crate::page::trace::{name, trace_url};
use maud::{Markup, html};

/// The width of the picture in its own units.
const WIDE: f64 = 1000.0;
/// The margin before the first and after the last point: the fraction of the range, and the minimum in microseconds.
const ROOM: i64 = 40;
const LEAST_ROOM: i64 = 500_000;

pub(super) fn scatter(compared: &[Compared]) -> Markup {
    let placed = || compared.iter().filter_map(|item| Some((item, item.took?)));
    let times = || placed().map(|(item, _)| item.activity.time.as_usec());
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return html! {} };
    let took = || placed().map(|(_, took)| took);
    let axis = LogAxis::new(took().min().unwrap_or_default(), took().max().unwrap_or_default());
    let room = (last.saturating_sub(first) / ROOM).max(LEAST_ROOM);
    let range = first.saturating_sub(room)..last.saturating_add(room);
    let point = |(item, took): (&Compared, i64)| {
        let (x, y) = (share(&range, item.activity.time.as_usec()) * WIDE / 100.0, axis.y(took));
        let place = format!("M{x:.0} {y:.1}h0");
        html! {
            a href=(trace_url(item.activity.id)) tabindex="-1" {
                title {
                    (cut(name(&item.activity.entity), 60)) ": " (duration(took))
                    @if item.errors > 0 { ", " (counted(item.errors as usize, "error", "errors")) } @else if item.fails { ", failed" }
                }
                @if item.has_failed() { path.dot.failed d=(place) {} path.dot.inner d=(place) {} } @else { path.dot d=(place) {} }
            }
        }
    };
    // Points with errors are drawn above the others.
    let (fine, failed): (Vec<_>, Vec<_>) = placed().partition(|(item, _)| !item.has_failed());
    let left_out = compared.len() - fine.len() - failed.len();
    let points = html! { @for placed in fine.into_iter().chain(failed) { (point(placed)) } };
    html! {
        section.part #durations data-low=(axis.low) data-high=(axis.high) data-names="since until longer shorter" {
            h2 { "Durations" span.hint { " by time" span.drag hidden { " · drag to select" } } }
            ul.legend {
                li { span.swatch.round.f-c0 {} "without errors" }
                li { span.swatch.round.ring {} "with errors in it, or failed" }
            }
            (frame("Durations of activities over time", &range, &axis.marks(), &points))
            @if left_out > 0 { p.hint { (counted(left_out, "activity says", "activities say")) " not how long it took." } }
        }
    }
}
