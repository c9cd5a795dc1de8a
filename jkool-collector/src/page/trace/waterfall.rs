//! A trace as a waterfall: rows with bars for the durations.

use super::span::name;
use super::tree::{Step, Trace};
use super::window::Window;
use crate::page::format::{cut, duration, severity_class};
use crate::page::row::said;
use crate::store::EntityId;
use jkool_model::OpType;
use maud::{Markup, html};

/// The maximum indentation, in levels.
const DEEPEST: usize = 8;
/// The number of marks on the time axis, besides the one at the end.
const MARKS: i64 = 4;
/// The width of a bar in its own units, and the minimum width that is drawn.
const WIDTH: f64 = 1000.0;
const LEAST: f64 = 0.004;
/// The maximum lengths of a name and of a message in a row, in characters.
const NAME: usize = 60;
const SAID: usize = 140;

/// The rows of `steps`; `link` returns the URL of a row, and `fold` the link that folds it.
pub(in crate::page) fn waterfall<'s>(
    trace: &Trace<'_>,
    steps: impl Iterator<Item = &'s Step<'s>>,
    window: Window,
    current: EntityId,
    link: impl Fn(EntityId) -> String,
    fold: impl Fn(&Step<'_>) -> Markup,
) -> Markup {
    html! {
        (axis(window))
        ol.timeline data-steps {
            @for step in steps { (line(trace, step, window, step.stored.id == current, &link(step.stored.id), &fold(step))) }
        }
    }
}

/// The time axis above the bars, relative to the start.
fn axis(window: Window) -> Markup {
    html! {
        div.axis aria-hidden="true" {
            div.marks { @for mark in 0..=MARKS { span { "+" (duration(window.from + window.length() / MARKS * mark)) } } }
        }
    }
}

fn line(trace: &Trace<'_>, step: &Step<'_>, window: Window, is_current: bool, link: &str, fold: &Markup) -> Markup {
    let entity = &step.stored.entity;
    let said = said(entity, SAID);
    html! {
        li class={ "d" (step.depth.min(DEEPEST)) @if step.is_critical { " critical" } } data-depth=(step.depth) aria-current=[is_current.then_some("true")] {
            span.offset { (fold) "+" (duration(step.from.saturating_sub(trace.start))) }
            a.name href=(link) data-step {
                @if step.depth > DEEPEST { span.dim { (step.depth) "› " } }
                (cut(name(entity), NAME))
                @if entity.op_type() != OpType::Event { " " span.type { (entity.op_type()) } }
            }
            (severity(step))
            span.src { (source(step)) }
            svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                rect.track x="0" y="4" width="1000" height="2" {}
                @if let Some((from, width)) = window.part(step.from, step.to, LEAST) {
                    rect class={ "f-" (severity_class(step.severity())) } x=(format!("{:.1}", from * WIDTH)) y="0" height="10"
                        width=(format!("{:.1}", width * WIDTH)) {}
                }
            }
            span.took { @if step.took() > 0 { (duration(step.took())) } }
            @if step.is_orphan() || !said.is_empty() {
                span.said {
                    @if step.is_orphan() { span.orphan { "its parent is not here" } " " }
                    (said)
                }
            }
        }
    }
}

/// The severity, and whether there is an error below.
pub(super) fn severity(step: &Step<'_>) -> Markup {
    html! {
        span class={ "sev " (severity_class(step.severity())) } {
            (step.severity())
            @if step.fails_below { span.below title="Contains an error" { " ●" span.unseen { " (contains an error)" } } }
        }
    }
}

/// The innermost element of the source.
pub(super) fn source(step: &Step<'_>) -> Markup {
    html! {
        @if let Some(source) = step.stored.entity.source() {
            span title=(source) { (cut(source.elements().next().map_or("", |(_, name)| name), 40)) }
        }
    }
}
