//! The page of a trace: all entities that belong to an activity or event, as a waterfall, a flame graph or a list. The
//! URL contains the view, the zoom and the selected entity.

mod chosen;
mod comparison;
mod difference;
mod flame;
mod list;
mod overview;
mod span;
#[cfg(test)]
mod testing;
mod tree;
mod view;
mod waterfall;
mod window;

pub(super) use comparison::{compare, compare_url};
pub(super) use span::{name, span};
pub(super) use tree::Trace;
pub(super) use waterfall::waterfall;
pub(super) use window::{Usec, Window};

use self::flame::flame;
use self::list::{list, sorted};
use self::overview::{overview, zoom};
use self::tree::Step;
use self::view::{Form, View};
use super::error_page::ErrorPage;
use super::format::{count, counted, cut, duration, time, visible};
use super::layout::{Frame, Tab, frame};
use super::query_params::QueryParams;
use crate::app::App;
use crate::filter::Filter;
use crate::store::{EntityId, TraceEntities};
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse};
use jkool_model::{Severity, Timestamp};
use maud::{Markup, html};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The maximum number of entities of a trace.
const ENTITIES: usize = 2_000;
/// The maximum number of rows on a page.
const LINES: usize = 1_000;
/// The maximum number of levels with a link that unfolds them, besides all levels.
const LEVELS: usize = 6;
/// The maximum number of rows of a flame graph.
const ROWS: usize = 60;

/// Returns the URL of the trace of an entity.
pub(super) fn trace_url(id: EntityId) -> String {
    format!("/traces/{id}")
}

/// Returns the id, the total number of stored entities, and the entities of the trace.
async fn read(app: &App, id: &str) -> Result<(EntityId, u64, TraceEntities), ErrorPage> {
    let nobody = || ErrorPage::NotFound("No event with this id is stored. It may have been too old to keep.");
    let id: EntityId = id.parse().map_err(|_| nobody())?;
    let read = app.store.read(move |reader| {
        let Some(of) = reader.get(id)? else { return Ok(None) };
        Ok(Some((id, reader.total()?, reader.trace(&of, ENTITIES)?)))
    });
    read.await?.ok_or_else(nobody)
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let (id, total, found) = read(&app, &id).await?;
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let view = View::take(id, &mut params);
    params.finish();
    let trace = Trace::of(&found.entities);
    let window = view.window(trace.start, trace.length());
    let title = title(&trace);
    let filter = Filter::default();
    let mark = params.mark(&app).await?;
    let head = Frame { title: &title, tab: Tab::None, filter: &filter, total: Some(total), mark: mark.as_ref() };
    let main = html! {
        div.heading {
            h1 { (title) " " span.type { "TRACE" } }
            p { (time(Timestamp::from_usec(trace.start))) }
        }
        (facts(&trace, found.is_cut))
        @for fault in &params.faults { p.fault.bar role="alert" { (fault) } }
        nav.views aria-label="Views of the trace" {
            @for form in Form::ALL {
                a href=(view.with_form(*form)) aria-current=[(*form == view.form).then_some("page")] { (form) }
            }
        }
        (overview(&trace, &view, window))
        (zoom(&view, &trace))
        section.part.trace data-chosen={ "/traces/" (id) "/chosen" } {
            h2.unseen { (view.form) }
            (picture(&trace, &view, window))
        }
        aside #chosen .part aria-label="Selected entry" {
            @match chosen_step(&trace, &view) {
                Some(step) => (chosen::chosen(step, trace.start, &view)),
                None => p.hint { "The selected entry is not in this trace, or not in the part of it that is shown." }
            }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// The details of the selected entity, for the script.
pub(super) async fn show_chosen(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let (id, _, found) = read(&app, &id).await?;
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let view = View::take(id, &mut params);
    params.finish();
    let trace = Trace::of(&found.entities);
    let step = chosen_step(&trace, &view).ok_or(ErrorPage::NotFound("That one is not in this trace."))?;
    Ok((params.status(), Html(visible(chosen::chosen(step, trace.start, &view).into_string()))))
}

/// Returns the title: that of the first step.
fn title(trace: &Trace<'_>) -> String {
    trace.steps.first().map_or_else(String::new, |top| cut(name(&top.stored.entity), 120))
}

fn chosen_step<'t>(trace: &'t Trace<'_>, view: &View) -> Option<&'t Step<'t>> {
    trace.steps.iter().find(|step| step.stored.id == view.at)
}

/// The duration, the number of entities, and the number that is not shown.
fn facts(trace: &Trace<'_>, is_cut: bool) -> Markup {
    let errors = trace.steps.iter().filter(|step| step.severity() >= Severity::Error).count();
    let orphans = trace.steps.iter().filter(|step| step.is_orphan()).count();
    html! {
        p.facts {
            span { "took " b { (duration(trace.length())) } }
            span { b { (count(trace.steps.len() as u64)) } (if trace.steps.len() == 1 { " entry" } else { " entries" }) }
            span { b { (count(errors as u64)) } (if errors == 1 { " error" } else { " errors" }) }
            @if orphans > 0 { span { (counted(orphans, "entry names a parent", "entries name a parent")) " that is not here" } }
            @if is_cut { span.missed { "It has more than " (count(ENTITIES as u64)) " entries: those that are deeper or younger are left out" } }
        }
    }
}

fn picture(trace: &Trace<'_>, view: &View, window: Window) -> Markup {
    let link = |id| view.with_chosen(id);
    let critical = |what| html! { p.hint.path { "Outlined " (what) " are the critical path." } };
    if view.form == Form::Flame {
        return html! { (critical("boxes")) (flame(trace, window, ROWS, Some(view.at), link)) };
    }
    let within: Vec<&Step<'_>> =
        trace.steps.iter().filter(|step| window.part(step.from, step.to, 0.0).is_some()).collect();
    let outside = trace.steps.len() - within.len();
    let is_waterfall = view.form == Form::Waterfall;
    let levels = view.levels.filter(|_| is_waterfall).map_or(usize::MAX, NonZeroUsize::get);
    let (within, folded): (Vec<_>, Vec<_>) = within.into_iter().partition(|step| step.depth < levels);
    let within = if is_waterfall { without_folded(within, &view.folded) } else { within };
    let there = within.len();
    let within = if view.form == Form::List { sorted(within, view.sort) } else { within };
    let lines = within.into_iter().skip(view.skip).take(LINES);
    let shown = lines.len();
    html! {
        @if view.form == Form::List { (list(trace, lines, view)) } @else {
            (critical("bars"))
            (unfolding(trace, view))
            (waterfall(trace, lines, window, view.at, link, fold_link(trace, view, levels)))
        }
        @if !folded.is_empty() { p.hint { (counted(folded.len(), "entry is", "entries are")) " below level " (levels) "." } }
        @if outside > 0 { p.hint { (counted(outside, "entry is", "entries are")) " outside of this time." } }
        @if shown < there {
            p.pages {
                "Lines " (count(view.skip.saturating_add(1).min(there) as u64)) " to " (count((view.skip.saturating_add(shown)).min(there) as u64))
                " of " (count(there as u64)) ". "
                @if view.skip > 0 { a.button rel="prev" href=(view.skipping(view.skip.saturating_sub(LINES))) { "Previous lines" } " " }
                @if view.skip.saturating_add(shown) < there {
                    a.button rel="next" href=(view.skipping(view.skip + LINES)) { "Next lines" }
                }
            }
        }
    }
}

/// Returns `steps`, each below its parent, without descendants of folded steps.
fn without_folded<'s, 't>(steps: Vec<&'s Step<'t>>, folded: &[EntityId]) -> Vec<&'s Step<'t>> {
    let mut deepest = usize::MAX;
    let is_seen = |step: &&Step<'_>| {
        if step.depth > deepest {
            return false;
        }
        deepest = if folded.contains(&step.stored.id) { step.depth } else { usize::MAX };
        true
    };
    steps.into_iter().filter(is_seen).collect()
}

/// Returns links that fold or unfold the descendants of the steps in the first `levels` levels. The script replaces
/// them with buttons.
fn fold_link<'v>(trace: &Trace<'_>, view: &'v View, levels: usize) -> impl Fn(&Step<'_>) -> Markup + use<'v> {
    let parents = trace.steps.iter().filter_map(|step| trace.steps.get(step.parent?));
    let parents: HashSet<EntityId> =
        parents.filter(|step| step.depth + 1 < levels).map(|step| step.stored.id).collect();
    move |step| {
        let id = step.stored.id;
        let is_folded = view.folded.contains(&id);
        html! {
            @if parents.contains(&id) {
                a.fold href=(view.with_fold(id)) aria-label={ (if is_folded { "Unfold " } else { "Fold " }) (cut(name(&step.stored.entity), 60)) } {
                    (if is_folded { "▸" } else { "▾" })
                }
            }
        }
    }
}

/// Links that select how many levels of a waterfall are unfolded.
fn unfolding(trace: &Trace<'_>, view: &View) -> Markup {
    let deepest = trace.steps.iter().map(|step| step.depth + 1).max().unwrap_or_default();
    let choices = (1..deepest.min(LEVELS + 1)).map(NonZeroUsize::new).chain([None]);
    html! {
        @if deepest > 1 {
            p.orders {
                "Levels "
                @for levels in choices {
                    a href=(view.unfolded(levels)) aria-current=[(levels == view.levels).then_some("true")] {
                        @match levels { Some(levels) => (levels), None => "all" }
                    }
                    " "
                }
            }
        }
    }
}
