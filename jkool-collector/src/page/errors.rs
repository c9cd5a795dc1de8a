//! The page of errors, grouped by similarity: number, first and last time, sources, and trend of each group.

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, counted, cut, severity_class, time};
use super::layout::{Frame, Tab, frame};
use super::link::{event_url, url};
use super::list_filter::split_at_now;
use super::query_params::QueryParams;
use crate::app::App;
use crate::filter::Filter;
use crate::store::{ErrorGroup, Errors};
use crate::time_arg::Moment;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::SourceFqn;
use maud::{Markup, html};
use std::sync::Arc;

/// The maximum number of groups.
const GROUPS: usize = 100;
/// The maximum number of sources of a group.
const SOURCES: usize = 3;
/// The height of a trend in units of the picture, and the width of a bar with its gap.
const HIGH: u64 = 24;
const BAR: usize = 4;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    // Entities in the future, from wrong clocks, would spoil every trend.
    let filter = split_at_now(&filter, now).map_or(filter, |(_, listed)| listed);
    let read = app.store.read(move |reader| Ok((reader.total()?, reader.errors(&filter, now)?)));
    let (total, errors) = read.await?;
    let mark = params.mark(&app).await?;
    let head =
        Frame { title: "Errors", tab: Tab::Errors, filter: &params.filter, total: Some(total), mark: mark.as_ref() };
    let main = html! {
        h1.unseen { "Errors" }
        (FilterForm { path: "/errors", params: &params, own: None }.full())
        @if errors.groups.is_empty() {
            p.notice {
                @if params.filter.is_empty() {
                    "No errors: nothing stored is an ERROR or worse, or has an exception."
                } @else {
                    "No error matches. " a href="/errors" { "Clear the filter" }
                }
            }
        } @else {
            (summary(&errors))
            ol.errors { @for group in errors.groups.iter().take(GROUPS) { (shown(group, params.filter.until)) } }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

fn summary(errors: &Errors) -> Markup {
    let groups = errors.groups.len();
    html! {
        p.tools {
            span {
                (counted(groups, "group", "groups")) " of "
                @if errors.looked_at < errors.total { "the youngest " }
                (counted(errors.looked_at as usize, "error", "errors"))
                @if errors.looked_at < errors.total { ", of " (count(errors.total)) }
                @if groups > GROUPS { ": the largest " (GROUPS) }
                ", from " (time(errors.from)) " to " (time(errors.to))
            }
        }
    }
}

/// A group. Its link to events ends at `until`, if the filter has an end.
fn shown(group: &ErrorGroup, until: Option<Moment>) -> Markup {
    let alike = Filter { until, ..group.filter.clone() };
    let message = match group.message.as_str() {
        "" => "(no message)",
        message => message,
    };
    html! {
        li {
            span class={ "sev " (severity_class(group.severity)) } title="Highest severity" { (group.severity) }
            div.what {
                a.message href=(url("/", &alike)) { (message) }
                @if !group.operation.is_empty() { " " span.op { (cut(&group.operation, 80)) } }
                @for line in &group.frames { div.frame { (line) } }
                div.sources { (sources(&group.sources)) }
            }
            (trend(group))
            b.number { (count(group.count)) }
            dl.times {
                dt { "First" } dd { (time(group.first)) }
                dt { "Last" } dd { a href=(event_url(group.newest)) { (time(group.last)) } }
            }
        }
    }
}

/// The trend as bars. The numbers are shown next to it.
fn trend(group: &ErrorGroup) -> Markup {
    let most = group.trend.iter().copied().max().unwrap_or_default().max(1);
    let bars = group.trend.iter().enumerate().filter(|(_, count)| **count > 0);
    // The height of a bar is never 0, so that one error among thousands is visible.
    let bars = bars.map(|(index, count)| (index * BAR, (count * HIGH / most).max(2)));
    html! {
        svg.trend viewBox={ "0 0 " (group.trend.len() * BAR) " " (HIGH) } preserveAspectRatio="none" aria-hidden="true" {
            @for (x, high) in bars {
                rect class={ "f-" (severity_class(group.severity)) } x=(x) y=(HIGH - high) width=(BAR - 1) height=(high) {}
            }
        }
    }
}

fn sources(sources: &[(String, u64)]) -> Markup {
    let name = |source: &str| match source.parse::<SourceFqn>() {
        Ok(source) => source.elements().take(2).map(|(_, name)| name).collect::<Vec<_>>().join(" · "),
        Err(_) => source.to_owned(),
    };
    html! {
        @for (index, (source, number)) in sources.iter().take(SOURCES).enumerate() {
            @if index > 0 { ", " }
            span title=(source) { (cut(&name(source), 60)) } " (" (count(*number)) ")"
        }
        @if let Some(more) = sources.len().checked_sub(SOURCES).filter(|more| *more > 0) { ", and " (more) " more" }
    }
}
