//! What is stored from now on, for those who watch.

use crate::app::App;
use crate::{Filter, Stored};
use futures_util::stream::{self, Stream};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// What a watcher is told.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// One that the filter lets through.
    Stored(Arc<Stored>),
    /// So many were not looked at, for the watcher was too slow.
    Missed(u64),
}

/// All that comes in from now on and that `filter` lets through, in the order of arrival, until the collector ends.
pub(crate) fn tail(app: &App, filter: Filter) -> impl Stream<Item = Told> + Send + 'static + use<> {
    let clock = app.clock.clone();
    stream::unfold((app.store.tail(), filter, clock), |(mut stored, filter, clock)| async move {
        loop {
            let told = match stored.recv().await {
                Ok(entity) if filter.matches(&entity, clock.now()) => Told::Stored(entity),
                Ok(_) => continue,
                Err(RecvError::Lagged(count)) => Told::Missed(count),
                Err(RecvError::Closed) => return None,
            };
            return Some((told, (stored, filter, clock)));
        }
    })
}
