//! The only access to the data of a span in the registry.
//!
//! If the code of another layer panicked while it held a lock of the registry, every later access panics. Many accesses
//! happen while that panic unwinds, and a second panic would end the process. So such panics are caught here, and no
//! data is found. The data of the span is still sent when the registry drops the span.

use crate::event::Around;
use crate::record::{Record, Records};
use crate::trace::{PassedOn, TraceContext};
use jkool_client::catch_panic;
use smallvec::smallvec;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Reads the data. The span is locked meanwhile, so `f` must not call code of the program; this applies to all
/// functions below.
pub(crate) fn look<S, R>(span: &SpanRef<'_, S>, f: impl FnOnce(&Records) -> R) -> Option<R>
where
    S: for<'a> LookupSpan<'a>,
{
    catch_panic(|| span.extensions().get::<Records>().map(f)).flatten()
}

/// Changes the data.
pub(crate) fn change<S, R>(span: &SpanRef<'_, S>, f: impl FnOnce(&mut Records) -> R) -> Option<R>
where
    S: for<'a> LookupSpan<'a>,
{
    catch_panic(|| span.extensions_mut().get_mut::<Records>().map(f)).flatten()
}

/// Changes the data of one layer.
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

/// The spans around a span, innermost first.
pub(crate) fn ancestors<'a, S>(span: &SpanRef<'a, S>) -> impl Iterator<Item = SpanRef<'a, S>>
where
    S: for<'b> LookupSpan<'b> + 'a,
{
    std::iter::successors(span.parent(), SpanRef::parent)
}

/// The data of one layer for the spans around an event, innermost first.
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

/// Adds the data of a layer to a new span.
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
