//! The counts as text that Prometheus and others read.

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

/// What was received since the start, and what there is.
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
        ("counter", "stored", "Entities that were stored.", received.stored),
        ("counter", "duplicates", "Entities that were there already.", received.duplicates),
        ("counter", "refused", "Lines and elements that are no entities.", received.refused),
        ("counter", "repaired", "Entities that came as no JSON and were made such.", received.repaired),
        ("counter", "expired", "Entities that were too old to be kept when they came.", received.expired),
        ("counter", "connections", "Connections that were opened.", received.connections),
        ("counter", "turned_away", "Connections that were too many.", received.turned_away),
        ("gauge", "open_connections", "Connections that are open.", received.open),
        ("gauge", "events", "Events in the store.", sizes.events),
        ("gauge", "activities", "Activities in the store.", sizes.activities),
        ("gauge", "snapshots", "Snapshots in the store.", sizes.snapshots),
        ("gauge", "store_bytes", "What the store takes.", sizes.bytes),
        ("gauge", "waiting", "Entities that are acknowledged and in the journal alone.", health.waiting),
        ("gauge", "troubles", "Things that a person should know of the store.", health.notices.len() as u64),
    ] {
        let name = format!("jkool_collector_{name}");
        let unit = if name.ends_with("_bytes") { format!("# UNIT {name} bytes\n") } else { String::new() };
        let total = if kind == "counter" { "_total" } else { "" };
        let metric = format!("# TYPE {name} {kind}\n{unit}# HELP {name} {help}\n{name}{total} {value}\n");
        text.push_str(&metric);
    }
    text + "# EOF\n"
}
