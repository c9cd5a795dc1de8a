//! The state of one connection.

use jkool_intake::Requests;
use std::sync::atomic::{AtomicBool, Ordering};

/// The state of one connection, shared by everything that serves it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    authenticated: AtomicBool,
    upgraded: AtomicBool,
    pub(super) requests: Requests,
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

    /// Whether the connection is a WebSocket from now on.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// Turns the connection into a WebSocket after the response to the request is sent.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }
}
