//! Completions of a query line.

use super::answer::{json, number};
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::query::Query;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// The text of a line, completed with each possible name or value.
pub(super) async fn complete(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let limit = number::<100>(&mut query, "limit", 20)?;
    let line = query.take_text("line")?.unwrap_or_default();
    query.finish()?;
    let now = app.clock.now();
    let lines = app.store.read(move |reader| crate::jkql::complete(reader, &line, limit, now)).await?;
    Ok(json(json!({"lines": lines}).to_string()))
}
