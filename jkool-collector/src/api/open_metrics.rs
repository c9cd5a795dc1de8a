//! The counters in the OpenMetrics text format.

use crate::app::App;
use crate::counters::Counts;
use crate::error_response::ErrorResponse;
use crate::query::Query;
use crate::store::{Health, Sizes};
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use jkool_model::open_metrics::{self, OpenMetrics};
use std::sync::Arc;

/// The counters since the start, and the sizes of the store.
pub(super) async fn open_metrics(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let sizes = app.store.read(|reader| reader.sizes()).await?;
    let health = app.store.health();
    Ok(([(CONTENT_TYPE, open_metrics::CONTENT_TYPE)], text(&app.counters.counts(), &sizes, &health)).into_response())
}

fn text(received: &Counts, sizes: &Sizes, health: &Health) -> String {
    let mut metrics = OpenMetrics::default();
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
        let family = if kind == "counter" { metrics.counter(&name) } else { metrics.gauge(&name) };
        let family = if name.ends_with("_bytes") { family.unit("bytes") } else { family };
        family.help(help).value(value);
    }
    metrics.finish()
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::counters::Counts;
    use crate::store::{Health, Sizes};

    #[test]
    fn units_are_told_between_type_and_description() {
        let text = text(&Counts::default(), &Sizes::default(), &Health::default());
        assert!(text.starts_with(
            "# TYPE jkool_collector_stored counter\n\
             # HELP jkool_collector_stored Entities stored.\n\
             jkool_collector_stored_total 0\n"
        ));
        assert!(text.contains(
            "# TYPE jkool_collector_store_bytes gauge\n\
             # UNIT jkool_collector_store_bytes bytes\n\
             # HELP jkool_collector_store_bytes Disk space used by the store.\n\
             jkool_collector_store_bytes 0\n"
        ));
        assert!(text.ends_with("jkool_collector_troubles 0\n# EOF\n") && text.lines().count() == 14 * 3 + 2, "{text}");
    }
}
