//! The page of charts, each with its data as a table.

use super::chart::{Bar, Mark, OverTime, Part, Series, Unit, bars, legend, of_severity};
use super::error_page::ErrorPage;
use super::filter_form::FilterForm;
use super::format::{count, cut, duration, time};
use super::layout::{Frame, Tab, as_table, frame};
use super::link::{url, with_operation, with_source, with_time};
use super::metric::{self, BySource, MetricChart, called, innermost};
use super::outside::outside;
use super::query_params::QueryParams;
use super::strip::width_of;
use crate::app::App;
use crate::filter::Filter;
use crate::query::Query;
use crate::store::{Bucket, MetricName, Severities, Top};
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use jkool_model::{Severity, SourceFqn, Timestamp};
use maud::{Markup, html};
use std::sync::Arc;

/// The approximate number of time intervals.
const BUCKETS: usize = 90;
/// The maximum number of bars of names.
const TOPS: usize = 10;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let wanted: Option<String> = params.take("metric");
    let by_source: Option<BySource> = params.take("by-source");
    params.finish();
    let (filter, now) = (params.filter.clone(), app.clock.now());
    let of_range = filter.clone();
    let range = app.store.read(move |reader| reader.busy_range(&of_range, now)).await?;
    let in_range = range.map_or_else(|| filter.clone(), |range| range.of(&filter));
    let (of_metric, of_time, of_operations, of_sources) = (in_range.clone(), in_range, filter.clone(), filter);
    // The queries run in parallel.
    let (names, buckets, operations, sources) = tokio::try_join!(
        app.store.read(move |reader| {
            let names = reader.metric_names()?;
            let chosen = match &wanted {
                Some(wanted) => names.iter().find(|name| parameter(name) == *wanted),
                None => names.first(),
            };
            let metric = match chosen {
                Some(name) => Some(metric::read(reader, name, by_source, &of_metric, range, now)?),
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
    let mark = params.mark(&app).await?;
    let head = Frame { title: "Charts", tab: Tab::Charts, filter, total: Some(total), mark: mark.as_ref() };
    let fields = html! { (chooser(&names, metric.as_ref().map(MetricChart::name))) (figure_field(&params, by_source)) };
    let mut own = Query::default();
    for (parameter, value) in [("metric", wanted), ("by-source", by_source.map(|by| by.to_string()))] {
        if let Some(value) = value {
            own.push(parameter, value);
        }
    }
    let form = FilterForm { path: "/charts", params: &params, own: Some((fields, own)) };
    let in_time = |from, to| Some(url("/", &with_time(filter, from, to)));
    let main = html! {
        h1.unseen { "Charts" }
        (form.full())
        div #charts data-live[filter.until.is_none()] {
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
                section #metric .part {
                    @match &metric {
                        Some(metric) => (metric.draw(in_time)),
                        None => {
                            h2 { "A metric over time" }
                            p.hint { "No such number was received: numeric properties of events and snapshots are shown here." }
                        }
                    }
                }
            }
        }
    };
    Ok((params.status(), frame(&head, &main)))
}

/// Returns a metric as a URL parameter.
fn parameter(name: &MetricName) -> String {
    format!("{}/{}/{}", name.category, name.snapshot, name.property)
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

/// The form field that selects a function for each source.
fn figure_field(params: &QueryParams, chosen: Option<BySource>) -> Markup {
    html! {
        label.field.f-by-source {
            span { "Show as" }
            select name="by-source" aria-invalid=[params.fault("by-source").map(|_| "true")] {
                option value="" { "distribution" }
                optgroup label="per source" {
                    @for (by, name) in BySource::all() { option value=(name) selected[chosen == Some(by)] { (name) } }
                }
            }
            @if let Some(fault) = params.fault("by-source") { em.fault role="alert" { (fault.expected) } }
        }
    }
}

fn over_time(buckets: &[Bucket], filter: &Filter) -> Markup {
    let width = width_of(buckets);
    let link = |from: Timestamp, to: Timestamp| url("/", &with_time(filter, from, to));
    let end = |bucket: &Bucket| Timestamp::from_usec(bucket.start.as_usec().saturating_add(width));
    let present = present(buckets.iter().map(|bucket| &bucket.severities));
    let filled = || buckets.iter().filter(|bucket| bucket.severities.total() > 0);
    let values = |severity: Severity| {
        let counts = filled().map(|bucket| (bucket.start.as_usec(), bucket.severities.of(severity)));
        counts.filter(|(_, count)| *count > 0).map(|(start, count)| (start, count as f64)).collect()
    };
    let series = present.iter().map(|severity| Series {
        name: severity.to_string(),
        color: of_severity(*severity),
        values: values(*severity),
        is_before: false,
    });
    let chart = OverTime {
        label: "Events over time, stacked by severity",
        range: buckets.first().map_or(0, |bucket| bucket.start.as_usec())
            ..buckets.last().map_or(1, |bucket| end(bucket).as_usec()),
        width,
        series: &series.collect::<Vec<_>>(),
        band: &[],
        mark: Mark::Bars,
        unit: Unit::NUMBER,
        whole: true,
    };
    let rows = html! {
        @for bucket in filled() {
            tr {
                td { a href=(link(bucket.start, end(bucket))) { (time(bucket.start)) } }
                (figures(&bucket.severities, &present))
            }
        }
    };
    html! {
        section.part #over-time {
            h2 { "Events over time" span.hint { " in bars of " (duration(width)) span.drag hidden { " · drag to zoom" } } }
            (severities(&present))
            (chart.draw(|from, to| Some(link(from, to))))
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
    let part = |severity: &Severity, top: &Top| {
        let of = top.severities.of(*severity);
        Part { color: of_severity(*severity), value: of as f64, title: format!("{severity}: {}", count(of)) }
    };
    let bar = |top: &Top| Bar {
        name: name(&top.name),
        url: Some(link(&top.name)),
        parts: present.iter().map(|severity| part(severity, top)).collect(),
        value: count(top.severities.total()),
        before: None,
    };
    html! {
        section.part {
            h2 { (title) }
            @if tops.is_empty() { p.hint { "None is named." } } @else {
                (severities(&present))
                (bars(title, &tops.iter().map(bar).collect::<Vec<_>>()))
                (as_table("As a table", &severity_heads(&html! { (what) }, &present), &rows))
            }
        }
    }
}

/// Returns the severities that occur, highest first.
fn present<'a>(all: impl Iterator<Item = &'a Severities> + Clone) -> Vec<Severity> {
    let is_present = |severity: &Severity| all.clone().any(|severities| severities.of(*severity) > 0);
    Severity::ALL.iter().rev().copied().filter(is_present).collect()
}

fn severities(present: &[Severity]) -> Markup {
    let named: Vec<_> = present.iter().map(|severity| (severity.to_string(), of_severity(*severity))).collect();
    legend(named.iter().map(|(name, color)| (&**name, &**color)))
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
