//! The layer, which implements the callbacks of `tracing` for spans and events.

use crate::entered;
use crate::event;
use crate::extensions::{self, ancestors};
use crate::fields::{Fields, Take};
use crate::line;
use crate::plain::{self, Plain};
use crate::presence::{self, Presence, Ticks};
use crate::record::{Record, Records};
use crate::said::Said;
use crate::settings::{Settings, Spans};
use crate::shared::Shared;
use crate::trace::{PassedOn, TraceContext};
use jkool_client::facade::recursion::{RecursionGuard, Sink};
use jkool_client::facade::surroundings;
use jkool_client::model::{Entity, TypedValue};
use jkool_client::{Client, LossReason, More, RawProperties, is_delivery_thread};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing_core::span::{Attributes, Id};
use tracing_core::{Dispatch, Event, Level, Subscriber, span};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// A `tracing` layer that sends events, and spans when they close, to jKool.
///
/// It never blocks (unless [`OverflowPolicy::Block`](jkool_client::OverflowPolicy::Block) is set), never panics, and never calls
/// itself. Create it with [`builder`](crate::builder), and add it to a subscriber. To select the spans and events that it receives, add a
/// filter: `layer.with_filter(..)`.
#[derive(Debug)]
pub struct JkoolLayer {
    shared: Arc<Shared>,
    /// Distinguishes the records of this layer from those of other layers on the same span.
    number: usize,
}

static LAYERS: AtomicUsize = AtomicUsize::new(0);

impl JkoolLayer {
    pub(crate) fn new(client: Client, settings: Settings) -> Self {
        surroundings::ask(entered::innermost);
        if settings.busy_and_idle {
            // The first access takes long, which should not be measured as a part of a span.
            presence::now();
        }
        Self { shared: Shared::new(client, settings), number: LAYERS.fetch_add(1, Ordering::Relaxed) }
    }

    /// Returns a function that sends the open spans, if `open_spans_at_flush` is set.
    pub(crate) fn tell_open_spans(&self) -> Option<impl Fn() + Send + Sync + 'static> {
        self.shared.open_spans.as_ref()?;
        let (shared, layer) = (Arc::clone(&self.shared), self.number);
        Some(move || {
            if let Some(open_spans) = &shared.open_spans {
                open_spans.tell(layer, &shared);
            }
        })
    }

    /// Guards the creation of an entity, during which code of the program runs: a `Debug` implementation may log. Counts what it logs.
    fn guard(&self) -> Option<RecursionGuard> {
        let guard = RecursionGuard::enter(Sink::Jkool);
        if guard.is_none() {
            self.shared.client.count_dropped(LossReason::Recursion);
        }
        guard
    }

    fn takes_span(&self, level: &Level) -> bool {
        self.shared.settings.spans != Spans::Off && *level <= self.shared.settings.span_level
    }

    fn with_record<S, R>(&self, span: &SpanRef<'_, S>, f: impl FnOnce(TraceContext, &mut Record) -> R) -> Option<R>
    where
        S: for<'a> LookupSpan<'a>,
    {
        extensions::change_of(self.number, span, f)
    }

    fn new_span<S>(&self, attributes: &Attributes<'_>, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let Some(open) = self.shared.open(span.id().into_u64()) else { return };
        // Another layer may have added its record to this span already.
        let is_alone = LAYERS.load(Ordering::Relaxed) == 1;
        let known = if is_alone { None } else { extensions::look(span, |records| records.context) };
        let (client, settings) = (&self.shared.client, &self.shared.settings);
        let inside = |records: &mut Records| {
            let (parent, passed_on) = (records.context, records.passed_on.clone());
            let record = records.of_mut(self.number)?;
            let context = known.unwrap_or_else(|| parent.child(client));
            if parent.sampled && context.sampled {
                record.child(settings.max_children, || context.span_id.tracking_id());
            }
            Some((context, Some(parent), passed_on))
        };
        let found = ancestors(span).find_map(|around| extensions::change(&around, inside).flatten());
        let root =
            || (known.unwrap_or_else(|| TraceContext::root(client, settings.sample_ratio)), None, PassedOn::default());
        let (context, parent, passed_on) = found.unwrap_or_else(root);
        // A root span may get a remote parent later, whose trace is sampled.
        let recorded = context.sampled || parent.is_none();
        let said =
            recorded.then(|| Said::begin(attributes.metadata(), parent.map(|parent: TraceContext| parent.span_id)));
        let presence = entered::expect(self.number, &span.id(), context);
        let mut record = Record::new(self.number, said, presence, open);
        if recorded && plain::are_plain(self.number, client, attributes.metadata()) {
            let mut visited = Fields(Plain { record, next: 0 });
            attributes.record(&mut visited);
            record = visited.0.record;
        } else if recorded {
            let mut visited = Fields(record);
            attributes.record(&mut visited);
            record = visited.0;
        }
        extensions::add(span, context, parent.is_none(), passed_on, record);
    }

    fn close<S>(&self, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let taken = extensions::change(span, |records| Some((records.context, records.take(self.number)?))).flatten();
        if let Some((context, record)) = taken {
            self.shared.emit_span(record, context, || extensions::around(self.number, ancestors(span), false));
        }
    }
}

impl<S> Layer<S> for JkoolLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        if let Some(open_spans) = &self.shared.open_spans {
            open_spans.found_in(subscriber);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.takes_span(attributes.metadata().level()) || is_delivery_thread() {
            return;
        }
        if let (Some(_guard), Some(span)) = (self.guard(), context.span(id)) {
            self.new_span(attributes, &span);
        }
    }

    fn on_record(&self, id: &Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if self.with_record(&span, |_, record| record.said.is_some()) != Some(true) {
            return;
        }
        let Some(_guard) = self.guard() else { return };
        // The fields are read before the span is locked: a `Debug` implementation may access the span itself.
        let mut fields: Vec<(&'static str, TypedValue)> = Vec::new();
        values.record(&mut Fields::each(|name, value| fields.push((name, value))));
        self.with_record(&span, |_, record| fields.into_iter().for_each(|(name, value)| record.typed(name, value)));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        if id == follows {
            // The other span belongs to another subscriber, which also numbers its spans from one.
            return;
        }
        let (Some(span), Some(follows)) = (context.span(id), context.span(follows)) else { return };
        let Some(followed) = self.with_record(&follows, |context, _| context) else { return };
        self.with_record(&span, |context, record| {
            record.correlator(followed.span_id.text());
            if followed.trace_id != context.trace_id {
                record.correlator(followed.trace_id.correlator());
            }
        });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() > self.shared.settings.event_level || is_delivery_thread() {
            return;
        }
        let Some(_guard) = self.guard() else { return };
        let (client, code_location) = (&self.shared.client, self.shared.settings.code_location);
        let in_span = self.shared.settings.spans != Spans::Off && context.event_span(event).is_some();
        if !in_span && line::emit(self.number, client, event, code_location) {
            return;
        }
        let (mut made, code) = event::make(event, code_location);
        let mut properties = RawProperties::new();
        if in_span {
            let spans = context.event_scope(event).into_iter().flatten();
            properties = extensions::around(self.number, spans, self.shared.settings.inherit_fields).add_to(&mut made);
            let failed = *event.metadata().level() == Level::ERROR;
            let mut spans = context.event_scope(event).into_iter().flatten();
            spans.find_map(|span| {
                self.with_record(&span, |_, record| {
                    record.failed_if(failed);
                    record.child(self.shared.settings.max_children, || {
                        made.tracking_id.get_or_insert_with(|| client.next_id()).clone()
                    });
                })
            });
        }
        client.emit_from(Entity::Event(made), More { code, properties: Some(&properties) });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let now = self.now();
        if self.shared.settings.spans == Spans::Off || entered::again(self.number, id, now) {
            return;
        }
        if let Some(presence) = self.presence_in(id, &context) {
            presence.enter(now);
            entered::push(self.number, id, presence);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let now = self.now();
        if self.shared.settings.spans == Spans::Off || entered::leave(self.number, id, now) {
            return;
        }
        if let Some(presence) = self.presence_in(id, &context) {
            presence.leave(now);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if self.shared.settings.spans != Spans::Off {
            if let Some(span) = context.span(&id) {
                self.close(&span);
            }
        }
    }
}

impl JkoolLayer {
    /// The current time, if `busy_and_idle` is set.
    fn now(&self) -> Option<Ticks> {
        self.shared.settings.busy_and_idle.then(presence::now)
    }

    fn presence_in<S>(&self, id: &Id, context: &Context<'_, S>) -> Option<Arc<Presence>>
    where
        S: Subscriber + for<'b> LookupSpan<'b>,
    {
        let span = context.span(id)?;
        extensions::look(&span, |records| records.of(self.number).map(|record| Arc::clone(&record.presence)))?
    }
}
