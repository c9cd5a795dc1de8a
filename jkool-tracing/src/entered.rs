//! The spans that a thread is in. For a panic hook, which cannot ask the subscriber, because the code that panicked may
//! hold its locks; and for the thread itself when it leaves a span or enters it again.

use crate::presence::{Presence, Ticks};
use crate::trace::TraceContext;
use jkool_client::facade::surroundings::Surroundings;
use std::cell::RefCell;
use std::sync::Arc;
use tracing_core::span::Id;

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { spans: Vec::new(), depth: 0 }) };
}

/// The spans that the thread is in, and above them the last ones at each depth: a task that is polled repeatedly enters
/// the same ones.
struct Stack {
    spans: Vec<Entered>,
    /// The number of spans that the thread is in.
    depth: usize,
}

struct Entered {
    layer: usize,
    span: Id,
    presence: Arc<Presence>,
}

impl Entered {
    fn is(&self, layer: usize, span: &Id) -> bool {
        self.layer == layer && self.span == *span
    }
}

/// The limit for a thread that does not leave its spans.
const MAX: usize = 1024;

/// The thread enters the span that it was last in at this depth. Returns false if that was another span, or if it has
/// ended.
pub(crate) fn again(layer: usize, span: &Id, now: Option<Ticks>) -> bool {
    with(|stack| {
        let last = stack.spans.get(stack.depth).filter(|last| last.is(layer, span));
        let is_in = last.is_some_and(|last| last.presence.enter(now));
        stack.depth += usize::from(is_in);
        is_in
    })
}

/// The thread has opened a span, which it will probably enter next. Returns what it shares with its threads, in the memory of
/// the last span at this depth if that has ended.
pub(crate) fn expect(layer: usize, span: &Id, context: TraceContext) -> Arc<Presence> {
    with(|stack| {
        let mut last = stack.spans.get_mut(stack.depth);
        match last.as_mut().and_then(|last| Arc::get_mut(&mut last.presence)) {
            Some(presence) => presence.renew(context),
            None => return None,
        }
        let last = last?;
        (last.layer, last.span) = (layer, span.clone());
        let presence = Arc::clone(&last.presence);
        stack.spans.truncate(stack.depth + 1);
        Some(presence)
    })
    .unwrap_or_else(|| {
        let presence = Arc::new(Presence::new(context));
        with(|stack| _ = stack.put(layer, span, Arc::clone(&presence)));
        presence
    })
}

/// The thread has entered a span.
pub(crate) fn push(layer: usize, span: &Id, presence: Arc<Presence>) {
    with(|stack| stack.depth += usize::from(stack.put(layer, span, presence)));
}

impl Stack {
    /// Stores a span above those that the thread is in. Returns false if the depth exceeds the limit.
    fn put(&mut self, layer: usize, span: &Id, presence: Arc<Presence>) -> bool {
        let has_room = self.depth < MAX;
        if has_room {
            self.spans.truncate(self.depth);
            self.spans.push(Entered { layer, span: span.clone(), presence });
        }
        has_room
    }
}

/// The thread leaves a span, which need not be the last one that it entered. Returns false if it was entered on another
/// thread, or beyond the limit.
pub(crate) fn leave(layer: usize, span: &Id, now: Option<Ticks>) -> bool {
    with(|stack| {
        let Some(at) = stack.spans[..stack.depth].iter().rposition(|entered| entered.is(layer, span)) else {
            return false;
        };
        stack.spans[at].presence.leave(now);
        stack.depth -= 1;
        if at < stack.depth {
            stack.spans[at..=stack.depth].rotate_left(1);
        }
        true
    })
}

/// The innermost span.
pub(crate) fn innermost() -> Option<Surroundings> {
    let innermost = |stack: &Stack| Some(stack.spans.get(stack.depth.checked_sub(1)?)?.presence.context());
    let context = STACK.try_with(|stack| innermost(&*stack.try_borrow().ok()?)).ok()??;
    Some(Surroundings { parent_id: context.span_id.tracking_id(), correlator: context.trace_id.correlator() })
}

/// `None` if the thread is ending.
fn with<R: Default>(change: impl FnOnce(&mut Stack) -> R) -> R {
    STACK
        .try_with(|stack| stack.try_borrow_mut().map(|mut stack| change(&mut stack)).unwrap_or_default())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{again, expect, innermost, leave, push};
    use crate::presence::Presence;
    use crate::trace::TraceContext;
    use std::sync::Arc;
    use tracing_core::span::Id;

    fn context(trace: u8) -> TraceContext {
        TraceContext::parse(&format!("00-{trace:032x}-00f067aa0ba902b7-01")).unwrap()
    }

    fn trace_around() -> Option<String> {
        innermost().map(|around| around.correlator.into_owned())
    }

    fn trace(trace: u8) -> Option<String> {
        Some(format!("{trace:032x}"))
    }

    #[test]
    fn a_span_is_entered_again_until_it_has_ended() {
        let (id, presence) = (Id::from_u64(1), Arc::new(Presence::new(context(1))));
        assert!(!again(1, &id, None));
        push(1, &id, Arc::clone(&presence));
        assert!(leave(1, &id, None) && trace_around().is_none());
        assert!(!again(2, &id, None), "that of another layer");
        presence.set_context(context(2));
        assert!(again(1, &id, None));
        assert_eq!(trace_around(), trace(2));
        assert!(leave(1, &id, None));
        presence.end(crate::presence::now);
        assert!(!again(1, &id, None) && !leave(1, &id, None));
    }

    #[test]
    fn the_memory_of_a_span_that_has_ended_is_used_again() {
        let (one, other) = (Id::from_u64(1), Id::from_u64(2));
        let first = expect(1, &one, context(1));
        assert!(again(1, &one, None) && leave(1, &one, None));
        let second = expect(1, &other, context(2));
        assert!(!Arc::ptr_eq(&first, &second), "the first is still open");
        assert!(!again(1, &one, None) && again(1, &other, None) && leave(1, &other, None));
        let address = Arc::as_ptr(&second);
        second.end(crate::presence::now);
        drop(second);
        let third = expect(1, &one, context(3));
        assert_eq!(Arc::as_ptr(&third), address);
        assert!(!again(1, &other, None) && again(1, &one, None), "it is another span now");
        assert_eq!(trace_around(), trace(3));
        assert!(leave(1, &one, None));
    }

    #[test]
    fn spans_may_be_left_in_any_order() {
        let ids = [1, 2, 3].map(Id::from_u64);
        for (id, number) in ids.iter().zip(1..) {
            push(1, id, Arc::new(Presence::new(context(number))));
        }
        assert!(leave(1, &ids[0], None));
        assert_eq!(trace_around(), trace(3));
        assert!(leave(1, &ids[2], None));
        assert_eq!(trace_around(), trace(2));
        assert!(leave(1, &ids[1], None) && trace_around().is_none());
        assert!(!again(1, &ids[0], None) && again(1, &ids[1], None) && again(1, &ids[2], None));
    }
}
