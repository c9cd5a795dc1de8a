//! The counters in the OpenMetrics text format.

use crate::app::App;
use crate::counters::Counts;
use crate::error_response::ErrorResponse;
use crate::query::Query;
use crate::store::{Health, Sizes};
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The counters since the start, and the sizes of the store.
pub(super) async fn open_metrics(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let sizes = app.store.read(|reader| reader.sizes()).await?;
    let health = app.store.health();
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text(&app.counters.counts(), &sizes, &health)).into_response())
}

fn text(received: &Counts, sizes: &Sizes, health: &Health) -> String {
    let mut text = String::new();
    for (kind, name, help, value) in [
        ("counter", "stored", "Entities stored.", received.stored),
        ("counter", "duplicates", "Entities that were already stored.", received.duplicates),
        ("counter", "refused", "Lines and elements that are not entities.", received.refused),
        ("counter", "repaired", "Entities with invalid JSON that was repaired.", received.repaired),
        ("counter", "expired", "Entities that were too old to be stored.", received.expired),
        ("counter", "connections", "Connections accepted.", received.connections),
        ("counter", "turned_away", "Connections refused because of the limit.", received.turned_away),
        ("gauge", "open_connections", "Open connections.", received.open),
        ("gauge", "events", "Events in the store.", sizes.events),
        ("gauge", "activities", "Activities in the store.", sizes.activities),
        ("gauge", "snapshots", "Snapshots in the store.", sizes.snapshots),
        ("gauge", "store_bytes", "Disk space used by the store.", sizes.bytes),
        ("gauge", "waiting", "Acknowledged entities in the journal that are not indexed yet.", health.waiting),
        ("gauge", "troubles", "Problems of the store.", health.notices.len() as u64),
    ] {
        let name = format!("jkool_collector_{name}");
        let unit = if name.ends_with("_bytes") { format!("# UNIT {name} bytes\n") } else { String::new() };
        let total = if kind == "counter" { "_total" } else { "" };
        let metric = format!("# TYPE {name} {kind}\n{unit}# HELP {name} {help}\n{name}{total} {value}\n");
        text.push_str(&metric);
    }
    text + "# EOF\n"
}
