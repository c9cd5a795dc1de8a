//! Runs blocking work in order, outside of the runtime's own threads.

use crate::error::{ErrorKind, TransportError};
use crate::receipt::{Disposition, Failure};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A blocking resource. Calls run in the order in which they arrive. If a call is dropped while its work runs, the next one
/// waits for that work.
pub(crate) struct Serial<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Serial<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Some(value))))
    }

    /// Runs `work` on the resource.
    ///
    /// # Errors
    /// If it is closed, or `work` panicked.
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
                let mut failure = failure(ErrorKind::Other, "the writer thread ended unexpectedly").in_doubt();
                failure.error = failure.error.with_source(error);
                Err(failure)
            }
        }
    }

    /// Takes the resource after the current work has ended; `None` if it was taken before.
    pub(crate) async fn close(&self) -> Option<T> {
        self.0.lock().await.take()
    }
}

fn failure(kind: ErrorKind, text: &'static str) -> Failure {
    Failure::new(Disposition::Retry { after: None }, TransportError::new(kind, text))
}
