//! The requests of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is known of the requests of one connection. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<State>);

#[derive(Debug, Default)]
struct State {
    no_response: AtomicBool,
    is_drained: AtomicBool,
    begun: AtomicUsize,
    answered: AtomicUsize,
}

impl Requests {
    /// Begins a request. It is answered when the returned value is dropped.
    pub fn begin(&self) -> InProgress {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        InProgress(Arc::clone(&self.0))
    }

    /// How many have begun.
    pub fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Whether one is being answered.
    pub fn is_answering(&self) -> bool {
        self.begun() != self.0.answered.load(Ordering::Relaxed)
    }

    /// Sets whether the client reads no answer to the last request (`Pragma: no-response`).
    pub fn set_no_response(&self, said: bool) {
        self.0.no_response.store(said, Ordering::Relaxed);
    }

    /// Whether the client reads no answer to the last request.
    pub fn want_no_response(&self) -> bool {
        self.0.no_response.load(Ordering::Relaxed)
    }

    /// Called when the server ends. Returns whether the connection may hold requests that no client sends again, because it reads no
    /// answers or has not said yet. Then the connection is drained from now on: its [`NoResponseStream`](crate::NoResponseStream) ends when
    /// nothing arrives any more. If not, the server may close the connection after the last answer.
    pub fn drain(&self) -> bool {
        let drain = self.want_no_response() || self.begun() == 0;
        if drain {
            self.0.is_drained.store(true, Ordering::Relaxed);
        }
        drain
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.0.is_drained.load(Ordering::Relaxed)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InProgress(Arc<State>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}
