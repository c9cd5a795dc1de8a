//! How everything that serves learns that the collector ends.

use tokio::sync::watch;

/// Tells that the collector ends.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(pub(super) watch::Receiver<()>);

impl Shutdown {
    /// Comes back when the collector ends.
    pub(crate) async fn wait(&mut self) {
        // Nothing is ever sent: the sender goes away.
        while self.0.changed().await.is_ok() {}
    }
}
