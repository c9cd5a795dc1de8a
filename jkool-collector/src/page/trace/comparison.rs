//! The page that compares two traces: both from their starts, on one scale, with their differences.

use super::difference::{Difference, Part, differences};
use super::flame::flame;
use super::tree::Trace;
use super::window::Window;
use super::{read, title, trace_url};
use crate::app::App;
use crate::filter::Filter;
use crate::page::error_page::ErrorPage;
use crate::page::format::{count, counted, cut, duration, time};
use crate::page::layout::{Frame, Tab, frame};
use crate::page::query_params::QueryParams;
use crate::store::EntityId;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// The maximum number of rows of each picture.
const ROWS: usize = 16;
/// The maximum number of listed operations.
const LISTED: usize = 500;
/// The width of a bar in its own units.
const WIDE: f64 = 1000.0;

/// Returns the URL of the comparison of two traces.
pub(in crate::page) fn compare_url(one: EntityId, other: EntityId) -> String {
    format!("/compare?one={one}&other={other}")
}

pub(in crate::page) async fn compare(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let (one, other): (Option<String>, Option<String>) = (params.take("one"), params.take("other"));
    params.finish();
    let (Some(one), Some(other)) = (one, other) else {
        return Err(ErrorPage::NotFound("Two are compared: one=… and other=…, each the id of an activity or event."));
    };
    let (one, total, first) = read(&app, &one).await?;
    let (other, _, second) = read(&app, &other).await?;
    let traces = [Trace::of(&first.entities), Trace::of(&second.entities)];
    let rows = differences(&traces[0], &traces[1]);
    let longest = traces.iter().map(Trace::length).max().unwrap_or(1);
    let filter = Filter::default();
    let mark = params.mark(&app).await?;
    let head = Frame { title: "Two traces", tab: Tab::None, filter: &filter, total: Some(total), mark: mark.as_ref() };
    let main = html! {
        div.heading {
            h1 { "Two traces" }
            p { a href=(compare_url(other, one)) { "Swap them" } }
        }
        @for fault in &params.faults { p.fault.bar role="alert" { (fault) } }
        @for (index, (trace, id)) in traces.iter().zip([one, other]).enumerate() {
            section.part.trace {
                (heading(trace, id, index, [first.is_cut, second.is_cut][index]))
                (flame(trace, Window::new(trace.start, longest, None, None), ROWS, None, trace_url))
            }
        }
        p.hint.scale { "Both charts start with their trace and end after " (duration(longest)) "." }
        section.part {
            h2 { "Operations " span.hint { "each within those above it" } }
            (table(&rows))
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// The heading of a picture.
fn heading(trace: &Trace<'_>, id: EntityId, index: usize, is_cut: bool) -> Markup {
    let errors = trace.steps.iter().filter(|step| step.severity() >= Severity::Error).count();
    html! {
        h2 {
            span class={ "swatch f-c" (index) } {} " "
            a href=(trace_url(id)) { (title(trace)) } " " span.hint { (time(Timestamp::from_usec(trace.start))) }
        }
        p.facts {
            span { "took " b { (duration(trace.length())) } }
            span { (counted(trace.steps.len(), "entry", "entries")) }
            span { (counted(errors, "error", "errors")) }
            @if is_cut { span.missed { "It has more: those that are deeper or younger are left out" } }
        }
    }
}

fn table(rows: &[Difference<'_>]) -> Markup {
    let longest =
        rows.iter().flat_map(|row| row.parts).flatten().map(|part| part.took).max().unwrap_or_default().max(1);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Operations of both" {
            table.differences aria-label="Operations of both" {
                thead {
                    tr {
                        th { "Operation" } th.n { "First" } th.n { "Second" } th.n { "Difference" }
                        th { span.unseen { "Durations as bars" } }
                    }
                }
                tbody { @for row in rows.iter().take(LISTED) { (line(row, longest)) } }
            }
        }
        @if rows.len() > LISTED { p.hint { "and " (count((rows.len() - LISTED) as u64)) " more" } }
    }
}

fn line(row: &Difference<'_>, longest: i64) -> Markup {
    let [one, other] = row.parts;
    let alone = match (one, other) {
        (Some(_), None) => Some("only in the first"),
        (None, Some(_)) => Some("only in the second"),
        _ => None,
    };
    let longer = row.longer();
    let width = |part: Option<Part>| format!("{:.0}", part.map_or(0, |part| part.took) as f64 / longest as f64 * WIDE);
    html! {
        tr class=[alone.map(|_| "alone")] {
            td class={ "d" (row.depth.min(8)) } {
                span.name { (cut(row.name, 60)) @if let Some(alone) = alone { " " span.type { (alone) } } }
            }
            td.n { (part(one)) }
            td.n { (part(other)) }
            td.n { @if longer != 0 { (if longer > 0 { "+" } else { "" }) (duration(longer)) } }
            td.both {
                svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                    rect.f-c0 x="0" y="0" height="4" width=(width(one)) {}
                    rect.f-c1 x="0" y="6" height="4" width=(width(other)) {}
                }
            }
        }
    }
}

/// The total duration, the number of steps, and the number of errors.
fn part(part: Option<Part>) -> Markup {
    html! {
        @match part {
            None => "–",
            Some(part) => {
                @if part.count > 1 { span.dim { (count(part.count)) " × " } }
                @if part.took > 0 { (duration(part.took)) } @else { "·" }
                @if part.errors > 0 { " " span.failed { (counted(part.errors as usize, "error", "errors")) } }
            }
        }
    }
}
