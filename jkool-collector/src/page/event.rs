//! The page of one entity with all its fields.

use super::error_page::ErrorPage;
use super::fields::fields;
use super::format::{count, counted, cut, severity_class, time, value};
use super::layout::{Frame, Tab, frame};
use super::link::{event_url, event_url_within, url, url_with, with_source, with_time};
use super::list_filter::Snapshots;
use super::pretty_json::pretty;
use super::query_params::QueryParams;
use super::row::row;
use super::trace::{Trace, Window, trace_url, waterfall};
use crate::app::App;
use crate::condition::{Condition, Test};
use crate::expression::Expression;
use crate::field::FieldName;
use crate::filter::Filter;
use crate::filter::{operation_of, severity_of};
use crate::store::{EntityId, Reader, StoreError, Stored};
use axum::extract::{Path, RawQuery, State};
use axum::response::Html;
use jkool_model::{Entity, Property, Snapshot, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// The maximum number of related entities that are drawn.
const RELATED: usize = 200;
/// The maximum length of a shown text in characters; an export contains all of it.
const SHOWN: usize = 100_000;

/// The maximum numbers of listed properties, of an event and of each snapshot, and of snapshots; an export contains
/// all.
const LISTED: usize = 500;
const SNAPSHOTS: usize = 20;

/// The number of entities of the same source before and after this one.
const AROUND: usize = 5;

/// The next and previous entities of the list, and those of the same source.
#[derive(Default)]
struct Neighbours {
    older: Option<EntityId>,
    younger: Option<EntityId>,
    /// Newest first, including the entity itself. Without snapshots, which a source sends every few seconds, unless the
    /// entity is one.
    around: Vec<Stored>,
}

impl Neighbours {
    fn of(reader: &Reader<'_>, stored: &Stored, filter: &Filter, now: Timestamp) -> Result<Self, StoreError> {
        let id = Some(stored.id);
        let first = |found: Vec<Stored>| found.first().map(|stored| stored.id);
        let mut around = Vec::new();
        if let Some(source) = stored.entity.source() {
            let snapshots = Snapshots { shown: matches!(stored.entity, Entity::Snapshot(_)) };
            let same = snapshots.listed(&with_source(&Filter::default(), source));
            around = reader.find_after(&same, AROUND, id, now)?;
            around.reverse();
            around.push(stored.clone());
            around.extend(reader.find(&same, AROUND, id, now)?);
        }
        let (older, younger) = (reader.find(filter, 1, id, now)?, reader.find_after(filter, 1, id, now)?);
        Ok(Self { older: first(older), younger: first(younger), around })
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Html<String>, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    params.finish();
    let (mark, filter, now) = (params.mark(&app).await?, params.filter, app.clock.now());
    let listed = Snapshots::default().listed(&filter);
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
        let neighbours = Neighbours::of(reader, &stored, &listed, now)?;
        Ok(Some((total, stored, related, children, neighbours)))
    });
    let (total, stored, related, children, neighbours) = read.await?.ok_or_else(nobody)?;
    let title = title(&stored.entity);
    let all = Filter::default();
    let head = Frame { title: &title, tab: Tab::None, filter: &filter, total: Some(total), mark: mark.as_ref() };
    let received = cut_and_told(&pretty(&String::from_utf8_lossy(&stored.json)));
    let main = html! {
        (steps(&neighbours, &filter))
        (heading(&title, &stored))
        (fields(&stored))
        (details(&stored.entity))
        @if !children.is_empty() {
            section.part {
                h2 { "Children " span.dim { (counted(children.len(), "entry", "entries")) } }
                ol.rows { @for child in &children { (row(child, &all)) } }
            }
        }
        @if neighbours.around.len() > 1 {
            section.part {
                h2 { "Context " span.dim { "events of the same source, before and after" } }
                ol.rows { @for other in &neighbours.around { (row(other, &all)) } }
                @if let Some(source) = stored.entity.source() {
                    p.hint {
                        a href=(url("/", &with_time(&with_source(&all, source), away(&stored, -WIDER), away(&stored, WIDER)))) {
                            "A minute before and after"
                        }
                    }
                }
            }
        }
        @if related.len() > 1 { section.part {
            h2 { "Related " span.dim { (counted(related.len(), "entry", "entries")) } }
            p.hint {
                "What shares a correlator or a parent, as it happened"
                @if related.len() >= RELATED { "; of many, the first ones" }
                ". Framed bars are the critical path: what the end waited for. "
                a href=(trace_url(stored.id)) { "Full trace" }
            }
            @let trace = Trace::of(&related);
            (waterfall(&trace, trace.steps.iter(), Window::new(trace.start, trace.length(), None, None), stored.id, event_url, |_| html! {}))
        } }
        section.part {
            details.raw {
                summary { "JSON as received" }
                pre tabindex="0" role="region" aria-label="JSON as received" { code #received { (received) } }
            }
        }
    };
    Ok(frame(&head, &main))
}

/// The time before and after an entity that the link to surrounding entities covers, in microseconds.
const WIDER: i64 = 60_000_000;

fn away(stored: &Stored, by: i64) -> Timestamp {
    Timestamp::from_usec(stored.time.as_usec().saturating_add(by).max(0))
}

/// Links to the next and previous entities of the list.
fn steps(neighbours: &Neighbours, filter: &Filter) -> Markup {
    let to = |id: Option<EntityId>, rel, text| {
        html! { @if let Some(id) = id { a.button rel=(rel) href=(event_url_within(id, filter)) { (text) } } }
    };
    html! {
        p.steps {
            a href=(url("/", filter)) { "To the list" }
            span.spring {}
            (to(neighbours.younger, "prev", "↑ Younger"))
            (to(neighbours.older, "next", "↓ Older"))
        }
    }
}

/// Shortens a long text, and adds its full length.
fn cut_and_told(text: &str) -> String {
    let characters = text.chars().count();
    if characters <= SHOWN {
        return text.to_owned();
    }
    format!(
        "{}\n(the first {} of {} characters; an export has all)",
        cut(text, SHOWN),
        count(SHOWN as u64),
        count(characters as u64)
    )
}

/// Buttons that copy the entity's JSON, and a filter and a command that find it.
fn copies(entity: &Entity) -> Markup {
    let found = entity.tracking_id().map(|id| {
        let is_it = Condition::new(FieldName::new("tracking-id".to_owned()), Test::Is(id.to_string()));
        Expression::from(is_it).to_string()
    });
    html! {
        p.copies {
            button type="button" data-copy-from="#received" hidden { "Copy JSON" }
            @if let Some(found) = found {
                button type="button" data-copy=(found) hidden { "Copy as filter" }
                button type="button" data-copy={ "jkool search --url {origin} " (in_quotes(&found)) } hidden { "Copy as command" }
            }
        }
    }
}

/// Quotes an argument for a shell.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
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
        (copies(&stored.entity))
        @if !message.is_empty() {
            pre.message tabindex="0" role="region" aria-label="Message" { (cut_and_told(&pretty_message(message))) }
        }
        @if !exception.is_empty() {
            section.part { h2 { "Exception" } pre.exception tabindex="0" role="region" aria-label="Exception" { code { (cut_and_told(exception)) } } }
        }
    }
}

/// Formats a message that is JSON; others are unchanged.
fn pretty_message(message: &str) -> String {
    if message.trim_start().starts_with(['{', '[']) { pretty(message) } else { message.to_owned() }
}

/// The properties and snapshots.
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

/// A table of properties. Numeric ones are links to their charts.
fn properties(category: &str, snapshot: &str, properties: &[Property]) -> Markup {
    let chart = |property: &Property| {
        let metric = format!("{category}/{snapshot}/{}", property.name);
        property.value.as_f64().map(|_| url_with("/charts", &Filter::default(), "metric", metric) + "#metric")
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Properties " (snapshot) } {
            table.properties aria-label={ "Properties " (snapshot) } {
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

/// The number of items that are not listed.
fn more(there: usize, listed: usize) -> Markup {
    html! {
        @if there > listed { p.hint { "and " (count((there - listed) as u64)) " more, which an export has" } }
    }
}
