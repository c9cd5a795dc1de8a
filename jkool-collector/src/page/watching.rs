//! Live updates of the mark of a watch, as server-sent events.

use super::error_page::ErrorPage;
use super::format::visible;
use super::query_params::QueryParams;
use super::watch::Watched;
use crate::app::App;
use crate::tail::{TailItem, tail};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{self, Stream};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The time in which new entities are combined into one update.
const TOGETHER: Duration = Duration::from_millis(500);
/// The minimum time until the next check whether the limit is still exceeded.
const SOON: Duration = Duration::from_millis(50);

/// Sends the `mark` at first and whenever it changes.
pub(super) async fn stream(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    params.finish();
    let watch = match (params.watch, params.faults.first()) {
        (Some(watch), None) => watch,
        (_, Some(fault)) => return Ok((StatusCode::BAD_REQUEST, fault.to_string()).into_response()),
        (None, None) => return Ok((StatusCode::BAD_REQUEST, "expected watch and more-than").into_response()),
    };
    // Subscribes before the store is read, so that no entity in between is missed.
    let told = Box::pin(tail(&app, watch.filter.clone()));
    let watched = watch.begin(&app).await?;
    let watching = Watching { app, told, watched, said: String::new() };
    let events = stream::unfold(watching, |mut watching| async move {
        let html = watching.next().await?;
        Some((Ok::<_, Infallible>(Event::default().event("mark").data(html)), watching))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

struct Watching<T> {
    app: Arc<App>,
    told: Pin<Box<T>>,
    watched: Watched,
    /// The mark that was sent last.
    said: String,
}

impl<T: Stream<Item = TailItem>> Watching<T> {
    /// Returns the next mark that differs; `None` when the collector ends.
    async fn next(&mut self) -> Option<String> {
        loop {
            let now = self.app.clock.now();
            let html = visible(self.watched.mark(now).into_string());
            if html != self.said {
                self.said.clone_from(&html);
                return Some(html);
            }
            let ends = self.watched.ends(now).map(|end| end.as_usec().saturating_sub(now.as_usec()));
            let ends = ends.map(|usec| Duration::from_micros(usec.unsigned_abs()).max(SOON));
            if self.listen(ends).await? {
                // Also counts entities that follow directly.
                self.until(TOGETHER).await?;
            }
        }
    }

    /// Waits for an entity or the timeout. Returns whether an entity arrived.
    async fn listen(&mut self, patience: Option<Duration>) -> Option<bool> {
        let told = match patience {
            None => self.told.next().await,
            Some(patience) => match timeout(patience, self.told.next()).await {
                Ok(told) => told,
                Err(_) => return Some(false),
            },
        };
        self.count(told?);
        Some(true)
    }

    async fn until(&mut self, time: Duration) -> Option<()> {
        let mut over = Box::pin(sleep(time));
        loop {
            tokio::select! {
                biased;
                () = &mut over => return Some(()),
                told = self.told.next() => self.count(told?),
            }
        }
    }

    fn count(&mut self, told: TailItem) {
        match told {
            TailItem::Stored(stored) => self.watched.take(stored),
            TailItem::Missed(count) => self.watched.miss(count),
        }
    }
}
