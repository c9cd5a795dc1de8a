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
use crate::store::{EntityId, Reader, StoreError, Stored};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Entity, Severity, Timestamp};
use maud::{Markup, html};
use std::cmp::Reverse;
use std::str::FromStr;
use std::sync::Arc;

/// So many are on a page.
const ON_A_PAGE: usize = 30;
/// So many of each one's children.
const CHILDREN: usize = 50;
/// Of so many, the newest, the longest are found.
const COMPARED: usize = 1_000;
/// So many are read at once, and so many for one page at most.
const AT_ONCE: usize = 200;
const LOOKED_AT: usize = 4_000;

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
    let order: Order = params.take("sort").unwrap_or_default();
    params.finish();
    let (filter, now) = (Filter { kind: Some(Kind::Activity), ..params.filter.clone() }, app.clock.now());
    let read = app.store.read(move |reader| {
        let (found, older) = match order {
            Order::Time => roots(reader, &filter, ON_A_PAGE, before, now)?,
            Order::Duration => {
                let (mut found, _) = roots(reader, &filter, COMPARED, before, now)?;
                found.sort_by_key(|stored| Reverse(elapsed(&stored.entity)));
                found.truncate(ON_A_PAGE);
                (found, None)
            }
        };
        let group = |activity: Stored| -> Result<Group, StoreError> {
            let id = activity.entity.tracking_id();
            let children = id.map_or(Ok(Vec::new()), |id| reader.children(id, CHILDREN + 1))?;
            Ok(Group { activity, children })
        };
        Ok((reader.total()?, found.into_iter().map(group).collect::<Result<Vec<_>, _>>()?, older))
    });
    let (total, groups, older) = read.await?;
    let head = Frame { title: "Activities", tab: Tab::Activities, filter: &params.filter, total: Some(total) };
    let main = html! {
        h1.unseen { "Activities" }
        (FilterForm { path: "/activities", params: &params, own: None }.full())
        p.tools {
            @match order {
                Order::Time => {
                    "The newest first. " a href=(url_with("/activities", &params.filter, "sort", "duration")) { "The longest first" }
                }
                Order::Duration => {
                    "The longest of the newest " (COMPARED) ". " a href=(url("/activities", &params.filter)) { "The newest first" }
                }
            }
            @if params.filter.parent.is_none() { span.hint { "Activities within others are in their timelines." } }
        }
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
        @if let Some(older) = older {
            p.pages {
                a.button href=(url_with("/activities", &params.filter, "before", older)) rel="next" { "Older activities" }
            }
        }
        @if before.is_some() {
            p.pages { a.button href=(url("/activities", &params.filter)) { "To the newest" } }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// In which order they are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Time,
    Duration,
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "time" => Ok(Self::Time),
            "duration" => Ok(Self::Duration),
            _ => Err("expected time or duration"),
        }
    }
}

/// The newest activities that are within no other, `wanted` at most, and before which more may be; with a parent in `filter`, those
/// within it. Of those within others, [`LOOKED_AT`] are passed over at most.
fn roots(
    reader: &Reader<'_>,
    filter: &Filter,
    wanted: usize,
    mut before: Option<EntityId>,
    now: Timestamp,
) -> Result<(Vec<Stored>, Option<EntityId>), StoreError> {
    let (mut roots, mut looked_at) = (Vec::new(), 0);
    loop {
        let found = reader.find(filter, AT_ONCE, before, now)?;
        before = found.last().map(|last| last.id);
        let is_all = found.len() < AT_ONCE;
        looked_at += found.len();
        roots.extend(found.into_iter().filter(|stored| filter.parent.is_some() || stored.entity.parent_id().is_none()));
        if is_all || roots.len() > wanted || looked_at >= LOOKED_AT {
            let rest = before.filter(|_| !is_all);
            let has_more = roots.len() > wanted;
            roots.truncate(wanted);
            let older = if has_more { roots.last().map(|last| last.id) } else { rest };
            return Ok((roots, older));
        }
    }
}

fn elapsed(entity: &Entity) -> Option<i64> {
    match entity {
        Entity::Activity(activity) => activity.elapsed_usec,
        _ => None,
    }
}

fn shown(Group { activity, children }: &Group) -> Markup {
    let entity = &activity.entity;
    let own = severity_of(entity);
    let worst = children.iter().map(|child| severity_of(&child.entity)).fold(own, Severity::max);
    let status = match entity {
        Entity::Activity(activity) => activity.status,
        _ => None,
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
                span.took { @if let Some(usec) = elapsed(entity) { (duration(usec)) } }
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
