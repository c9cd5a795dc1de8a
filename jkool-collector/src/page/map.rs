//! Who sent to whom.

mod drawing;
mod layout;

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, cut};
use super::layout::{Frame, Tab, as_table, frame};
use super::link::{url, with_source};
use super::query_params::QueryParams;
use crate::app::App;
use crate::filter::{Filter, SeverityRange};
use crate::store::Flow;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, SourceFqn};
use maud::{Markup, html};
use std::sync::Arc;

/// So many flows are drawn and listed, the strongest; more would be a ball of wool.
const DRAWN: usize = 120;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let (total, flows) = app.store.read(move |reader| Ok((reader.total()?, reader.flows(&filter, now)?))).await?;
    let in_time = Filter { since: params.filter.since, until: params.filter.until, ..Filter::default() };
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
                (drawing::drawing(drawn, &in_time))
                (table(drawn, &in_time))
            }
        }
    };
    Ok((params.status(), frame(&head, &main)))
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
    as_table(&heads, &rows)
}
