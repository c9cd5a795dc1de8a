//! The newest events, live, and the older ones page by page.

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::layout::{Frame, Tab, frame};
use super::link::{url, url_with};
use super::query_params::QueryParams;
use super::row::row;
use super::welcome::welcome;
use crate::app::App;
use crate::filter::Filter;
use crate::store::{EntityId, Stored};
use axum::extract::{RawQuery, State};
use axum::http::header::{HOST, HeaderMap};
use axum::response::IntoResponse;
use maud::{Markup, html};
use std::sync::Arc;

/// So many are on a page.
pub(super) const ON_A_PAGE: usize = 100;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let before: Option<EntityId> = params.take("before");
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let (total, found) =
        app.store.read(move |reader| Ok((reader.total()?, reader.find(&filter, ON_A_PAGE + 1, before, now)?))).await?;
    let head = Frame { title: "Events", tab: Tab::Events, filter: &params.filter, total: Some(total) };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:6580");
    let main = html! {
        h1.unseen { "Events" }
        (FilterForm { path: "/", params: &params, own: None }.full())
        @if total == 0 { (welcome(&format!("{}://{host}", app.scheme()), app.access.needs_token())) }
        (list(&params.filter, before, found))
    };
    Ok((params.status(), frame(&head, &main)))
}

fn list(filter: &Filter, before: Option<EntityId>, mut found: Vec<Stored>) -> Markup {
    let has_older = found.len() > ON_A_PAGE;
    found.truncate(ON_A_PAGE);
    let live = before.is_none() && filter.until.is_none();
    let older = found.last().filter(|_| has_older).map(|last| url_with("/", filter, "before", last.id));
    html! {
        div.tools {
            @if live {
                button #pause type="button" aria-keyshortcuts="Space" hidden { "Pause" }
                span #waiting .waiting hidden {}
                span #missed .missed role="status" {}
            } @else if before.is_some() {
                a.button href=(url("/", filter)) { "To the newest" }
            }
            span.spring {}
            span.export {
                "Export all that match: "
                a href=(url("/api/events.jsonl", filter)) download { "JSON lines" } " "
                a href=(url("/api/events.csv", filter)) download { "CSV" }
            }
        }
        ol #rows .rows data-tail=[live.then(|| url("/tail", filter))] {
            @for stored in &found { (row(stored, filter)) }
        }
        @if found.is_empty() {
            p #nothing .notice {
                @if before.is_some() {
                    "There is nothing older."
                } @else if filter.is_empty() {
                    "What arrives is shown here at once."
                } @else {
                    "Nothing that is stored matches this filter. " a href="/" { "Clear the filter" }
                    @if live { " or wait: what arrives and matches is shown at once." }
                }
            }
        }
        @if let Some(older) = older {
            p.pages { a.button href=(older) rel="next" { "Older events" } }
        }
    }
}
