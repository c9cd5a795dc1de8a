//! Reads, saves and deletes dashboards.

use super::answer::json;
use crate::app::App;
use crate::dashboard::{Dashboard, DashboardError, Replaces};
use crate::error_response::ErrorResponse;
use crate::intake::body;
use crate::query::Query;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The maximum size of a dashboard's JSON, in bytes.
const LONGEST: usize = 256 << 10;

type Answer = Result<Response, ErrorResponse>;

/// Lists the dashboards.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let named: Vec<Value> = app
        .dashboards
        .list()
        .into_iter()
        .map(|named| json!({"name": named.name, "title": named.title, "built-in": named.is_built_in}))
        .collect();
    Ok(json(json!({"dashboards": named}).to_string()))
}

/// Returns one, as it is saved.
pub(super) async fn one(State(app): State<Arc<App>>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Answer {
    Query::parse(&query.unwrap_or_default()).finish()?;
    Ok(json(app.dashboards.get(&name)?.to_json()))
}

/// Saves one, and replaces the one with the same name.
pub(super) async fn put(State(app): State<Arc<App>>, Path(name): Path<String>, body: Body) -> Answer {
    let mut reservation = app.body_memory.reserve();
    let body = body::read(body, LONGEST, app.limits.body_timeout, &mut reservation).await?;
    let dashboard = Dashboard::from_json(&body).map_err(DashboardError::from)?;
    let saved = dashboard.to_json();
    let is_new = blocking(move || app.dashboards.put(&name, dashboard, Replaces::Anything)).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, json(saved)).into_response())
}

/// Deletes one.
pub(super) async fn delete(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer {
    blocking(move || app.dashboards.remove(&name)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Runs disk I/O on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, DashboardError> + Send + 'static,
) -> Result<T, ErrorResponse> {
    Ok(tokio::task::spawn_blocking(write).await.map_err(ErrorResponse::Internal)??)
}
