//! Data that a program can add to a span besides its fields.

use crate::extensions;
use crate::propagation::Remote;
use crate::record::Record;
use crate::trace::TraceContext;
use jkool_client::More;
use jkool_client::model::{Entity, Event, Property, Snapshot, Text, TypedValue};
use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Methods for [`tracing::Span`] that add data to its activity: `Span::current().add_correlator("order-42")`.
///
/// If the span is not recorded, because of a filter or a level, the data is added to the innermost recorded span around it. The methods
/// work with subscribers that are based on [`tracing_subscriber::Registry`]. With other subscribers, and outside of spans, they do
/// nothing.
///
/// ```
/// use jkool_tracing::SpanExt;
/// use jkool_tracing::model::Snapshot;
/// use tracing::Span;
///
/// #[tracing::instrument]
/// fn pay(order: &str) {
///     let span = Span::current();
///     span.add_correlator(order.to_owned());
///     span.add_snapshot(Snapshot::builder("Payment").category("Order").property("amount", 42).build());
///     span.add_property("express", true);
/// }
/// # pay("order-42");
/// ```
pub trait SpanExt: sealed::Sealed {
    /// Adds a correlator to the activity and to everything that happens in it from now on.
    fn add_correlator(&self, correlator: impl Into<Text>);

    /// Adds a snapshot, which is a set of metrics.
    fn add_snapshot(&self, snapshot: Snapshot);

    /// Adds a typed property, or replaces the one with the same name. Unlike a field, it need not be declared with the span.
    fn add_property(&self, name: impl Into<Text>, value: impl Into<TypedValue>);

    /// Sends an event that happens in the span. The event gets parent, trace id and correlators like a `tracing` event.
    ///
    /// Use it for data that a `tracing` event cannot carry, such as an operation type, times, or several snapshots. The subscriber's
    /// filter and its other layers do not receive the event. If the event has no source, it gets that of the client.
    ///
    /// ```
    /// use jkool_tracing::SpanExt;
    /// use jkool_tracing::model::{Event, OpType};
    /// use tracing::Span;
    ///
    /// let mut sent = Event::default();
    /// sent.op_type = OpType::Send;
    /// sent.operation = "SendInvoice".into();
    /// Span::current().emit(sent);
    /// ```
    fn emit(&self, event: impl Into<Box<Event>>);

    /// Makes the span a child of the span that sent a request, in the trace of that request, and adds the request's correlators and
    /// its baggage.
    ///
    /// [`propagation::extract`](crate::propagation::extract) reads `remote` from the headers of the request. Call this method before the
    /// span is entered and has children. Returns false if the request has no trace, if the span is not recorded, or if it has a recorded
    /// parent in this program; correlators and baggage are added in any case.
    fn set_remote_parent(&self, remote: &Remote) -> bool;

    /// Returns the trace id, the span id and the sampling decision of the span.
    fn trace_context(&self) -> Option<TraceContext>;
}

impl SpanExt for Span {
    fn add_correlator(&self, correlator: impl Into<Text>) {
        let correlator = correlator.into();
        each_record(self, |record| record.correlator(correlator.clone()));
    }

    fn add_snapshot(&self, snapshot: Snapshot) {
        each_record(self, |record| record.snapshot(snapshot.clone()));
    }

    fn add_property(&self, name: impl Into<Text>, value: impl Into<TypedValue>) {
        let property = Property::new(name, value);
        each_record(self, |record| record.property(property.clone()));
    }

    fn emit(&self, event: impl Into<Box<Event>>) {
        let event = event.into();
        with_recorded(self, |span| {
            let layer = |record: &Record| (record.layer, record.open.shared());
            let layers = extensions::look(&span, |records| records.of_layers.iter().map(layer).collect::<Vec<_>>());
            for (layer, shared) in layers.into_iter().flatten() {
                let mut event = event.clone();
                let properties =
                    extensions::around(layer, span.scope(), shared.settings.inherit_fields).add_to(&mut event);
                let id = event.tracking_id.get_or_insert_with(|| shared.client.next_id()).clone();
                extensions::change_of(layer, &span, |_, record| record.child(shared.settings.max_children, || id));
                shared.client.emit_from(Entity::Event(event), More { code: None, properties: Some(&properties) });
            }
        });
    }

    fn set_remote_parent(&self, remote: &Remote) -> bool {
        let set = with_recorded(self, |span| {
            // Only if the span itself was found, and not a span around it.
            let is_own = self.id() == Some(span.id());
            extensions::change(&span, |records| {
                for record in &mut records.of_layers {
                    remote.correlators.iter().for_each(|correlator| record.correlator(correlator.clone()));
                }
                if remote.passed_on.baggage.is_some() {
                    records.passed_on.baggage.clone_from(&remote.passed_on.baggage);
                }
                let parent = remote.context.filter(|_| is_own && records.is_root)?;
                (records.context.trace_id, records.context.sampled) = (parent.trace_id, parent.sampled);
                records.passed_on.trace_state.clone_from(&remote.passed_on.trace_state);
                for record in &mut records.of_layers {
                    record.presence.set_context(records.context);
                    if let Some(said) = &mut record.said {
                        said.set_parent(parent.span_id);
                    }
                }
                Some(())
            })
            .flatten()
        });
        set.flatten().is_some()
    }

    fn trace_context(&self) -> Option<TraceContext> {
        with_recorded(self, |span| extensions::look(&span, |records| records.context)).flatten()
    }
}

fn each_record(span: &Span, f: impl FnMut(&mut Record)) {
    with_recorded(span, |span| {
        extensions::change(&span, |records| records.of_layers.iter_mut().for_each(f));
    });
}

/// Calls `f` with the span, or with the innermost recorded span around it.
///
/// The span is found through the registry, because a layer inside a `reload` or a filter cannot be found from outside.
pub(crate) fn with_recorded<R>(span: &Span, f: impl FnOnce(SpanRef<'_, Registry>) -> R) -> Option<R> {
    span.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let mut scope = registry.span(id)?.scope();
        let recorded = scope.find(|span| extensions::look(span, |_| ()).is_some())?;
        Some(f(recorded))
    })
    .flatten()
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for tracing::Span {}
}
