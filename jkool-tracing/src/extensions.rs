//! The only access to what is kept with a span.
//!
//! A registry's lock panics when the code of another layer has panicked while it held it, at every access from then on; many of
//! them are made while that panic unwinds, where another one would end the process. So all of them are caught here, and nothing
//! is found. What is kept with the span comes out all the same, when the registry gives up the span.

use crate::event::Around;
use crate::record::{Record, Records};
use crate::trace::{PassedOn, TraceContext};
use jkool_client::catch_panic;
use smallvec::smallvec;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Looks at it. The span is locked meanwhile: nothing of the program's own may run in `f`, here and below.
pub(crate) fn look<S, R>(span: &SpanRef<'_, S>, f: impl FnOnce(&Records) -> R) -> Option<R>
where
    S: for<'a> LookupSpan<'a>,
{
    catch_panic(|| span.extensions().get::<Records>().map(f)).flatten()
}

/// Changes it.
pub(crate) fn change<S, R>(span: &SpanRef<'_, S>, f: impl FnOnce(&mut Records) -> R) -> Option<R>
where
    S: for<'a> LookupSpan<'a>,
{
    catch_panic(|| span.extensions_mut().get_mut::<Records>().map(f)).flatten()
}

/// Changes what one layer keeps of it.
pub(crate) fn change_of<S, R>(
    layer: usize,
    span: &SpanRef<'_, S>,
    f: impl FnOnce(TraceContext, &mut Record) -> R,
) -> Option<R>
where
    S: for<'a> LookupSpan<'a>,
{
    change(span, |records| {
        let context = records.context;
        records.of_mut(layer).map(|record| f(context, record))
    })
    .flatten()
}

/// The spans around one, from the innermost to the outermost.
pub(crate) fn ancestors<'a, S>(span: &SpanRef<'a, S>) -> impl Iterator<Item = SpanRef<'a, S>>
where
    S: for<'b> LookupSpan<'b> + 'a,
{
    std::iter::successors(span.parent(), SpanRef::parent)
}

/// What spans say of what happens in them, as one layer keeps them, from the innermost to the outermost.
pub(crate) fn around<'a, S>(layer: usize, spans: impl Iterator<Item = SpanRef<'a, S>>, fields: bool) -> Around
where
    S: for<'b> LookupSpan<'b> + 'a,
{
    let mut around = Around::default();
    for span in spans {
        look(&span, |records| {
            if let Some(record) = records.of(layer) {
                around.context.get_or_insert(records.context);
                around.add(record, fields);
            }
        });
    }
    around
}

/// Adds what a layer keeps of a new span.
pub(crate) fn add<S>(span: &SpanRef<'_, S>, context: TraceContext, is_root: bool, passed_on: PassedOn, record: Record)
where
    S: for<'a> LookupSpan<'a>,
{
    catch_panic(|| {
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Records>() {
            Some(records) => records.of_layers.push(record),
            None => extensions.insert(Records { context, is_root, passed_on, of_layers: smallvec![record] }),
        }
    });
}
