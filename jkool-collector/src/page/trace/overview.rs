//! A narrow picture of the whole trace, for zooming by dragging, and a form for the same purpose.

use super::tree::Trace;
use super::view::View;
use super::window::{Usec, Window};
use crate::page::format::{duration, severity_class};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The size of the picture in its own units.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 100.0;
/// The maximum number of rows; deeper steps are drawn in the last one.
const ROWS: usize = 16;

pub(super) fn overview(trace: &Trace<'_>, view: &View, window: Window) -> Markup {
    let whole = Window::new(trace.start, trace.length(), None, None);
    let is_whole = window == whole;
    let rows = trace.steps.iter().map(|step| step.depth + 1).max().unwrap_or(1).min(ROWS);
    let mut paths: BTreeMap<_, String> = BTreeMap::new();
    for step in &trace.steps {
        let Some((from, width)) = whole.part(step.from, step.to, 0.002) else { continue };
        let y = (step.depth.min(rows - 1) as f64 + 0.5) * HIGH / rows as f64;
        let path = paths.entry(step.severity()).or_default();
        write!(path, "M{:.0} {y:.0}h{:.0}", from * WIDE, (width * WIDE).max(1.0)).unwrap_or_default();
    }
    html! {
        figure.strip.overview data-from="0" data-to=(trace.length()) data-names="from to" {
            figcaption {
                @if is_whole { "All of " (duration(trace.length())) } @else {
                    b { "+" (duration(window.from)) " to +" (duration(window.to)) } " of " (duration(trace.length()))
                }
                span.drag hidden { " · drag to zoom" }
                @if !is_whole { " · " a href=(view.zoomed(None)) { "all of it" } }
            }
            svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true" {
                @for (severity, path) in &paths { path class={ "l-" (severity_class(*severity)) } d=(path) {} }
                @if !is_whole {
                    @let [from, to] = [window.from, window.to].map(|time| whole.place(trace.start.saturating_add(time)) * WIDE);
                    rect.outside x="0" y="0" width=(format!("{from:.1}")) height="100" {}
                    rect.outside x=(format!("{to:.1}")) y="0" width=(format!("{:.1}", WIDE - to)) height="100" {}
                }
            }
            div.ends { span { "0" } span { (duration(trace.length())) } }
        }
    }
}

/// The fields for the time range.
pub(super) fn zoom(view: &View, trace: &Trace<'_>) -> Markup {
    let field = |name: &str, label: &str, value: Option<Usec>, hint: &str| {
        html! {
            label.field {
                span { (label) }
                input type="text" name=(name) value=[value] placeholder=(hint) autocomplete="off";
            }
        }
    };
    // The selected entity is a separate field, because the script changes it.
    let hidden = View { from: None, to: None, skip: 0, at: view.of, ..view.clone() }.query();
    html! {
        details.more open[view.from.is_some() || view.to.is_some()] {
            summary { "Zoom to a time" }
            form.zoom method="get" {
                div.line {
                    (field("from", "From", view.from, "0"))
                    (field("to", "To", view.to, &Usec(trace.length()).to_string()))
                    button type="submit" { "Zoom" }
                }
                input type="hidden" name="at" value=(view.at);
                @for (name, value) in hidden.pairs() { input type="hidden" name=(name) value=(value); }
            }
        }
    }
}
