//! The map of messages between sources.

mod drawing;
mod geometry;
mod labels;
mod layout;

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, cut, duration, number};
use super::layout::{Frame, Tab, as_open_table, as_table, frame};
use super::link::{url, url_and, with_source, with_time};
use super::outside::outside;
use super::query_params::QueryParams;
use super::strip::strip;
use crate::app::App;
use crate::filter::{Filter, SeverityRange};
use crate::query::Query;
use crate::store::{BusyRange, Flow, Level, Load, Reader, StoreError};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, SourceFqn, SourceType, Timestamp};
use maud::{Markup, html};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The maximum number of flows that are drawn and listed: those with the most messages.
const DRAWN: usize = 120;
/// The approximate number of bars above the map.
const BUCKETS: usize = 80;
/// The maximum number of sources whose load is shown.
const SOURCES: usize = 500;

/// The default level combines the servers of an application.
const LEVEL: Level = Level::Element(SourceType::Appl);
const LEVELS: [(Level, &str); 5] = [
    (LEVEL, "applications"),
    (Level::Element(SourceType::Server), "servers"),
    (Level::Element(SourceType::Datacenter), "data centres"),
    (Level::Element(SourceType::Geoaddr), "places"),
    (Level::Source, "every source"),
];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let level = params.take("level").unwrap_or(LEVEL);
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let in_time = params.filter.time_only();
    let read = app.store.read(move |reader| {
        let flows = Flows::read(reader, level, &filter, now)?;
        Ok((reader.total()?, reader.histogram(&flows.busy, BUCKETS, now)?, flows))
    });
    let (total, buckets, flows) = read.await?;
    let mark = params.mark(&app).await?;
    let head = Frame { title: "Map", tab: Tab::Map, filter: &params.filter, total: Some(total), mark: mark.as_ref() };
    let mut own = Query::default();
    if level != LEVEL {
        own.push("level", level);
    }
    let at = |time: Option<(Timestamp, Timestamp)>| {
        let filter = Filter { since: None, until: None, ..params.filter.clone() };
        url_and("/map", &time.map_or(filter.clone(), |(from, to)| with_time(&filter, from, to)), &own)
    };
    let main = html! {
        h1.unseen { "Map" }
        (FilterForm { path: "/map", params: &params, own: Some((level_field(level), own.clone())) }.time_only())
        div.slider { (outside("/map", &in_time, flows.range)) (strip(&buckets, &in_time, at)) }
        @if flows.flows.is_empty() {
            p.notice {
                "No message went from one source to another"
                @if !in_time.is_empty() { " in this time. " a href="/map" { "Any time" } } @else { "." }
                br;
                span.hint { "A message is a SEND event, and a RECEIVE event after it that shares a correlator." }
            }
        } @else {
            section.part.ways {
                h2 { "Who sent to whom" }
                p.hint {
                    "SEND events and the RECEIVE events that share a correlator with them: how many in a minute, how many of them failed at "
                    "the receiver, and within which time 95 % were received"
                    @if flows.flows.len() < flows.found { "; the strongest " (flows.flows.len()) " of " (count(flows.found as u64)) } "."
                }
                (drawing::drawing(&flows.flows, &flows.loads, &in_time))
                (as_open_table("Messages as a table", &messages_head(), &messages(&flows.flows, &in_time)))
                (sources(&flows.flows, &flows.loads, &in_time))
            }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

fn level_field(level: Level) -> Markup {
    let is_other = LEVELS.iter().all(|(known, _)| *known != level);
    html! {
        label.field.f-level {
            span { "Between" }
            select name="level" {
                @for (known, name) in LEVELS {
                    option value=(if known == LEVEL { String::new() } else { known.to_string() }) selected[known == level] { (name) }
                }
                @if is_other { option value=(level) selected { (level) } }
            }
        }
    }
}

/// The data of the map.
#[derive(Debug)]
pub(super) struct Flows {
    /// The flows with the most messages.
    flows: Vec<Flow>,
    found: usize,
    loads: Loads,
    filter: Filter,
    /// The time range that contains nearly all messages, with a filter for it.
    range: Option<BusyRange>,
    busy: Filter,
}

impl Flows {
    /// Queries the flows between applications in the filter's time range.
    pub(super) fn of(reader: &Reader<'_>, filter: &Filter, now: Timestamp) -> Result<Self, StoreError> {
        Self::read(reader, LEVEL, filter, now)
    }

    fn read(reader: &Reader<'_>, level: Level, filter: &Filter, now: Timestamp) -> Result<Self, StoreError> {
        let filter = filter.time_only();
        let mut flows = reader.flows_at(level, &filter, now)?;
        let found = flows.len();
        flows.truncate(DRAWN);
        let range = reader.busy_range(&filter, now)?;
        let busy = range.map_or_else(|| filter.clone(), |range| range.of(&filter));
        let mut loads = reader.loads(level, &busy, SOURCES, now)?;
        let has_load = |source: &SourceFqn| loads.contains_key(source);
        if !flows.iter().all(|flow| has_load(&flow.from) && has_load(&flow.to)) {
            // The load of sources without an element of this level.
            loads.extend(reader.loads(Level::Source, &busy, SOURCES, now)?);
        }
        let minutes = range.map_or(1.0, BusyRange::minutes);
        Ok(Self { flows, found, loads: Loads { loads, minutes }, filter, range, busy })
    }

    pub(super) fn draw(&self) -> Markup {
        match self.flows.is_empty() {
            true => html! { p.hint { "No message went from one source to another in this time." } },
            false => html! {
                (drawing::drawing(&self.flows, &self.loads, &self.filter))
                (as_table("Messages as a table", &messages_head(), &messages(&self.flows, &self.filter)))
            },
        }
    }
}

/// The load of each source, and the length of the time range in minutes.
#[derive(Debug)]
struct Loads {
    loads: HashMap<SourceFqn, Load>,
    minutes: f64,
}

impl Loads {
    /// Returns the load, or `None` for sources beyond the first [`SOURCES`] and for names too long for the index.
    fn of(&self, source: &SourceFqn) -> Option<&Load> {
        self.loads.get(source)
    }

    fn rate(&self, load: &Load) -> String {
        per_minute(load.entities as f64 / self.minutes)
    }
}

fn per_minute(rate: f64) -> String {
    let decimals = if rate < 10.0 { 1 } else { 0 };
    format!("{rate:.decimals$}/min")
}

fn percent(share: f64) -> String {
    format!("{} %", number((share * 1_000.0).round() / 10.0))
}

/// Returns the URL of the events of a source, or only of its errors.
fn source_url(filter: &Filter, source: &SourceFqn, only_errors: bool) -> String {
    let errors = SeverityRange { from: Severity::Error, to: Severity::Halt };
    let severity = only_errors.then_some(errors);
    url("/", &Filter { severity, ..with_source(filter, source) })
}

fn messages_head() -> Markup {
    html! {
        th { "From" } th { "To" } th.n { "Messages" } th.n { "Rate" } th.n { "With errors" } th.n { "Share of errors" } th.n { "p95" }
    }
}

fn messages(flows: &[Flow], filter: &Filter) -> Markup {
    let name =
        |source: &SourceFqn| html! { a href=(source_url(filter, source, false)) { (cut(source.as_str(), 120)) } };
    html! {
        @for flow in flows {
            tr {
                td { (name(&flow.from)) }
                td { (name(&flow.to)) }
                td.n { (count(flow.count)) }
                td.n { (per_minute(flow.per_minute)) }
                td.n {
                    @match flow.errors {
                        0 => "0",
                        errors => a href=(source_url(filter, &flow.to, true)) { (count(errors)) }
                    }
                }
                td.n { (percent(flow.errors as f64 / flow.count.max(1) as f64)) }
                td.n { (duration(flow.transit_p95_usec)) }
            }
        }
    }
}

/// The table of sources.
fn sources(flows: &[Flow], loads: &Loads, filter: &Filter) -> Markup {
    let sources: BTreeSet<&str> = flows.iter().flat_map(|flow| [flow.from.as_str(), flow.to.as_str()]).collect();
    let heads = html! { th { "Source" } th.n { "Rate" } th.n { "Errors" } th.n { "Share of errors" } th.n { "p95" } };
    let rows = html! {
        @for source in sources.into_iter().filter_map(|source| source.parse::<SourceFqn>().ok()) {
            tr {
                td { a href=(source_url(filter, &source, false)) { (cut(source.as_str(), 120)) } }
                @if let Some(load) = loads.of(&source) {
                    td.n { (loads.rate(load)) }
                    td.n { @match load.errors { 0 => "0", errors => a href=(source_url(filter, &source, true)) { (count(errors)) } } }
                    td.n { (percent(load.error_share())) }
                    td.n { @if let Some(usec) = load.p95 { (duration(usec as i64)) } }
                } @else {
                    td.n colspan="4" { "not counted" }
                }
            }
        }
    };
    as_table("Sources as a table", &heads, &rows)
}
