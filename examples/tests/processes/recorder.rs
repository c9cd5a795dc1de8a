//! A layer that knows nothing of jKool's, and writes down which spans close.

use serde_json::{Value, json};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// A span that has closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its number among those of its process, or the id that it was streamed with.
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) name: String,
    /// The fields that tell it from others of its name.
    pub(crate) kind: String,
    pub(crate) about: String,
    /// An ERROR event happened in it, or it says that it has failed.
    pub(crate) failed: bool,
}

impl Seen {
    pub(crate) fn to_line(&self) -> String {
        json!([self.id, self.parent, self.name, self.kind, self.about, self.failed]).to_string()
    }

    pub(crate) fn from_line(line: &str) -> Self {
        let fields: Value = serde_json::from_str(line).unwrap();
        let text = |at: usize| fields[at].as_str().map(str::to_owned);
        Self {
            id: text(0).unwrap(),
            parent: text(1),
            name: text(2).unwrap(),
            kind: text(3).unwrap(),
            about: text(4).unwrap(),
            failed: fields[5].as_bool().unwrap(),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    opened: u64,
    closed: Vec<Seen>,
}

impl Recorder {
    pub(crate) fn closed(&self) -> Vec<Seen> {
        self.0.lock().unwrap().closed.clone()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut log = self.0.lock().unwrap();
        log.opened += 1;
        let parent = span.parent().and_then(|parent| parent.extensions().get::<Seen>().map(|seen| seen.id.clone()));
        let mut seen = Seen { id: log.opened.to_string(), parent, name: span.name().into(), ..Seen::default() };
        attributes.record(&mut seen);
        span.extensions_mut().insert(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Seen>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if let (&Level::ERROR, Some(span)) = (event.metadata().level(), context.event_span(event)) {
            span.extensions_mut().get_mut::<Seen>().unwrap().failed = true;
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let seen = context.span(&id).unwrap().extensions_mut().remove::<Seen>().unwrap();
        self.0.lock().unwrap().closed.push(seen);
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.kind" => self.kind = value.into(),
            "url.path" | "number" => self.about = value.into(),
            "otel.status_code" => self.failed |= value == "ERROR",
            _ => {}
        }
    }
}
