//! Who sent to whom.

mod drawing;
mod labels;
mod layout;

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, cut, duration, number};
use super::layout::{Frame, Tab, as_table, frame};
use super::link::{url, with_source};
use super::query_params::QueryParams;
use crate::app::App;
use crate::filter::{Filter, SeverityRange};
use crate::store::{BusyRange, Flow, Load, Reader, StoreError};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, SourceFqn, Timestamp};
use maud::{Markup, html};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many flows are drawn and listed, the strongest; more would be a ball of wool.
const DRAWN: usize = 120;
/// So many sources have figures.
const SOURCES: usize = 500;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let in_time = params.filter.time_only();
    let wanted = in_time.clone();
    let read = app.store.read(move |reader| {
        let range = reader.busy_range(&wanted, now)?;
        let loads = reader.loads(&wanted, SOURCES, now)?;
        Ok((reader.total()?, reader.flows(&filter, now)?, Loads { loads, minutes: minutes(range) }))
    });
    let (total, flows, loads) = read.await?;
    let head = Frame { title: "Map", tab: Tab::Map, filter: &params.filter, total: Some(total) };
    let drawn = flows.get(..DRAWN).unwrap_or(&flows);
    let main = html! {
        h1.unseen { "Map" }
        (FilterForm { path: "/map", params: &params, own: None }.time_only())
        @if flows.is_empty() {
            p.notice {
                "No message went from one source to another"
                @if !in_time.is_empty() { " in this time. " a href="/map" { "Any time" } } @else { "." }
                br;
                span.hint { "A message is a SEND event, and a RECEIVE event after it that shares a correlator." }
            }
        } @else {
            section.part {
                h2 { "Who sent to whom" }
                p.hint {
                    "SEND events and the RECEIVE events that share a correlator with them"
                    @if flows.len() > drawn.len() { "; the strongest " (drawn.len()) " of " (count(flows.len() as u64)) } "."
                }
                (drawing::drawing(drawn, &loads, &in_time))
                (table(drawn, &in_time))
                (sources(drawn, &loads, &in_time))
            }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// The map of a time, as a picture with its table.
#[derive(Debug)]
pub(super) struct Flows {
    flows: Vec<Flow>,
    loads: Loads,
    filter: Filter,
}

impl Flows {
    /// Those of the time that `filter` says.
    pub(super) fn read(reader: &Reader<'_>, filter: &Filter, now: Timestamp) -> Result<Self, StoreError> {
        let filter = filter.time_only();
        let mut flows = reader.flows(&filter, now)?;
        flows.truncate(DRAWN);
        let loads = reader.loads(&filter, SOURCES, now)?;
        let minutes = minutes(reader.busy_range(&filter, now)?);
        Ok(Self { flows, loads: Loads { loads, minutes }, filter })
    }

    pub(super) fn draw(&self) -> Markup {
        match self.flows.is_empty() {
            true => html! { p.hint { "No message went from one source to another in this time." } },
            false => {
                html! { (drawing::drawing(&self.flows, &self.loads, &self.filter)) (table(&self.flows, &self.filter)) }
            }
        }
    }
}

/// What each source told, in so many minutes.
#[derive(Debug)]
struct Loads {
    loads: HashMap<String, Load>,
    minutes: f64,
}

impl Loads {
    fn of(&self, source: &SourceFqn) -> Load {
        self.loads.get(source.as_str()).copied().unwrap_or_default()
    }

    /// How many in a minute.
    fn rate(&self, count: u64) -> String {
        let rate = count as f64 / self.minutes;
        let decimals = if rate < 10.0 { 1 } else { 0 };
        format!("{rate:.decimals$}/min")
    }
}

/// How long it is, one minute at least, so that a few seconds are no thousands a minute.
fn minutes(range: Option<BusyRange>) -> f64 {
    let usec = range.map_or(0, |range| range.last.as_usec().saturating_sub(range.first.as_usec()));
    (usec as f64 / 60e6).max(1.0)
}

fn percent(share: f64) -> String {
    format!("{} %", number((share * 1_000.0).round() / 10.0))
}

/// What came from a source; of it, what failed.
fn source_url(filter: &Filter, source: &SourceFqn, only_errors: bool) -> String {
    let errors = SeverityRange { from: Severity::Error, to: Severity::Halt };
    let severity = only_errors.then_some(errors);
    url("/", &Filter { severity, ..with_source(filter, source) })
}

fn table(flows: &[Flow], filter: &Filter) -> Markup {
    let name =
        |source: &SourceFqn| html! { a href=(source_url(filter, source, false)) { (cut(source.as_str(), 120)) } };
    let heads = html! { th { "From" } th { "To" } th.n { "Messages" } th.n { "With errors" } };
    let rows = html! {
        @for flow in flows {
            tr {
                td { (name(&flow.from)) }
                td { (name(&flow.to)) }
                td.n { (count(flow.count)) }
                td.n {
                    @match flow.errors {
                        0 => "0",
                        errors => a href=(source_url(filter, &flow.to, true)) { (count(errors)) }
                    }
                }
            }
        }
    };
    as_table("Messages as a table", &heads, &rows)
}

/// The figures of the sources.
fn sources(flows: &[Flow], loads: &Loads, filter: &Filter) -> Markup {
    let sources: BTreeSet<&str> = flows.iter().flat_map(|flow| [flow.from.as_str(), flow.to.as_str()]).collect();
    let heads = html! { th { "Source" } th.n { "Rate" } th.n { "Errors" } th.n { "Share of errors" } th.n { "95 % took at most" } };
    let rows = html! {
        @for source in sources.into_iter().filter_map(|source| source.parse::<SourceFqn>().ok()) {
            @let load = loads.of(&source);
            tr {
                td { a href=(source_url(filter, &source, false)) { (cut(source.as_str(), 120)) } }
                td.n { (loads.rate(load.entities)) }
                td.n { @match load.errors { 0 => "0", errors => a href=(source_url(filter, &source, true)) { (count(errors)) } } }
                td.n { (percent(load.error_share())) }
                td.n { @if let Some(usec) = load.p95 { (duration(usec as i64)) } }
            }
        }
    };
    as_table("Sources as a table", &heads, &rows)
}
