//! What is stored from now on, for those who watch.

use crate::app::App;
use crate::filter::Filter;
use crate::store::Stored;
use futures_util::stream::{self, Stream};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// What a watcher is told.
#[derive(Debug, Clone)]
pub(crate) enum TailItem {
    /// One that the filter lets through.
    Stored(Arc<Stored>),
    /// So many were not looked at, for the watcher was too slow.
    Missed(u64),
}

/// All that comes in from now on and that `filter` lets through, in the order of arrival, until the collector ends.
pub(crate) fn tail(app: &App, filter: Filter) -> impl Stream<Item = TailItem> + Send + 'static + use<> {
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let fresh = store.tail();
    stream::unfold((fresh, store, filter, clock), |(mut fresh, store, filter, clock)| async move {
        loop {
            let stored = match fresh.recv().await {
                Ok(fresh) => match fresh.read() {
                    Some(stored) => Some(stored),
                    None => store.read(move |reader| reader.get(fresh.id)).await.ok().flatten(),
                },
                Err(RecvError::Lagged(count)) => return Some((TailItem::Missed(count), (fresh, store, filter, clock))),
                Err(RecvError::Closed) => return None,
            };
            if let Some(stored) = stored.filter(|stored| filter.matches(stored, clock.now())) {
                return Some((TailItem::Stored(Arc::new(stored)), (fresh, store, filter, clock)));
            }
        }
    })
}
