//! Notifies all tasks when the collector ends.

use tokio::sync::watch;

/// A signal that the collector ends.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(pub(super) watch::Receiver<()>);

impl Shutdown {
    /// Waits until the collector ends.
    pub(crate) async fn wait(&mut self) {
        // No value is ever sent: the signal is that the sender is dropped.
        while self.0.changed().await.is_ok() {}
    }
}
