//! The details of the selected step of a trace.

use super::span::name;
use super::tree::Step;
use super::view::View;
use super::waterfall::severity;
use crate::page::format::{cut, duration, time, value};
use crate::page::link::event_url;
use jkool_model::{Entity, Property, Timestamp};
use maud::{Markup, html};

/// The maximum length of a text in characters, and the maximum number of properties; the page of the entity shows all.
const SHOWN: usize = 2_000;
const PROPERTIES: usize = 12;

/// The details; `start` is the start of the trace.
pub(super) fn chosen(step: &Step<'_>, start: i64, view: &View) -> Markup {
    let entity = &step.stored.entity;
    let (message, exception, properties): (&str, &str, &[Property]) = match entity {
        Entity::Event(event) => (&event.message, &event.exception, &event.properties),
        Entity::Activity(activity) => ("", &activity.exception, &activity.properties),
        Entity::Snapshot(snapshot) => ("", "", &snapshot.properties),
        _ => ("", "", &[]),
    };
    let [from, to] = [step.from, step.to].map(|time| time.saturating_sub(start));
    html! {
        div.heading {
            h2 { (cut(name(entity), 120)) " " span.type { (entity.op_type()) } }
            p { (severity(step)) " " (time(Timestamp::from_usec(step.from))) }
        }
        p.facts {
            @if step.took() > 0 {
                span { "took " b { (duration(step.took())) } }
                span { "own time " b { (duration(step.own)) } }
            }
            @if let Some(source) = entity.source() { span { (cut(source.as_str(), 200)) } }
            @if step.is_critical { span { "on the critical path" } }
        }
        @if !message.is_empty() { pre.message tabindex="0" role="region" aria-label="Message" { (cut(message, SHOWN)) } }
        @if !exception.is_empty() {
            pre.exception tabindex="0" role="region" aria-label="Exception" { code { (cut(exception, SHOWN)) } }
        }
        @if !properties.is_empty() {
            dl {
                @for property in properties.iter().take(PROPERTIES) {
                    dt { (cut(&property.name, 60)) } dd { (cut(&value(property), 200)) }
                }
            }
        }
        p.tools {
            a href=(event_url(step.stored.id)) { "All fields" }
            @if to > from { a href=(view.with_chosen_and_zoom(step.stored.id, from, to)) { "Zoom to it" } }
        }
    }
}
