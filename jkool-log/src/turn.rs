//! Keeps a record that is logged while another is being made from leading in circles.

use std::cell::Cell;

/// Where records go. Each is guarded by itself: what is logged while the one is at work still reaches the other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sink {
    Jkool = 1,
    Beside = 2,
}

thread_local! {
    static BUSY: Cell<u8> = const { Cell::new(0) };
}

/// One sink's turn on this thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(u8);

impl Turn {
    /// `None` when the sink is already at work on this thread.
    pub(crate) fn take(sink: Sink) -> Option<Self> {
        let bit = sink as u8;
        let before = BUSY.try_with(|busy| busy.replace(busy.get() | bit)).unwrap_or_default();
        (before & bit == 0).then(|| Self(bit))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A thread at its end has no flag any more, and needs none.
        BUSY.try_with(|busy| busy.set(busy.get() & !self.0)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::{Sink, Turn};

    #[test]
    fn each_sink_has_one_turn_at_a_time() {
        let jkool = Turn::take(Sink::Jkool);
        assert!(jkool.is_some());
        assert!(Turn::take(Sink::Jkool).is_none());
        let beside = Turn::take(Sink::Beside);
        assert!(beside.is_some());
        drop(jkool);
        assert!(Turn::take(Sink::Beside).is_none());
        assert!(Turn::take(Sink::Jkool).is_some());
        assert!(std::thread::spawn(|| Turn::take(Sink::Beside).is_some()).join().unwrap());
    }
}
