//! The state that a layer shares with the spans that it has recorded: the client, the settings, and the number of open spans.

use crate::activity;
use crate::event::Around;
use crate::open_spans::OpenSpans;
use crate::properties;
use crate::record::Record;
use crate::settings::Settings;
use crate::trace::TraceContext;
use jkool_client::{Client, LossReason};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    /// The client adds a property to spans that each span may get when it ends.
    pub(crate) adds_times: bool,
    open: AtomicUsize,
    /// Present if open spans are sent at a flush.
    pub(crate) open_spans: Option<OpenSpans>,
}

/// Counts one open span until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenSpan {
    shared: Arc<Shared>,
    id: u64,
}

impl Shared {
    pub(crate) fn new(client: Client, settings: Settings) -> Arc<Self> {
        let open_spans = settings.open_spans_at_flush.then(OpenSpans::default);
        let adds_times = properties::OF_TIMES.iter().any(|name| client.adds_property(name));
        Arc::new(Self { client, settings, adds_times, open: AtomicUsize::new(0), open_spans })
    }

    /// Counts one more open span. Returns `None`, and counts the span as lost, if the limit is reached.
    pub(crate) fn open(self: &Arc<Self>, id: u64) -> Option<OpenSpan> {
        if self.open.fetch_add(1, Ordering::Relaxed) < self.settings.max_open_spans {
            if let Some(open_spans) = &self.open_spans {
                open_spans.add(id);
            }
            return Some(OpenSpan { shared: Arc::clone(self), id });
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.client.count_dropped(LossReason::SpanLimit);
        None
    }

    /// Sends a span that has ended, if its trace is sampled.
    pub(crate) fn emit_span(&self, record: Record, context: TraceContext, around: impl FnOnce() -> Around) {
        if context.sampled {
            activity::stream(record, context, self, around);
        }
    }
}

impl OpenSpan {
    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(open_spans) = &self.shared.open_spans {
            open_spans.remove(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;
    use crate::settings::Settings;
    use jkool_client::transport::MemoryTransport;
    use jkool_client::{Client, LossReason};

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let client = Client::builder().transport(MemoryTransport::new()).build().unwrap();
        let shared = Shared::new(client, Settings { max_open_spans: 2, ..Settings::default() });
        let (one, two) = (shared.open(1), shared.open(2));
        assert!(one.is_some() && two.is_some() && shared.open(3).is_none());
        assert_eq!(shared.client.stats().dropped(LossReason::SpanLimit), 1);
        drop(one);
        assert!(shared.open(3).is_some());
    }
}
