//! Activities: groups of events, with what is in them.

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{cut, duration, severity_class, time};
use super::layout::{Frame, Tab, frame};
use super::link::{event_url, url, url_with, with_parent};
use super::query_params::QueryParams;
use super::row::row;
use crate::app::App;
use crate::filter::{Filter, Kind};
use crate::filter::{operation_of, severity_of};
use crate::store::{EntityId, StoreError, Stored};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Entity, Severity};
use maud::{Markup, html};
use std::sync::Arc;

/// So many are on a page.
const ON_A_PAGE: usize = 30;
/// So many of each one's children.
const CHILDREN: usize = 50;

/// An activity and the first of its children; one more than are shown, if there are more.
struct Group {
    activity: Stored,
    children: Vec<Stored>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let before: Option<EntityId> = params.take("before");
    params.finish();
    let (filter, now) = (Filter { kind: Some(Kind::Activity), ..params.filter.clone() }, app.clock.now());
    let read = app.store.read(move |reader| {
        let found = reader.find(&filter, ON_A_PAGE + 1, before, now)?;
        let group = |activity: Stored| -> Result<Group, StoreError> {
            let id = activity.entity.tracking_id();
            let children = id.map_or(Ok(Vec::new()), |id| reader.children(id, CHILDREN + 1))?;
            Ok(Group { activity, children })
        };
        Ok((reader.total()?, found.into_iter().map(group).collect::<Result<Vec<_>, _>>()?))
    });
    let (total, mut groups) = read.await?;
    let has_older = groups.len() > ON_A_PAGE;
    groups.truncate(ON_A_PAGE);
    let head = Frame { title: "Activities", tab: Tab::Activities, filter: &params.filter, total: Some(total) };
    let main = html! {
        h1.unseen { "Activities" }
        (FilterForm { path: "/activities", params: &params, own: None }.full())
        @if groups.is_empty() {
            p.notice {
                @if params.filter.is_empty() && before.is_none() {
                    "No activity was received. An activity is a group of events that name it as their parent."
                } @else {
                    "No activity matches. " a href="/activities" { "Clear the filter" }
                }
            }
        }
        div.activities { @for group in &groups { (shown(group)) } }
        @if let Some(last) = groups.last().filter(|_| has_older) {
            p.pages {
                a.button href=(url_with("/activities", &params.filter, "before", last.activity.id)) rel="next" { "Older activities" }
            }
        }
        @if before.is_some() {
            p.pages { a.button href=(url("/activities", &params.filter)) { "To the newest" } }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

fn shown(Group { activity, children }: &Group) -> Markup {
    let entity = &activity.entity;
    let own = severity_of(entity);
    let worst = children.iter().map(|child| severity_of(&child.entity)).fold(own, Severity::max);
    let (status, elapsed) = match entity {
        Entity::Activity(activity) => (activity.status, activity.elapsed_usec),
        _ => (None, None),
    };
    let (more, all) = (children.len() > CHILDREN, Filter::default());
    html! {
        details {
            summary {
                span.when { (time(activity.time)) }
                span class={ "sev " (severity_class(worst)) } title="The gravest of it and its children" { (worst) }
                span.op {
                    (cut(operation_of(entity).unwrap_or_default(), 80))
                    @if let Some(correlator) = entity.correlators().first() { " " span.corr.dim { (cut(correlator, 60)) } }
                }
                span.status { @if let Some(status) = status { (status) } }
                span.took { @if let Some(usec) = elapsed { (duration(usec)) } }
                span.number {
                    @match (more, children.len()) {
                        (true, _) => { (CHILDREN) "+ children" }
                        (_, 1) => "1 child",
                        (_, number) => { (number) " children" }
                    }
                }
            }
            p.hint { a href=(event_url(activity.id)) { "Details and timeline" } }
            ol.rows { @for child in children.iter().take(CHILDREN) { (row(child, &all)) } }
            @if let Some(id) = entity.tracking_id().filter(|_| more) {
                p.pages { a href=(url("/", &with_parent(&all, &id.to_string()))) { "All its children" } }
            }
        }
    }
}
