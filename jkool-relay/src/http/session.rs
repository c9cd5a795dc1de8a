//! What is known of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub(super) struct Session {
    is_authenticated: AtomicBool,
    no_response: Arc<AtomicBool>,
}

impl Session {
    /// Whether the last handshake was good.
    pub(super) fn is_authenticated(&self) -> bool {
        self.is_authenticated.load(Ordering::Relaxed)
    }

    pub(super) fn set_authenticated(&self, good: bool) {
        self.is_authenticated.store(good, Ordering::Relaxed);
    }

    /// Whether the client reads no response to its last request.
    pub(super) fn no_response(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.no_response)
    }

    pub(super) fn set_no_response(&self, said: bool) {
        self.no_response.store(said, Ordering::Relaxed);
    }
}
