//! Charts of what is stored, each with its figures as a table.

use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, cut, number, severity_class, time};
use super::layout::{Frame, Tab, as_table, frame};
use super::link::{url, with_operation, with_source, with_time};
use super::outside::outside;
use super::plot;
use super::query_params::QueryParams;
use crate::app::App;
use crate::filter::Filter;
use crate::store::{Bucket, Metric, MetricName, Severities, Top};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, SourceFqn, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// About so many stretches of time.
const BUCKETS: usize = 90;
/// So many names with bars.
const TOPS: usize = 10;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let wanted: Option<String> = params.take("metric");
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let of_range = filter.clone();
    let range = app.store.read(move |reader| reader.busy_range(&of_range, now)).await?;
    let in_range = range.map_or_else(|| filter.clone(), |range| range.of(&filter));
    let (of_metric, of_time, of_operations, of_sources) = (in_range.clone(), in_range, filter.clone(), filter);
    // Side by side, as far as there are cores.
    let (names, buckets, operations, sources) = tokio::try_join!(
        app.store.read(move |reader| {
            let names = reader.metric_names()?;
            let chosen = match &wanted {
                Some(wanted) => names.iter().find(|name| parameter(name) == *wanted),
                None => names.first(),
            };
            let metric = match chosen {
                Some(name) => Some((name.clone(), reader.metric(name, &of_metric, BUCKETS, now)?)),
                None => None,
            };
            Ok((reader.total()?, names, wanted, metric))
        }),
        app.store.read(move |reader| reader.histogram(&of_time, BUCKETS, now)),
        app.store.read(move |reader| reader.top_operations(&of_operations, TOPS, now)),
        app.store.read(move |reader| reader.top_sources(&of_sources, TOPS, now)),
    )?;
    let (total, names, wanted, metric) = names;
    let filter = &params.filter;
    let head = Frame { title: "Charts", tab: Tab::Charts, filter, total: Some(total) };
    let chosen = metric.as_ref().map(|(name, _)| name);
    let own = chooser(&names, chosen);
    let form = FilterForm { path: "/charts", params: &params, own: Some((own, "metric", wanted.unwrap_or_default())) };
    let main = html! {
        h1.unseen { "Charts" }
        (form.full())
        @if buckets.is_empty() {
            p.notice {
                "There is nothing to draw" @if filter.is_empty() { " yet." } @else { " for this filter. " a href="/charts" { "Clear it" } }
            }
        } @else {
            (outside("/charts", filter, range))
            (over_time(&buckets, filter))
            div.columns {
                (tops("Top operations", "Operation", &operations, str::to_owned, |name| url("/", &with_operation(filter, name))))
                (tops("Top sources", "Source", &sources, innermost, |name| match name.parse::<SourceFqn>() {
                    Ok(source) => url("/", &with_source(filter, &source)),
                    Err(_) => url("/", filter),
                }))
            }
            (metric_section(metric.as_ref()))
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// How the url says a metric.
fn parameter(name: &MetricName) -> String {
    format!("{}/{}/{}", name.category, name.snapshot, name.property)
}

fn called(name: &MetricName) -> String {
    let parts = [&name.category, &name.snapshot, &name.property].map(|part| cut(part, 60));
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// What a person calls a source, and where it is: its two innermost elements.
fn innermost(source: &str) -> String {
    let Ok(source) = source.parse::<SourceFqn>() else { return String::new() };
    source.elements().take(2).map(|(_, name)| name).collect::<Vec<_>>().join(" · ")
}

fn chooser(names: &[MetricName], chosen: Option<&MetricName>) -> Markup {
    html! {
        label.field.f-metric {
            span { "Metric" }
            select name="metric" {
                @for name in names {
                    option value=(parameter(name)) selected[chosen == Some(name)] { (called(name)) }
                }
                @if names.is_empty() { option value="" { "none received yet" } }
            }
        }
    }
}

fn over_time(buckets: &[Bucket], filter: &Filter) -> Markup {
    let width = plot::width_of(buckets);
    let link = |from: Timestamp, to: Timestamp| url("/", &with_time(filter, from, to));
    let end = |bucket: &Bucket| Timestamp::from_usec(bucket.start.as_usec() + width);
    let present = present(buckets.iter().map(|bucket| &bucket.severities));
    let rows = html! {
        @for bucket in buckets.iter().filter(|bucket| bucket.severities.total() > 0) {
            tr {
                td { a href=(link(bucket.start, end(bucket))) { (time(bucket.start)) } }
                (figures(&bucket.severities, &present))
            }
        }
    };
    html! {
        section.part {
            h2 { "Events over time" }
            (legend(&present))
            (plot::histogram(buckets, link))
            (as_table("As a table", &severity_heads(&html! { "From (" span.zone-name { "UTC" } ")" }, &present), &rows))
        }
    }
}

fn tops(title: &str, what: &str, tops: &[Top], name: impl Fn(&str) -> String, link: impl Fn(&str) -> String) -> Markup {
    let present = present(tops.iter().map(|top| &top.severities));
    let rows = html! {
        @for top in tops {
            tr { td { a href=(link(&top.name)) { (cut(&top.name, 120)) } } (figures(&top.severities, &present)) }
        }
    };
    html! {
        section.part {
            h2 { (title) }
            @if tops.is_empty() { p.hint { "None is named." } } @else {
                (legend(&present))
                (plot::bars(tops, title, name, &link))
                (as_table("As a table", &severity_heads(&html! { (what) }, &present), &rows))
            }
        }
    }
}

fn metric_section(metric: Option<&(MetricName, Vec<Metric>)>) -> Markup {
    let content = match metric {
        None => html! {
            h2 { "A metric over time" }
            p.hint { "No such number was received: numeric properties of events and snapshots are shown here." }
        },
        Some((name, values)) if values.is_empty() => html! {
            h2 { (called(name)) }
            p.hint { "It has no value in this time, from these sources." }
        },
        Some((name, values)) => {
            let heads = html! {
                th { "From (" span.zone-name { "UTC" } ")" } th.n { "Values" } th.n { "Minimum" } th.n { "Average" } th.n { "Maximum" }
            };
            let rows = html! {
                @for value in values {
                    tr {
                        td { (time(value.start)) }
                        td.n { (count(value.count)) }
                        @for figure in [value.min, value.avg, value.max] { td.n { (number(figure)) } }
                    }
                }
            };
            html! {
                h2 { (called(name)) }
                ul.legend {
                    li { span.swatch.f-line {} "average" }
                    li { span.swatch.f-band {} "minimum to maximum" }
                }
                (plot::metric(values, &called(name), &cut(&name.property, 30)))
                (as_table("As a table", &heads, &rows))
            }
        }
    };
    html! { section #metric .part { (content) } }
}

/// The severities that there are, the gravest first.
fn present<'a>(all: impl Iterator<Item = &'a Severities> + Clone) -> Vec<Severity> {
    let is_present = |severity: &Severity| all.clone().any(|severities| severities.of(*severity) > 0);
    Severity::ALL.iter().rev().copied().filter(is_present).collect()
}

fn legend(present: &[Severity]) -> Markup {
    html! {
        ul.legend {
            @for severity in present { li { span class={ "swatch f-" (severity_class(*severity)) } {} (severity) } }
        }
    }
}

fn severity_heads(first: &Markup, present: &[Severity]) -> Markup {
    html! { th { (first) } th.n { "All" } @for severity in present { th.n { (severity) } } }
}

fn figures(severities: &Severities, present: &[Severity]) -> Markup {
    html! {
        td.n { (count(severities.total())) }
        @for severity in present { td.n { (count(severities.of(*severity))) } }
    }
}
