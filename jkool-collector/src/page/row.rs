//! The row of an entity in a list: the same markup in all lists and in live updates.

use super::columns::Columns;
use super::format::{cut, duration, severity_class, time, value};
use super::link::{event_url_within, url, with_correlator, with_element, with_operation, with_severity};
use crate::filter::Filter;
use crate::filter::{operation_of, severity_of};
use crate::store::Stored;
use jkool_model::{Entity, OpType, SourceFqn};
use maud::{Markup, html};

/// The maximum length of a message in a row, so that lists load fast.
const SHOWN: usize = 300;

/// A row; its links narrow the list of events, in addition to `filter`.
pub(super) fn row(stored: &Stored, filter: &Filter) -> Markup {
    line(stored, filter, &Columns::default(), false)
}

/// Like [`row`], with additional columns.
pub(super) fn row_with(stored: &Stored, filter: &Filter, columns: &Columns) -> Markup {
    line(stored, filter, columns, false)
}

/// Like [`row_with`], for an entity that has just arrived: also shows whether it arrived late.
pub(super) fn live_row(stored: &Stored, filter: &Filter, columns: &Columns) -> Markup {
    line(stored, filter, columns, true)
}

fn line(stored: &Stored, filter: &Filter, columns: &Columns, is_live: bool) -> Markup {
    let entity = &stored.entity;
    let severity = severity_of(entity);
    let op_type = entity.op_type();
    html! {
        li class={ "row " (severity_class(severity)) } id={ "e" (stored.id) } {
            a.when href=(event_url_within(stored.id, filter)) tabindex="-1" { (time(stored.time)) }
            a class={ "sev " (severity_class(severity)) } href=(url("/", &with_severity(filter, severity))) { (severity) }
            span.op {
                @match operation_of(entity) {
                    Some(name) if !name.is_empty() => a href=(url("/", &with_operation(filter, name))) { (cut(name, 80)) }
                    _ => (headline(entity))
                }
                @if op_type != OpType::Event { " " span.type { (op_type) } }
            }
            span.src { (source(entity.source(), filter)) }
            (columns.cells(entity))
            span.text {
                a.msg href=(event_url_within(stored.id, filter)) draggable="false" { (message(entity)) }
                (lateness(stored, is_live))
                @if let Some(usec) = elapsed(entity) { span.took title="elapsed time" { (duration(usec)) } }
                (correlators(entity, filter))
            }
        }
    }
}

/// How far the sender's clock is ahead, or how late the entity arrived, if either is considerable.
fn lateness(stored: &Stored, is_live: bool) -> Markup {
    const NOTICED: i64 = 5_000_000;
    let late = stored.received.as_usec().saturating_sub(stored.time.as_usec());
    html! {
        @if late < -NOTICED {
            span.late title="Its time is later than the time at which it was received" { "clock " (duration(late.saturating_neg())) " ahead" }
        } @else if is_live && late > NOTICED {
            span.late title="It was received this long after its own time" { (duration(late)) " late" }
        }
    }
}

/// The innermost element of the source; the title contains all of it.
fn source(source: Option<&SourceFqn>, filter: &Filter) -> Markup {
    html! {
        @if let Some((source, element)) = source.and_then(|source| source.elements().next().map(|first| (source, first))) {
            a href=(url("/", &with_element(filter, element))) title=(source) { (cut(element.1, 60)) }
        }
    }
}

fn correlators(entity: &Entity, filter: &Filter) -> Markup {
    html! {
        @if let [first, more @ ..] = entity.correlators() {
            a.corr href=(url("/", &with_correlator(filter, first))) title="Filter by this correlator" { (cut(first, 60)) }
            @if !more.is_empty() { span.more { "+" (more.len()) } }
        }
    }
}

/// Returns the title of a snapshot.
fn headline(entity: &Entity) -> String {
    match entity {
        Entity::Snapshot(snapshot) if snapshot.category.is_empty() => cut(&snapshot.name, 80),
        Entity::Snapshot(snapshot) => cut(&format!("{}/{}", snapshot.category, snapshot.name), 80),
        _ => String::new(),
    }
}

/// Returns the message of an entity, or a placeholder.
pub(super) fn message(entity: &Entity) -> String {
    let said = said(entity, SHOWN);
    if said.is_empty() { "(no message)".to_owned() } else { said }
}

/// Returns the message of an entity or its substitute, shortened to a number of characters; empty if there is none.
pub(super) fn said(entity: &Entity, characters: usize) -> String {
    let said = match entity {
        Entity::Event(event) if !event.message.is_empty() => cut(&event.message, characters),
        Entity::Event(event) => cut(&event.exception, characters),
        Entity::Activity(activity) => {
            let status = activity.status.map(|status| status.to_string());
            let exception = (!activity.exception.is_empty()).then(|| cut(&activity.exception, characters));
            status.into_iter().chain(exception).collect::<Vec<_>>().join(": ")
        }
        Entity::Snapshot(snapshot) => {
            let properties = snapshot.properties.iter().take(8);
            let said = properties.map(|property| format!("{}={}", property.name, value(property)));
            cut(&said.collect::<Vec<_>>().join(", "), characters)
        }
        _ => String::new(),
    };
    if said.trim().is_empty() { String::new() } else { said }
}

fn elapsed(entity: &Entity) -> Option<i64> {
    match entity {
        Entity::Event(event) => event.elapsed_usec,
        Entity::Activity(activity) => activity.elapsed_usec,
        _ => None,
    }
    .filter(|usec| *usec != 0)
}
