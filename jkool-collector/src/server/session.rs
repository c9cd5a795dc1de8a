//! What is known of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is known of one connection, to all that serve it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    authenticated: AtomicBool,
    no_response: Arc<AtomicBool>,
    upgraded: AtomicBool,
    begun: AtomicUsize,
    answered: AtomicUsize,
}

impl Session {
    /// Whether the connection showed a good token before.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// Whether the last handshake was good.
    pub(crate) fn set_authenticated(&self, good: bool) {
        self.authenticated.store(good, Ordering::Relaxed);
    }

    /// Whether the client said that it doesn't read its answers.
    pub(super) fn no_response(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.no_response)
    }

    pub(super) fn set_no_response(&self, said: bool) {
        self.no_response.store(said, Ordering::Relaxed);
    }

    /// Whether the connection is a WebSocket from now on.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// Makes a WebSocket of the connection, when the answer to the request is sent.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    /// How many requests were begun.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.begun() != self.answered.load(Ordering::Relaxed)
    }

    /// A request begins; it is answered when what this returns is dropped.
    pub(super) fn request(self: &Arc<Self>) -> InFlight {
        self.begun.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Session>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}
