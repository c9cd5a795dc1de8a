//! All entities that match a filter, as a file.

use super::answer::number;
use super::{csv, item};
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::filter::Filter;
use crate::jkql::take_filter;
use crate::query::Query;
use crate::store::{EntityId, StoreError, Stored};
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jkool_model::Timestamp;
use std::str::FromStr;
use std::sync::Arc;

/// The number of entities in memory at once.
const AT_ONCE: usize = 500;

/// Each entity as received, on a line of its own; or as items, with the fields that the collector adds.
pub(super) async fn jsonl(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let write = if query.take("items")?.unwrap_or(false) { write_item } else { write_line };
    let format = Format { media_type: "application/x-ndjson", file: "events.jsonl", head: "", write };
    export(app, query, format).await
}

/// As comma-separated values.
pub(super) async fn csv(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorResponse> {
    let format = Format {
        media_type: "text/csv; charset=utf-8; header=present",
        file: "events.csv",
        head: csv::HEAD,
        write: csv::write,
    };
    export(app, Query::parse(&query.unwrap_or_default()), format).await
}

struct Format {
    media_type: &'static str,
    file: &'static str,
    head: &'static str,
    write: fn(&mut Vec<u8>, &Stored),
}

fn write_line(out: &mut Vec<u8>, stored: &Stored) {
    out.extend_from_slice(&item::one_line(&stored.json));
    out.push(b'\n');
}

fn write_item(out: &mut Vec<u8>, stored: &Stored) {
    let mut json = String::new();
    item::write(&mut json, stored);
    out.extend_from_slice(json.as_bytes());
    out.push(b'\n');
}

async fn export(app: Arc<App>, mut query: Query, format: Format) -> Result<Response, ErrorResponse> {
    let filter = take_filter(&app, &mut query).await?;
    let order = query.take("order")?.unwrap_or(Order::Oldest);
    let left = number::<{ usize::MAX }>(&mut query, "limit", usize::MAX)?;
    query.finish()?;
    let Format { media_type, file, head, write } = format;
    let walk = Walk { now: app.clock.now(), app, filter, order, last: None, left };
    // An error before the first byte can still be answered as one.
    let first = walk.next().await?;
    let parts = stream::try_unfold(Some((Bytes::from_static(head.as_bytes()), first)), move |state| async move {
        let Some((mut part, (found, walk))) = state else { return Ok(None) };
        if !found.is_empty() {
            let mut lines = part.to_vec();
            found.iter().for_each(|stored| write(&mut lines, stored));
            part = lines.into();
        }
        let next = match found.len() {
            AT_ONCE => Some((Bytes::new(), walk.next().await?)),
            _ => None,
        };
        Ok::<_, StoreError>(Some((part, next)))
    });
    let disposition = format!("attachment; filename=\"{file}\"");
    let headers = [(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The order.
#[derive(Debug, Clone, Copy)]
enum Order {
    Oldest,
    Youngest,
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "oldest" => Ok(Self::Oldest),
            "youngest" => Ok(Self::Youngest),
            _ => Err("expected oldest or youngest"),
        }
    }
}

/// The state of an export.
struct Walk {
    app: Arc<App>,
    filter: Filter,
    order: Order,
    /// Ages are relative to this time from the first to the last entity.
    now: Timestamp,
    last: Option<EntityId>,
    left: usize,
}

impl Walk {
    async fn next(mut self) -> Result<(Vec<Stored>, Self), StoreError> {
        let (filter, order, last, now) = (self.filter.clone(), self.order, self.last, self.now);
        let limit = self.left.min(AT_ONCE);
        let found = self.app.store.read(move |reader| match order {
            Order::Oldest => reader.find_after(&filter, limit, last, now),
            Order::Youngest => reader.find(&filter, limit, last, now),
        });
        let found = found.await?;
        self.left -= found.len();
        self.last = found.last().map(|last| last.id);
        Ok((found, self))
    }
}
