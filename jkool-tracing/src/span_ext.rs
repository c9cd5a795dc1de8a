//! What a program can say of a span beside its fields.

use crate::extensions;
use crate::propagation::Remote;
use crate::record::Record;
use crate::trace::TraceContext;
use jkool_client::More;
use jkool_client::model::{Entity, Event, Property, Snapshot, Text, TypedValue};
use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// What a program can add to the activity of a span: `Span::current().add_correlator("order-42")`.
///
/// Where a span itself is not recorded, for a filter or a level, it goes to the span around it that is. It works with subscribers
/// on [`tracing_subscriber::Registry`]; elsewhere, and in no span, nothing happens.
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
    /// Adds what the activity, and all that happens in it from now on, has in common with others.
    fn add_correlator(&self, correlator: impl Into<Text>);

    /// Adds a set of metrics.
    fn add_snapshot(&self, snapshot: Snapshot);

    /// Adds a typed property, or changes the one of that name. Unlike a field, it need not be declared with the span.
    fn add_property(&self, name: impl Into<Text>, value: impl Into<TypedValue>);

    /// Streams an event that happens in the span: with its parent, its trace and its correlators, as an event of tracing has them.
    ///
    /// What `tracing` has no words for can be said so: the type of an operation, times, several snapshots. The subscriber's filter
    /// and its other layers see nothing of it. Without a source it has that of the client.
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

    /// Makes a span that has no recorded span around it part of the trace that a request came with; see
    /// [`propagation::extract`](crate::propagation::extract). Correlators are taken over by any span.
    ///
    /// Call it before the span is entered and has children. False when the request came with no trace, or the span has a
    /// parent here.
    fn set_remote_parent(&self, remote: &Remote) -> bool;

    /// Where in which trace the span is.
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
                shared.client.emit_from(Entity::Event(event), More { code: None, properties: &properties });
            }
        });
    }

    fn set_remote_parent(&self, remote: &Remote) -> bool {
        let set = with_recorded(self, |span| {
            // Not the span around one that is not recorded.
            let is_own = self.id() == Some(span.id());
            extensions::change(&span, |records| {
                for record in &mut records.of_layers {
                    remote.correlators.iter().for_each(|correlator| record.correlator(correlator.clone()));
                }
                let parent = remote.context.filter(|_| is_own && records.is_root)?;
                (records.context.trace_id, records.context.sampled) = (parent.trace_id, parent.sampled);
                records.trace_state.clone_from(&remote.trace_state);
                for record in &mut records.of_layers {
                    record.presence.set_context(records.context);
                    if let Some(said) = &mut record.said {
                        said.set_parent(parent.span_id.tracking_id());
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

/// The span, or the innermost around it that is recorded.
///
/// By the registry, and not by the layer: a layer in a `reload` or in a filter can't be found from outside.
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
