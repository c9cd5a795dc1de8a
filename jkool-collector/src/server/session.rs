//! The state of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The state of one connection, shared by everything that serves it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    authenticated: AtomicBool,
    no_response: Arc<AtomicBool>,
    upgraded: AtomicBool,
    begun: AtomicUsize,
    answered: AtomicUsize,
}

impl Session {
    /// Whether the client sent a valid token in a handshake.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// Sets whether the last handshake was valid.
    pub(crate) fn set_authenticated(&self, good: bool) {
        self.authenticated.store(good, Ordering::Relaxed);
    }

    /// Whether the client declared that it does not read responses.
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

    /// Turns the connection into a WebSocket after the response to the request is sent.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    /// Returns the number of started requests.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.begun() != self.answered.load(Ordering::Relaxed)
    }

    /// Starts a request; it ends when the returned guard is dropped.
    pub(super) fn request(self: &Arc<Self>) -> InFlight {
        self.begun.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// A request in progress.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Session>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}
