//! Which spans a thread is in, for a panic hook: that can't ask the subscriber, whose locks the code that panicked may hold.

use crate::trace::TraceContext;
use jkool_client::facade::surroundings::Surroundings;
use std::cell::RefCell;
use tracing_core::span::Id;

thread_local! {
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

struct Entered {
    layer: usize,
    span: Id,
    context: TraceContext,
}

/// A thread that leaves none of its spans shall not keep more than that.
const MAX: usize = 1024;

/// The thread goes into a span.
pub(crate) fn push(layer: usize, span: &Id, context: TraceContext) {
    with(|entered| {
        if entered.len() < MAX {
            entered.push(Entered { layer, span: span.clone(), context });
        }
    });
}

/// The thread leaves a span, which need not be the last that it went into.
pub(crate) fn pop(layer: usize, span: &Id) {
    with(|entered| {
        if let Some(at) = entered.iter().rposition(|entered| entered.layer == layer && entered.span == *span) {
            entered.remove(at);
        }
    });
}

/// The innermost.
pub(crate) fn innermost() -> Option<Surroundings> {
    let context = ENTERED.try_with(|entered| Some(entered.try_borrow().ok()?.last()?.context)).ok()??;
    Some(Surroundings { parent_id: context.span_id.tracking_id(), correlator: context.trace_id.correlator() })
}

/// Nothing at the thread's end.
fn with(change: impl FnOnce(&mut Vec<Entered>)) {
    ENTERED
        .try_with(|entered| {
            if let Ok(mut entered) = entered.try_borrow_mut() {
                change(&mut entered);
            }
        })
        .unwrap_or_default();
}
