//! The page of a dashboard, whose viewlets are queried in parallel.

use super::dashboard_url::DashboardUrl;
use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::layout::{Frame, Tab, frame};
use super::query_params::QueryParams;
use super::viewlet::{self, Answered, Asked};
use crate::app::App;
use crate::dashboard::{Dashboard, Viewlet};
use crate::filter::Filter;
use crate::query::Query;
use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use futures_util::future::join_all;
use jkool_jkql::{Zone, moment};
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

/// The value of the parameter `compare`: the previous period.
#[derive(Debug, Clone, Copy)]
struct Compare;

impl FromStr for Compare {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "before" { Ok(Self) } else { Err("expected before") }
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let compare = params.take::<Compare>("compare").is_some();
    params.finish();
    let dashboard = app.dashboards.get(&name).map_err(|_| ErrorPage::NotFound("There is no such dashboard."))?;
    let (filter, now) = (&params.filter, app.clock.now());
    let range = range(filter, &dashboard, now);
    let answers = ask(&app, &dashboard.viewlets, &range, now, compare).await;
    let total = app.store.read(|reader| reader.total()).await?;
    let mark = params.mark(&app).await?;
    let head = Frame { title: &dashboard.title, tab: Tab::Dashboards, filter, total: Some(total), mark: mark.as_ref() };
    let url = DashboardUrl::new(&name, query.as_deref());
    let mut own = Query::default();
    if compare {
        own.push("compare", "before");
    }
    let form =
        FilterForm { path: &format!("/dashboards/{name}"), params: &params, own: Some((compare_field(compare), own)) };
    let main = html! {
        (form.time_only())
        div.tools {
            h1 { (dashboard.title) }
            @if filter.since.is_none() { span { "Default: since " (dashboard.since) } }
            span.spring {}
            a href="/dashboards" { "All dashboards" }
            a href={ "/api/dashboards/" (name) } download={ (name) ".json" } { "Export as JSON" }
            a.button href=(url.edit()) { "Edit" }
        }
        @if dashboard.viewlets.is_empty() {
            p.notice { "This dashboard is empty. " a href=(url.edit_viewlet("new")) { "Add a viewlet" } }
        }
        div.grid data-live[filter.until.is_none()] {
            @for (viewlet, answered) in dashboard.viewlets.iter().zip(&answers) { (section(viewlet, answered)) }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// Returns the time range in the URL, or that of the dashboard, in microseconds.
pub(super) fn range(filter: &Filter, dashboard: &Dashboard, now: Timestamp) -> Range<i64> {
    let end = filter.until.map_or(now, |until| until.before(now)).as_usec();
    let of_dashboard = || moment(&dashboard.since, end, &Zone::default()).map_or(end, |since| since.start);
    let start = filter.since.map_or_else(of_dashboard, |since| since.before(now).as_usec());
    start.min(end.saturating_sub(1))..end
}

/// Returns the answers, queried in parallel, or the error of each failed query.
pub(super) async fn ask(
    app: &App,
    viewlets: &[Viewlet],
    range: &Range<i64>,
    now: Timestamp,
    compare: bool,
) -> Vec<Result<Answered, String>> {
    let ask = |viewlet: &Viewlet| {
        let asked = Asked::new(viewlet, range, now, compare);
        let read = app.store.read(move |reader| Ok(asked.answer(reader)));
        async { read.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string()) }
    };
    join_all(viewlets.iter().map(ask)).await
}

/// A viewlet in its place. If its query failed, it shows the error; the others are not affected.
pub(super) fn section(viewlet: &Viewlet, answered: &Result<Answered, String>) -> Markup {
    html! {
        section class={ "part viewlet w" (viewlet.width) " r" (viewlet.height) } {
            h2 { (viewlet.title) }
            @match answered {
                Ok(answered) => (viewlet::draw(&viewlet.title, answered)),
                Err(error) => { p.fault.bar { (error) } p.hint { code { (viewlet.query) } } }
            }
        }
    }
}

fn compare_field(compare: bool) -> Markup {
    html! {
        label.field.f-compare {
            span { "Compare" }
            select name="compare" {
                option value="" { "nothing" }
                option value="before" selected[compare] { "the previous period" }
            }
        }
    }
}
