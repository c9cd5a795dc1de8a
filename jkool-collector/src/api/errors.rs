//! Errors, grouped by similarity.

use super::answer::{json, number};
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::jkql::take_filter;
use crate::query::Query;
use crate::store::ErrorGroup;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Returns the groups, largest first.
pub(super) async fn errors(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let limit = number::<1_000>(&mut query, "limit", 100)?;
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    let now = app.clock.now();
    let errors = app.store.read(move |reader| reader.errors(&filter, now)).await?;
    let groups: Vec<Value> = errors.groups.iter().take(limit).map(group).collect();
    let body = json!({
        "errors": groups,
        "groups": errors.groups.len(),
        "looked-at": errors.looked_at,
        "total": errors.total,
        "from-usec": errors.from.as_usec(),
        "to-usec": errors.to.as_usec(),
    });
    Ok(json(body.to_string()))
}

fn group(group: &ErrorGroup) -> Value {
    let source = |(name, count): &(String, u64)| json!({"source": name, "count": count});
    json!({
        "operation": group.operation,
        "message": group.message,
        "frames": group.frames,
        "severity": group.severity.to_string(),
        "count": group.count,
        "first-usec": group.first.as_usec(),
        "last-usec": group.last.as_usec(),
        "newest": group.newest.to_string(),
        "sources": group.sources.iter().map(source).collect::<Value>(),
        "trend": group.trend,
        "query": group.filter.to_query().to_string(),
    })
}
