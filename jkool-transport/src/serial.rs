//! Blocking work, one piece after the other, off the runtime's own threads.

use crate::error::{ErrorKind, TransportError};
use crate::receipt::{Disposition, Failure};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What blocks, until it is closed. Calls have their turn in the order in which they came; one that is dropped while its work
/// runs is waited for by the next.
pub(crate) struct Serial<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Serial<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Some(value))))
    }

    /// Runs `work` on it.
    ///
    /// # Errors
    /// When it is closed, or `work` panicked.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        let mut value = Arc::clone(&self.0).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || value.as_mut().map(work));
        match done.await {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(failure(ErrorKind::Closed, "the transport is closed")),
            Err(error) => {
                let mut failure = failure(ErrorKind::Other, "the writing thread ended early").in_doubt();
                failure.error = failure.error.with_source(error);
                Err(failure)
            }
        }
    }

    /// Takes it away, when what is under way is done. None when that was done before.
    pub(crate) async fn close(&self) -> Option<T> {
        self.0.lock().await.take()
    }
}

fn failure(kind: ErrorKind, text: &'static str) -> Failure {
    Failure::new(Disposition::Retry { after: None }, TransportError::new(kind, text))
}
