//! A trace as a list, sorted by start, by duration, or by the duration without children.

use super::span::name;
use super::tree::{Step, Trace};
use super::view::{Sort, View};
use super::waterfall::{severity, source};
use crate::page::format::{cut, duration};
use crate::page::row::said;
use maud::{Markup, html};
use std::cmp::Reverse;

/// The maximum length of a message in a row, in characters.
const SAID: usize = 140;

/// Returns `steps` in the order of the view.
pub(super) fn sorted<'s>(mut steps: Vec<&'s Step<'s>>, sort: Sort) -> Vec<&'s Step<'s>> {
    match sort {
        Sort::Start => steps.sort_by_key(|step| step.from),
        Sort::Duration => steps.sort_by_key(|step| Reverse(step.took())),
        Sort::Own => steps.sort_by_key(|step| Reverse(step.own)),
    }
    steps
}

pub(super) fn list<'s>(trace: &Trace<'_>, steps: impl Iterator<Item = &'s Step<'s>>, view: &View) -> Markup {
    html! {
        p.orders {
            "Sorted by "
            @for sort in Sort::ALL {
                a href=(view.sorted_by(*sort)) aria-current=[(*sort == view.sort).then_some("true")] { (sort) @if *sort == Sort::Own { " time" } } " "
            }
        }
        ol.timeline.flat data-steps {
            @for step in steps { (line(trace, step, view)) }
        }
    }
}

fn line(trace: &Trace<'_>, step: &Step<'_>, view: &View) -> Markup {
    let entity = &step.stored.entity;
    let said = said(entity, SAID);
    html! {
        li aria-current=[(step.stored.id == view.at).then_some("true")] {
            span.offset { "+" (duration(step.from.saturating_sub(trace.start))) }
            a.name href=(view.with_chosen(step.stored.id)) data-step { (cut(name(entity), 60)) }
            (severity(step))
            span.src { (source(step)) }
            span.own title="Time that is not spent in its children" { @if step.own > 0 { "own " (duration(step.own)) } }
            span.took { @if step.took() > 0 { (duration(step.took())) } }
            @if !said.is_empty() { span.said { (said) } }
        }
    }
}
