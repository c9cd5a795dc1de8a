//! The page of activities: groups of events with their durations and contents.

mod compared;
mod scatter;
mod wanted;

use self::compared::{AllCompared, Compared};
use self::scatter::scatter;
use self::wanted::{Sort, Wanted};
use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, counted, cut, duration, severity_class, time};
use super::layout::{Frame, Tab, frame};
use super::link::{event_url, url, with_parent};
use super::query_params::QueryParams;
use super::row::row;
use super::trace::{compare_url, trace_url};
use crate::app::App;
use crate::filter::{Filter, Kind, operation_of, severity_of};
use crate::store::{StoreError, Stored};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Entity, Severity, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// The maximum number of activities on a page.
const ON_A_PAGE: usize = 30;
/// The maximum number of children of each activity.
const CHILDREN: usize = 50;

/// An activity and its first children; one more than are shown, if there are more.
struct Group<'a> {
    of: &'a Compared,
    children: Vec<Stored>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let wanted = Wanted::take(&mut params);
    params.finish();
    let (filter, now) = (Filter { kind: Some(Kind::Activity), ..params.filter.clone() }, app.clock.now());
    let read = app.store.read(move |reader| {
        let compared = AllCompared::read(reader, &filter, &wanted, now)?;
        let shown = compared.items.iter().skip(wanted.skip).take(ON_A_PAGE);
        let children = shown.map(|item| {
            let id = item.activity.entity.tracking_id();
            id.map_or(Ok(Vec::new()), |id| reader.children(id, CHILDREN + 1))
        });
        let children = children.collect::<Result<Vec<_>, StoreError>>()?;
        let compare = wanted.compare.map_or(Ok(None), |id| reader.get(id))?;
        Ok((reader.total()?, children, compared, compare))
    });
    let (total, children, compared, compare) = read.await?;
    let shown = compared.items.iter().skip(wanted.skip).zip(children);
    let groups: Vec<Group<'_>> = shown.map(|(of, children)| Group { of, children }).collect();
    let longest = groups.iter().filter_map(|group| group.of.took).max().unwrap_or_default().max(1);
    let mark = params.mark(&app).await?;
    let head = Frame {
        title: "Activities",
        tab: Tab::Activities,
        filter: &params.filter,
        total: Some(total),
        mark: mark.as_ref(),
    };
    let own = Some((wanted.fields(&params), wanted.at_the_first().query()));
    let main = html! {
        h1.unseen { "Activities" }
        (FilterForm { path: "/activities", params: &params, own }.full())
        @if let Some(compare) = &compare {
            p.notice.comparing {
                "Select another activity to compare with " b { (called(&compare.entity)) } " of " (time(compare.time)) ". "
                a href=(Wanted { compare: None, ..wanted }.url(&params.filter)) { "Cancel" }
            }
        }
        @if groups.is_empty() { (nothing(&params, &wanted)) } @else {
            (scatter(&compared.items))
            (orders(&compared, &wanted, &params.filter))
        }
        div.activities { @for group in &groups { (activity(group, longest, &wanted, compare.as_ref(), &params.filter)) } }
        (pages(&compared, &wanted, groups.len(), &params.filter))
    };
    Ok((params.status(), frame(&head, &main)))
}

fn nothing(params: &QueryParams, wanted: &Wanted) -> Markup {
    html! {
        p.notice {
            @if params.filter.is_empty() && wanted.query().to_string().is_empty() {
                "No activity was received. An activity is a group of events that name it as their parent."
            } @else {
                "No activity matches. " a href="/activities" { "Clear the filter" }
            }
        }
    }
}

/// Links for each sort order.
fn orders(compared: &AllCompared, wanted: &Wanted, filter: &Filter) -> Markup {
    html! {
        p.tools.orders {
            span {
                "Sorted by "
                @for sort in Sort::ALL {
                    a href=(Wanted { sort: *sort, skip: 0, ..*wanted }.url(filter)) aria-current=[(*sort == wanted.sort).then_some("true")] { (sort) } " "
                }
            }
            span.hint {
                (counted(compared.items.len(), "activity", "activities"))
                @if compared.older.is_some() { ", the newest" @if wanted.before.is_some() { " of the older ones" } }
                ". "
                @if compared.is_cut { "There are more errors than were looked at: of the oldest, some are not counted. " }
                @if filter.parent.is_none() { "Activities within others are in their traces." }
            }
        }
    }
}

/// Links to the next activities in the sort order, and to older ones.
fn pages(compared: &AllCompared, wanted: &Wanted, shown: usize, filter: &Filter) -> Markup {
    let next = wanted.skip.saturating_add(shown);
    html! {
        p.pages {
            @if wanted.skip > 0 || wanted.before.is_some() {
                a.button href=(wanted.at_the_first().url(filter)) { "To the first" } " "
            }
            @if next < compared.items.len() {
                a.button rel="next" href=(Wanted { skip: next, ..*wanted }.url(filter)) {
                    "The next " (count((compared.items.len() - next).min(ON_A_PAGE) as u64))
                }
            } @else if let Some(older) = compared.older {
                a.button rel="next" href=(Wanted { before: Some(older), skip: 0, ..*wanted }.url(filter)) { "Older activities" }
            }
        }
    }
}

fn called(entity: &Entity) -> String {
    cut(operation_of(entity).unwrap_or_default(), 80)
}

fn activity(
    Group { of, children }: &Group<'_>,
    longest: i64,
    wanted: &Wanted,
    compare: Option<&Stored>,
    filter: &Filter,
) -> Markup {
    let (stored, entity) = (&of.activity, &of.activity.entity);
    let worst = children.iter().map(|child| severity_of(&child.entity)).fold(severity_of(entity), Severity::max);
    let status = match entity {
        Entity::Activity(activity) => activity.status,
        _ => None,
    };
    let (more, all) = (children.len() > CHILDREN, Filter::default());
    html! {
        details {
            summary {
                span.when { (time(Timestamp::from_usec(of.start))) }
                span class={ "sev " (severity_class(worst)) } title="Highest severity of it and its children" { (worst) }
                span.op {
                    (called(entity))
                    @if let Some(correlator) = entity.correlators().first() { " " span.corr.dim { (cut(correlator, 60)) } }
                }
                span.status { @if let Some(status) = status { (status) } }
                span.took {
                    @if let Some(usec) = of.took {
                        (duration(usec))
                        svg.mini viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                            rect.f-line x="0" y="0" height="10" width=(format!("{:.0}", usec as f64 / longest as f64 * 1000.0)) {}
                        }
                    }
                }
                span.errors-in { @if of.errors > 0 { (counted(of.errors as usize, "error", "errors")) } }
                span.number {
                    @if more { (CHILDREN) "+ children" } @else { (counted(children.len(), "child", "children")) }
                }
            }
            p.hint.leads {
                a href=(event_url(stored.id)) { "Details" }
                a href=(trace_url(stored.id)) { "Trace" }
                @match compare {
                    Some(other) if other.id != stored.id => {
                        a href=(compare_url(other.id, stored.id)) { "Compare with " (called(&other.entity)) " of " (time(other.time)) }
                    }
                    _ => a href=(Wanted { compare: Some(stored.id), ..*wanted }.url(filter)) { "Compare with another one" }
                }
            }
            ol.rows { @for child in children.iter().take(CHILDREN) { (row(child, &all)) } }
            @if let Some(id) = entity.tracking_id().filter(|_| more) {
                p.pages { a href=(url("/", &with_parent(&all, &id.to_string()))) { "All its children" } }
            }
        }
    }
}
