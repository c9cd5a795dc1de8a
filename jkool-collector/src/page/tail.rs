//! Live rows for an open list, as server-sent events. Their rate is limited to what a person can follow.

use super::columns::Columns;
use super::error_page::ErrorPage;
use super::events::ON_A_PAGE;
use super::format::visible;
use super::list_filter::{Listing, split_at_now, wrong_from};
use super::query_params::QueryParams;
use super::row::{live_row, row_with};
use crate::app::App;
use crate::filter::Filter;
use crate::store::Stored;
use crate::tail::{TailItem, tail};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{self, Stream};
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The time in which new entities are collected into one update.
const TOGETHER: Duration = Duration::from_millis(150);
/// The maximum number of rows in an update, the newest ones: about 300 per second.
const AT_ONCE: usize = 45;
/// The interval at which the total is sent while entities arrive, and the time after the last one.
const COUNTED: Duration = Duration::from_secs(1);

/// Sends the entities that were stored since the list was rendered, and then new ones.
///
/// The events `list` and `rows` contain rows, newest first; `missed` is the number of skipped entities, `ahead` the
/// number of entities in the future, and `total` the number of stored entities.
pub(super) async fn stream(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let Listing { snapshots, columns } = Listing::take(&app, &mut params).await?;
    params.finish();
    if let Some(fault) = params.faults.first() {
        return Ok((StatusCode::BAD_REQUEST, fault.to_string()).into_response());
    }
    let listed = snapshots.listed(&params.filter);
    let (filter, now) = (params.filter, app.clock.now());
    // Subscribes before the store is read, so that no entity in between is missed, and the browser knows which ones it
    // has.
    let told = tail(&app, listed.clone());
    let wanted = split_at_now(&listed, now).map_or_else(|| listed.clone(), |(_, listed)| listed);
    let wants_future = wanted == listed;
    let found = app.store.read(move |reader| reader.find(&wanted, ON_A_PAGE, None, now)).await?;
    let caught_up =
        Event::default().event("list").data(rows(found.iter(), |stored| row_with(stored, &filter, &columns)));
    let watch = Watch { app, filter, columns, wants_future, told: Box::pin(told), since_total: 1 };
    let live = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|events| (events, watch)) });
    let events = stream::iter([caught_up]).chain(live.flat_map(stream::iter)).map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

fn rows<'a>(stored: impl Iterator<Item = &'a Stored>, line: impl Fn(&Stored) -> Markup) -> String {
    visible(html! { @for stored in stored { (line(stored)) } }.into_string())
}

struct Watch<T> {
    app: Arc<App>,
    filter: Filter,
    columns: Columns,
    /// Whether entities in the future are included.
    wants_future: bool,
    told: Pin<Box<T>>,
    /// The number of updates since the total was sent.
    since_total: u32,
}

impl<T: Stream<Item = TailItem>> Watch<T> {
    /// Returns the next update, or `None` at the end.
    async fn next(&mut self) -> Option<Vec<Event>> {
        let first = match self.since_total {
            0 => self.told.next().await?,
            _ => match timeout(COUNTED, self.told.next()).await {
                Ok(told) => told?,
                Err(_) => return Some(self.total().await.into_iter().collect()),
            },
        };
        let mut batch = Batch::new(if self.wants_future { Timestamp::MAX } else { wrong_from(self.app.clock.now()) });
        batch.add(first);
        let mut over = Box::pin(sleep(TOGETHER));
        loop {
            tokio::select! {
                biased;
                () = &mut over => break,
                told = self.told.next() => match told {
                    Some(told) => batch.add(told),
                    None => break,
                },
            }
        }
        let mut events = batch.events(&self.filter, &self.columns);
        self.since_total += 1;
        if TOGETHER * self.since_total >= COUNTED {
            events.extend(self.total().await);
        }
        Some(events)
    }

    /// Returns the current total. If the store fails, it is sent the next time.
    async fn total(&mut self) -> Option<Event> {
        self.since_total = 0;
        let total = self.app.store.read(|reader| reader.total()).await.ok()?;
        Some(Event::default().event("total").data(total.to_string()))
    }
}

/// The content of an update.
#[derive(Debug)]
struct Batch {
    youngest: VecDeque<Arc<Stored>>,
    missed: u64,
    /// Entities with this time or a later one are only counted.
    wrong_from: Timestamp,
    ahead: u64,
}

impl Batch {
    fn new(wrong_from: Timestamp) -> Self {
        Self { youngest: VecDeque::new(), missed: 0, wrong_from, ahead: 0 }
    }

    fn add(&mut self, told: TailItem) {
        match told {
            TailItem::Missed(count) => self.missed += count,
            TailItem::Stored(stored) if stored.time >= self.wrong_from => self.ahead += 1,
            TailItem::Stored(stored) => {
                if self.youngest.len() == AT_ONCE {
                    self.youngest.pop_front();
                    self.missed += 1;
                }
                self.youngest.push_back(stored);
            }
        }
    }

    fn events(&self, filter: &Filter, columns: &Columns) -> Vec<Event> {
        let mut events = Vec::new();
        if !self.youngest.is_empty() {
            let rows = rows(self.youngest.iter().rev().map(Arc::as_ref), |stored| live_row(stored, filter, columns));
            events.push(Event::default().event("rows").data(rows));
        }
        for (name, count) in [("missed", self.missed), ("ahead", self.ahead)] {
            if count > 0 {
                events.push(Event::default().event(name).data(count.to_string()));
            }
        }
        events
    }
}
