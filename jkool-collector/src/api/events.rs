//! Entities: pages, single ones, and related ones.

use super::answer::{json, number};
use super::item;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::jkql::take_filter;
use crate::query::{InvalidQuery, Query};
use crate::store::EntityId;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

/// The default and the maximum number of entities in an answer.
const USUAL: usize = 100;
const MOST: usize = 1_000;

/// Returns the newest first; `next` refers to the older ones.
pub(super) async fn list(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let filter = take_filter(&app, &mut query).await?;
    let limit = number::<MOST>(&mut query, "limit", USUAL)?;
    let before = query.take::<String>("before")?.map(|id| parse_id("before", &id)).transpose()?;
    query.finish()?;
    let now = app.clock.now();
    // One more shows whether there is a next page.
    let mut found = app.store.read(move |reader| reader.find(&filter, limit + 1, before, now)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map_or("null".to_owned(), |last| format!("\"{}\"", last.id));
    Ok(json(format!(r#"{{"events":{},"next":{next}}}"#, item::list(&found))))
}

/// Returns one, by its id.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    Query::parse(&query.unwrap_or_default()).finish()?;
    let id = parse_id("id", &id)?;
    let found = app.store.read(move |reader| reader.get(id)).await?.ok_or_else(|| unknown(id))?;
    let mut body = String::new();
    item::write(&mut body, &found);
    Ok(json(body))
}

/// Returns what is related to it, including itself, oldest first.
pub(super) async fn related(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let limit = number::<MOST>(&mut query, "limit", USUAL)?;
    query.finish()?;
    let id = parse_id("id", &id)?;
    let found = app.store.read(move |reader| {
        let Some(to) = reader.get(id)? else { return Ok(None) };
        reader.related(&to, limit).map(Some)
    });
    let found = found.await?.ok_or_else(|| unknown(id))?;
    Ok(json(format!(r#"{{"events":{}}}"#, item::list(&found))))
}

fn parse_id(parameter: &str, id: &str) -> Result<EntityId, InvalidQuery> {
    id.parse().map_err(|_| InvalidQuery::new(parameter, id, "expected the id of an event, as in an answer of this API"))
}

fn unknown(id: EntityId) -> ErrorResponse {
    ErrorResponse::NotFound(format!("no event has the id {id}; it was never stored, or has been removed"))
}
