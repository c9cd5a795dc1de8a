//! Numbers: over time, by name, between sources, and totals.

use super::answer::{json, number};
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::filter::Filter;
use crate::jkql::take_filter;
use crate::query::{InvalidQuery, Query};
use crate::store::{Level, MetricName, Severities};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jkool_model::{Severity, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Response, ErrorResponse>;

/// Events over time by severity, or the values of a metric.
pub(super) async fn series(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let mut query = Query::parse(&query.unwrap_or_default());
    let buckets = number::<1_000>(&mut query, "buckets", 60)?;
    let now = app.clock.now();
    let Some(name) = metric(&mut query)? else {
        let filter = take_filter(&app, &mut query).await?;
        query.finish()?;
        let buckets = app.store.read(move |reader| reader.histogram(&filter, buckets, now)).await?;
        let buckets: Vec<Value> = buckets
            .into_iter()
            .map(|bucket| json!({"start-usec": bucket.start.as_usec(), "severities": by_name(&bucket.severities)}))
            .collect();
        return Ok(json(json!({"buckets": buckets}).to_string()));
    };
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    let buckets = app.store.read(move |reader| reader.metric(&name, &filter, buckets, now)).await?;
    let buckets: Vec<Value> = buckets
        .into_iter()
        .map(|bucket| {
            let start = bucket.start.as_usec();
            json!({"start-usec": start, "count": bucket.count, "min": bucket.min, "avg": bucket.avg, "max": bucket.max})
        })
        .collect();
    Ok(json(json!({"buckets": buckets}).to_string()))
}

/// The metric in the query, if any.
fn metric(query: &mut Query) -> Result<Option<MetricName>, InvalidQuery> {
    let mut text = |parameter| query.take::<String>(parameter);
    let (category, snapshot, property) = (text("category")?, text("snapshot")?, text("property")?);
    for (parameter, value) in [("category", &category), ("snapshot", &snapshot)] {
        if let (Some(value), None) = (value, &property) {
            return Err(InvalidQuery::new(parameter, value, "applies to a property only"));
        }
    }
    let name = |property| MetricName {
        category: category.unwrap_or_default(),
        snapshot: snapshot.unwrap_or_default(),
        property,
    };
    Ok(property.map(name))
}

/// The names of the metrics.
pub(super) async fn metrics(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let names = app.store.read(|reader| reader.metric_names()).await?;
    let names: Vec<Value> = names
        .into_iter()
        .map(|name| json!({"category": name.category, "snapshot": name.snapshot, "property": name.property}))
        .collect();
    Ok(json(json!({"metrics": names}).to_string()))
}

/// Which names are counted.
#[derive(Debug, Clone, Copy)]
enum By {
    Operation,
    Source,
}

impl std::str::FromStr for By {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "operation" => Ok(Self::Operation),
            "source" => Ok(Self::Source),
            _ => Err("expected operation or source"),
        }
    }
}

/// The most frequent operations or sources.
pub(super) async fn top(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let mut query = Query::parse(&query.unwrap_or_default());
    let by = query.take("by")?.unwrap_or(By::Operation);
    let limit = number::<1_000>(&mut query, "limit", 10)?;
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    let now = app.clock.now();
    let tops = app.store.read(move |reader| match by {
        By::Operation => reader.top_operations(&filter, limit, now),
        By::Source => reader.top_sources(&filter, limit, now),
    });
    let tops: Vec<Value> = tops
        .await?
        .into_iter()
        .map(|top| json!({"name": top.name, "count": top.severities.total(), "severities": by_name(&top.severities)}))
        .collect();
    Ok(json(json!({"top": tops}).to_string()))
}

/// Messages between sources.
pub(super) async fn flows(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    let mut query = Query::parse(&query.unwrap_or_default());
    let (filter, level) = (time(&mut query)?, query.take("level")?.unwrap_or(Level::Source));
    query.finish()?;
    let now = app.clock.now();
    let flows = app.store.read(move |reader| reader.flows_at(level, &filter, now)).await?;
    let flows: Vec<Value> = flows
        .into_iter()
        .map(|flow| {
            json!({
                "from": flow.from.as_str(),
                "to": flow.to.as_str(),
                "count": flow.count,
                "errors": flow.errors,
                "per-minute": flow.per_minute,
                "transit-p95-usec": flow.transit_p95_usec,
            })
        })
        .collect();
    Ok(json(json!({"flows": flows}).to_string()))
}

/// The totals of the store.
pub(super) async fn stats(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let sizes = app.store.read(|reader| reader.sizes()).await?;
    let received = app.counters.counts();
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "events": sizes.events,
        "activities": sizes.activities,
        "snapshots": sizes.snapshots,
        "severities": by_name(&sizes.severities),
        "sources": sizes.sources,
        "operations": sizes.operations,
        "oldest-usec": sizes.oldest.map(Timestamp::as_usec),
        "newest-usec": sizes.newest.map(Timestamp::as_usec),
        "bytes": sizes.bytes,
        "not-indexed": sizes.not_indexed,
        "received": {
            "stored": received.stored,
            "duplicates": received.duplicates,
            "refused": received.refused,
            "repaired": received.repaired,
            "expired": received.expired,
            "connections": received.connections,
            "open": received.open,
            "turned-away": received.turned_away,
        },
        "notices": app.counters.notices(),
    });
    Ok(json(body.to_string()))
}

/// A filter with the time only; other parameters are not supported here.
fn time(query: &mut Query) -> Result<Filter, ErrorResponse> {
    Ok(Filter { since: query.take("since")?, until: query.take("until")?, ..Filter::default() })
}

/// Without zeros.
fn by_name(severities: &Severities) -> Value {
    let counts = Severity::ALL.iter().map(|severity| (severity, severities.of(*severity)));
    counts.filter(|(_, count)| *count > 0).map(|(severity, count)| (severity.to_string(), json!(count))).collect()
}
