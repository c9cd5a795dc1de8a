//! What is known of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::watch;

/// What is known of one connection, to all that serve it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    shown: AtomicBool,
    muted: AtomicBool,
    begun: AtomicUsize,
    answered: AtomicUsize,
}

impl Session {
    /// Whether the connection showed a good token before.
    pub(crate) fn shown(&self) -> bool {
        self.shown.load(Ordering::Relaxed)
    }

    /// Whether the last handshake was good.
    pub(crate) fn show(&self, good: bool) {
        self.shown.store(good, Ordering::Relaxed);
    }

    /// Whether the client said that it doesn't read its answers.
    pub(super) fn muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    pub(super) fn mute(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
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
    pub(super) fn request(self: &Arc<Self>) -> Answering {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Session>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Tells that the collector ends.
#[derive(Debug, Clone)]
pub(crate) struct Closing(pub(super) watch::Receiver<()>);

impl Closing {
    /// Comes back when the collector ends.
    pub(crate) async fn wait(&mut self) {
        // Nothing is ever sent: the sender goes away.
        while self.0.changed().await.is_ok() {}
    }
}
