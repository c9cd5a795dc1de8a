//! The page of events: the newest ones, live, and older ones page by page.

use super::columns;
use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::counted;
use super::layout::{Frame, Tab, frame};
use super::link::url;
use super::list_filter::{Listing, asks_for_snapshots, split_at_now, wrong_from};
use super::query_params::QueryParams;
use super::row::row_with;
use super::watch::hidden;
use super::watch_form::watch_form;
use super::welcome::welcome;
use crate::app::App;
use crate::filter::Filter;
use crate::store::{EntityId, Stored};
use crate::time_arg::Moment;
use axum::extract::{RawQuery, State};
use axum::http::header::{HOST, HeaderMap};
use axum::response::IntoResponse;
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::sync::Arc;

/// The maximum number of events on a page.
pub(super) const ON_A_PAGE: usize = 100;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let before: Option<EntityId> = params.take("before");
    // Used only by the script, which opens this event next to the list.
    let _: Option<EntityId> = params.take("at");
    let listing = Listing::take(&app, &mut params).await?;
    params.finish();
    let mark = params.mark(&app).await?;
    let (listed, now) = (listing.snapshots.listed(&params.filter), app.clock.now());
    let (total, found, ahead) = app
        .store
        .read(move |reader| {
            let split = split_at_now(&listed, now);
            let (ahead, listed) = match &split {
                Some((future, listed)) => (reader.find(future, ON_A_PAGE, None, now)?.len(), listed),
                None => (0, &listed),
            };
            let found = reader.find(listed, ON_A_PAGE + 1, before, now)?;
            Ok((reader.total()?, found, ahead))
        })
        .await?;
    let own = listing.query();
    let head =
        Frame { title: "Events", tab: Tab::Events, filter: &params.filter, total: Some(total), mark: mark.as_ref() };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:6580");
    let main = html! {
        h1.unseen { "Events" }
        (FilterForm { path: "/", params: &params, own: Some((hidden(&own), own.clone())) }.full())
        div.forms {
            (columns::form(&params, &own, &found))
            (watch_form(&params, &own))
        }
        @if total == 0 { (welcome(&format!("{}://{host}", app.scheme()), app.access.needs_token())) }
        (wrong_clocks(&params.filter, ahead, now))
        div.explore {
            aside #facets .facets aria-label="Facets" data-summary=[(!found.is_empty()).then(|| listing.url("/summary", &params.filter))] {}
            div.list {
                div #over-time {}
                (list(&params.filter, &listing, before, found))
            }
            aside #detail .detail tabindex="-1" aria-label="Selected event" hidden {}
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// The hint that entities in the future are not listed: they would stay on top of the list until their time.
fn wrong_clocks(filter: &Filter, ahead: usize, now: Timestamp) -> Markup {
    let future = Filter { since: Some(Moment::At(wrong_from(now))), ..filter.clone() };
    html! {
        @if ahead > 0 {
            p.hint.ahead role="status" {
                (counted(ahead, "entry", "entries")) @if ahead == ON_A_PAGE { " or more" }
                " left out: their sender's clock is ahead of this machine's. " a href=(url("/", &future)) { "Show events with a future time" }
            }
        }
    }
}

fn list(filter: &Filter, listing: &Listing, before: Option<EntityId>, mut found: Vec<Stored>) -> Markup {
    let Listing { snapshots, columns } = listing;
    let has_older = found.len() > ON_A_PAGE;
    found.truncate(ON_A_PAGE);
    let live = before.is_none() && filter.until.is_none();
    let older = found.last().filter(|_| has_older).map(|last| {
        let url = listing.url("/", filter);
        format!("{url}{}before={}", if url.contains('?') { '&' } else { '?' }, last.id)
    });
    html! {
        div.tools {
            @if live {
                button #pause type="button" aria-keyshortcuts="Space" hidden { "Pause" }
                button #waiting .waiting type="button" hidden {}
                span #missed .missed role="status" {}
            } @else if before.is_some() {
                a.button href=(listing.url("/", filter)) { "To the newest" }
            }
            span.spring {}
            @if snapshots.shown {
                a href=(listing.with_snapshots(false, filter)) { "Hide snapshots" }
            } @else if !asks_for_snapshots(filter) {
                a href=(listing.with_snapshots(true, filter)) { "Show snapshots too" }
            }
            span.export {
                "Export all that match: "
                a href=(url("/api/events.jsonl", filter)) download { "JSON lines" } " "
                a href=(url("/api/events.csv", filter)) download { "CSV" }
            }
        }
        div class=[columns.class()] {
            (columns.heads(|columns| listing.with_columns(columns, filter)))
            ol #rows .rows data-tail=[live.then(|| listing.url("/tail", filter))] {
                @for stored in &found { (row_with(stored, filter, columns)) }
            }
        }
        @if found.is_empty() {
            p #nothing .notice {
                @if before.is_some() {
                    "There is nothing older."
                } @else if filter.is_empty() {
                    "New events are shown here as they arrive."
                } @else {
                    "Nothing that is stored matches this filter. " a href="/" { "Clear the filter" }
                    @if live { " or wait: new events that match are shown as they arrive." }
                }
            }
        }
        @if let Some(older) = older {
            p.pages { a.button href=(older) rel="next" { "Older events" } }
        }
    }
}
