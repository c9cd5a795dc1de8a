//! Everything that is known about one entity.

use super::error_page::ErrorPage;
use super::fields::fields;
use super::format::{count, counted, cut, severity_class, time, value};
use super::layout::{Frame, Tab, frame};
use super::link::url_with;
use super::row::row;
use super::timeline::timeline;
use crate::app::App;
use crate::filter::Filter;
use crate::filter::{operation_of, severity_of};
use crate::store::{EntityId, Stored};
use axum::extract::{Path, State};
use axum::response::Html;
use jkool_model::{Entity, Property, Snapshot};
use maud::{Markup, html};
use std::sync::Arc;

/// So many related ones are drawn.
const RELATED: usize = 200;
/// So much of a long text is shown, in characters; an export has all of it.
const SHOWN: usize = 100_000;

/// So many properties of an event and of each snapshot, and so many snapshots, are listed; an export has all of them.
const LISTED: usize = 500;
const SNAPSHOTS: usize = 20;

pub(super) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Html<String>, ErrorPage> {
    let nobody = || ErrorPage::NotFound("No event with this id is stored. It may have been too old to keep.");
    let id: EntityId = id.parse().map_err(|_| nobody())?;
    let read = app.store.read(move |reader| {
        let total = reader.total()?;
        let Some(stored) = reader.get(id)? else { return Ok(None) };
        let related = reader.related(&stored, RELATED)?;
        let children = match (&stored.entity, stored.entity.tracking_id()) {
            (Entity::Activity(_), Some(id)) => reader.children(id, RELATED)?,
            _ => Vec::new(),
        };
        Ok(Some((total, stored, related, children)))
    });
    let (total, stored, related, children) = read.await?.ok_or_else(nobody)?;
    let title = title(&stored.entity);
    let all = Filter::default();
    let head = Frame { title: &title, tab: Tab::None, filter: &all, total: Some(total) };
    let main = html! {
        (heading(&title, &stored))
        (fields(&stored))
        (details(&stored.entity))
        @if !children.is_empty() {
            section.part {
                h2 { "Children " span.dim { (counted(children.len(), "entry", "entries")) } }
                ol.rows { @for child in &children { (row(child, &all)) } }
            }
        }
        section.part {
            h2 { "Related " span.dim { (counted(related.len(), "entry", "entries")) } }
            p.hint {
                "What shares a correlator or a parent, as it happened"
                @if related.len() >= RELATED { "; of many, the first ones" }
                "."
            }
            (timeline(&related, stored.id))
        }
        section.part {
            details.raw {
                summary { "As it was received" }
                pre tabindex="0" role="region" aria-label="As it was received" { code { (cut(&String::from_utf8_lossy(&stored.json), SHOWN)) } }
            }
        }
    };
    Ok(frame(&head, &main))
}

fn title(entity: &Entity) -> String {
    let name = match entity {
        Entity::Snapshot(snapshot) => &snapshot.name,
        entity => operation_of(entity).unwrap_or_default(),
    };
    if name.is_empty() { "(no operation)".to_owned() } else { cut(name, 120) }
}

fn heading(title: &str, stored: &Stored) -> Markup {
    let severity = severity_of(&stored.entity);
    let (message, exception) = match &stored.entity {
        Entity::Event(event) => (&*event.message, &*event.exception),
        Entity::Activity(activity) => ("", &*activity.exception),
        _ => ("", ""),
    };
    html! {
        div.heading {
            h1 { (title) " " span.type { (stored.entity.op_type()) } }
            p { span class={ "sev " (severity_class(severity)) } { (severity) } " " (time(stored.time)) }
        }
        @if !message.is_empty() { pre.message tabindex="0" role="region" aria-label="Message" { (cut(message, SHOWN)) } }
        @if !exception.is_empty() {
            section.part { h2 { "Exception" } pre.exception tabindex="0" role="region" aria-label="Exception" { code { (cut(exception, SHOWN)) } } }
        }
    }
}

/// Properties and snapshots.
fn details(entity: &Entity) -> Markup {
    let (own, snapshots): (&[Property], &[Snapshot]) = match entity {
        Entity::Event(event) => (&event.properties, &event.snapshots),
        Entity::Activity(activity) => (&activity.properties, &activity.snapshots),
        Entity::Snapshot(snapshot) => (&[], std::slice::from_ref(&**snapshot)),
        _ => (&[], &[]),
    };
    html! {
        @if !own.is_empty() {
            section.part { h2 { "Properties" } (properties("", "", own)) }
        }
        @if !snapshots.is_empty() {
            section.part {
                h2 { "Snapshots" }
                div.snapshots {
                    @for snapshot in snapshots.iter().take(SNAPSHOTS) {
                        section {
                            h3 {
                                @if !snapshot.category.is_empty() { span.dim { (snapshot.category) "/" } }
                                (snapshot.name)
                                @if let Some(at) = snapshot.time { " " span.dim { (time(at)) } }
                            }
                            (properties(&snapshot.category, &snapshot.name, &snapshot.properties))
                        }
                    }
                }
                (more(snapshots.len(), SNAPSHOTS))
            }
        }
    }
}

/// Numbers lead to their chart.
fn properties(category: &str, snapshot: &str, properties: &[Property]) -> Markup {
    let chart = |property: &Property| {
        let metric = format!("{category}/{snapshot}/{}", property.name);
        property.value.as_f64().map(|_| url_with("/charts", &Filter::default(), "metric", metric) + "#metric")
    };
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr { th { "Name" } th { "Value" } th { "Type" } th { "Measures" } } }
                tbody {
                    @for property in properties.iter().take(LISTED) {
                        tr {
                            td { (property.name) }
                            td.value {
                                @match chart(property) {
                                    Some(chart) => a href=(chart) title="Over time" { (value(property)) }
                                    None => (cut(&value(property), SHOWN))
                                }
                            }
                            td.dim { (property.data_type.as_str()) }
                            td.dim { @if property.value_type.as_str() != "none" { (property.value_type.as_str()) } }
                        }
                    }
                }
            }
        }
        (more(properties.len(), LISTED))
    }
}

/// Says how many are not listed.
fn more(there: usize, listed: usize) -> Markup {
    html! {
        @if there > listed { p.hint { "and " (count((there - listed) as u64)) " more, which an export has" } }
    }
}
