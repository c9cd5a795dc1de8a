//! New entities, as server-sent events.

use super::item;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::jkql::take_filter;
use crate::query::Query;
use crate::tail::TailItem;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::StreamExt;
use std::convert::Infallible;
use std::sync::Arc;

/// An item for each entity; `missed`, with a count, if the reader was too slow.
pub(super) async fn tail(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorResponse> {
    let mut query = Query::parse(&query.unwrap_or_default());
    let filter = take_filter(&app, &mut query).await?;
    query.finish()?;
    let events = crate::tail::tail(&app, filter).map(|told| {
        Ok::<_, Infallible>(match told {
            TailItem::Stored(stored) => {
                let mut data = String::new();
                item::write(&mut data, &stored);
                Event::default().data(data)
            }
            TailItem::Missed(count) => Event::default().event("missed").data(count.to_string()),
        })
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
