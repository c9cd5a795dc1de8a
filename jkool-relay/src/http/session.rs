//! What is known of one connection.

use jkool_intake::Requests;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub(super) struct Session {
    is_authenticated: AtomicBool,
    pub(super) requests: Requests,
}

impl Session {
    /// Whether the last handshake was good.
    pub(super) fn is_authenticated(&self) -> bool {
        self.is_authenticated.load(Ordering::Relaxed)
    }

    pub(super) fn set_authenticated(&self, good: bool) {
        self.is_authenticated.store(good, Ordering::Relaxed);
    }
}
