//! Prevents recursion by a record that is logged while another one is being converted.

use std::cell::Cell;

/// A destination of records. Each is guarded separately: what is logged while one of them works still reaches the other.
#[derive(Debug, Clone, Copy)]
pub enum Sink {
    Jkool = 1,
    Beside = 2,
}

thread_local! {
    static BUSY: Cell<u8> = const { Cell::new(0) };
}

/// Marks a sink as busy on this thread until it is dropped.
#[derive(Debug)]
pub struct RecursionGuard(u8);

impl RecursionGuard {
    /// Returns `None` if the sink is already busy on this thread.
    pub fn enter(sink: Sink) -> Option<Self> {
        let bit = sink as u8;
        let before = BUSY.try_with(|busy| busy.replace(busy.get() | bit)).unwrap_or_default();
        (before & bit == 0).then(|| Self(bit))
    }
}

impl Drop for RecursionGuard {
    fn drop(&mut self) {
        // A thread that is ending has no flag any more, and needs none.
        BUSY.try_with(|busy| busy.set(busy.get() & !self.0)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::{RecursionGuard, Sink};

    #[test]
    fn each_sink_has_one_turn_at_a_time() {
        let jkool = RecursionGuard::enter(Sink::Jkool);
        assert!(jkool.is_some());
        assert!(RecursionGuard::enter(Sink::Jkool).is_none());
        let beside = RecursionGuard::enter(Sink::Beside);
        assert!(beside.is_some());
        drop(jkool);
        assert!(RecursionGuard::enter(Sink::Beside).is_none());
        assert!(RecursionGuard::enter(Sink::Jkool).is_some());
        assert!(std::thread::spawn(|| RecursionGuard::enter(Sink::Beside).is_some()).join().unwrap());
    }
}
