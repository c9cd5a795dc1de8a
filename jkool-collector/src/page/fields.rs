//! The fields of an entity, with names for people.

use super::format::{count, cut, duration, severity_class, time};
use super::link::{harmless, url, with_correlator, with_element, with_operation, with_parent, with_severity};
use crate::filter::Filter;
use crate::filter::severity_of;
use crate::store::Stored;
use jkool_model::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// The maximum length of a shown value in characters.
const SHOWN: usize = 10_000;

/// The maximum number of listed correlators; an export contains all.
const LISTED: usize = 100;

/// The presentation of a field's value.
#[derive(Debug, Clone, Copy)]
enum As {
    Plain,
    Severity,
    Operation,
    Source,
    /// The id of a parent, linked to all entities with this parent.
    Parent,
    Correlators,
    Time,
    Duration,
    Count,
    Url,
}

/// The name on the wire, the name for people, and the presentation.
type Row = (&'static str, &'static str, As);

const GROUPS: &[(&str, &[Row])] = &[
    (
        "What",
        &[
            ("name", "Name", As::Plain),
            ("category", "Category", As::Plain),
            ("operation", "Operation", As::Operation),
            ("type", "Type", As::Plain),
            ("severity", "Severity", As::Severity),
            ("status", "Status", As::Plain),
            ("comp-code", "Completion", As::Plain),
            ("reason-code", "Reason code", As::Plain),
            ("resource", "Resource", As::Plain),
            ("msg-tag", "Tags", As::Plain),
            ("log-type", "Log type", As::Plain),
        ],
    ),
    (
        "When",
        &[
            ("time-usec", "Reported", As::Time),
            ("start-time-usec", "Started", As::Time),
            ("end-time-usec", "Ended", As::Time),
            ("elapsed-time-usec", "Elapsed", As::Duration),
            ("wait-time-usec", "Waited", As::Duration),
            ("msg-age", "Message age", As::Duration),
            ("ttl-sec", "Time to live (s)", As::Plain),
        ],
    ),
    (
        "Where",
        &[
            ("source-fqn", "Source", As::Source),
            ("source-ssn", "Short name", As::Plain),
            ("source-url", "Source url", As::Url),
            ("location", "Location", As::Plain),
            ("user", "User", As::Plain),
            ("pid", "Process", As::Plain),
            ("tid", "Thread", As::Plain),
            ("relate-type", "Relation", As::Plain),
            ("relate-afqn", "Relation from", As::Plain),
            ("relate-bfqn", "Relation to", As::Plain),
        ],
    ),
    (
        "Ids",
        &[
            ("corrid", "Correlators", As::Correlators),
            ("tracking-id", "Tracking id", As::Plain),
            ("parent-id", "Parent", As::Parent),
            ("_guid", "Global id", As::Plain),
            ("tracking-sign", "Signature", As::Plain),
            ("id-set", "Members", As::Plain),
        ],
    ),
    (
        "Message",
        &[
            ("msg-size", "Size (characters)", As::Count),
            ("mime-type", "Media type", As::Plain),
            ("encoding", "Encoding", As::Plain),
            ("charset", "Character set", As::Plain),
        ],
    ),
];

/// Fields that the page shows elsewhere.
const ELSEWHERE: [&str; 4] = ["msg-text", "exception", "properties", "snapshots"];

/// All fields with a value, in groups.
pub(super) fn fields(stored: &Stored) -> Markup {
    // From the JSON, so that a new field of the model is shown without a change here.
    let mut said = match serde_json::to_value(&stored.entity) {
        Ok(Value::Object(said)) => said,
        _ => Map::new(),
    };
    said.retain(|name, _| !ELSEWHERE.contains(&name.as_str()));
    let groups: Vec<_> = GROUPS
        .iter()
        .map(|(title, rows)| {
            let rows = rows.iter().filter_map(|row| Some((*row, said.remove(row.0)?))).collect::<Vec<_>>();
            (*title, rows)
        })
        .collect();
    html! {
        div.fields {
            @for (title, rows) in groups.iter().filter(|(_, rows)| !rows.is_empty()) {
                section {
                    h2 { (title) }
                    dl {
                        @for ((wire, name, way), value) in rows {
                            dt title=(wire) { (name) }
                            dd { (shown(*way, value, stored)) }
                        }
                        @if *title == "When" {
                            dt { "Received" }
                            dd { (time(stored.received)) }
                        }
                    }
                }
            }
            @if !said.is_empty() {
                section {
                    h2 { "Other" }
                    dl { @for (wire, value) in &said { dt { (wire) } dd { (plain(value)) } } }
                }
            }
        }
    }
}

fn shown(way: As, value: &Value, stored: &Stored) -> Markup {
    let all = Filter::default();
    let text = plain(value);
    let int = value.as_i64();
    match (way, int) {
        (As::Time, Some(0)) => html! { "unknown" },
        (As::Time, Some(usec)) => time(Timestamp::from_usec(usec)),
        (As::Duration, Some(usec)) => html! { span title=(format!("{usec} µs")) { (duration(usec)) } },
        (As::Count, Some(number)) => html! { (u64::try_from(number).map_or(text, count)) },
        (As::Severity, _) => {
            let severity = severity_of(&stored.entity);
            html! { a class={ "sev " (severity_class(severity)) } href=(url("/", &with_severity(&all, severity))) { (text) } }
        }
        (As::Operation, _) => html! { a href=(url("/", &with_operation(&all, &text))) { (text) } },
        (As::Source, _) => html! {
            ul.elements {
                @for element in stored.entity.source().into_iter().flat_map(|source| source.elements()) {
                    li { a href=(url("/", &with_element(&all, element))) { span.dim { (element.0) "=" } (element.1) } }
                }
            }
        },
        (As::Parent, _) => {
            html! { a href=(url("/", &with_parent(&all, &text))) title="All that belong to it" { (text) } }
        }
        (As::Correlators, _) => html! {
            @for (index, name) in stored.entity.correlators().iter().take(LISTED).enumerate() {
                @if index > 0 { ", " }
                a.corr href=(url("/", &with_correlator(&all, name))) { (name) }
            }
            @if stored.entity.correlators().len() > LISTED {
                span.dim { " and " (count((stored.entity.correlators().len() - LISTED) as u64)) " more" }
            }
        },
        (As::Url, _) => html! {
            @match harmless(&text) {
                Some(good) => a href=(good) rel="noopener noreferrer nofollow" target="_blank" { (good) }
                None => (text)
            }
        },
        _ => html! { (cut(&text, SHOWN)) },
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}
