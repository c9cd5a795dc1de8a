//! What the program holds while an adapter logs to jKool.

use crate::api::client::Client;
use crate::emit::delivery_thread;
use crate::report::stats::Report;
use std::fmt;
use std::time::Duration;

/// Keeps the delivery alive. When it is dropped, what was logged is delivered, for at most the builder's
/// `shutdown_timeout`, and the client ends; what is logged later is counted as
/// [`AfterShutdown`](crate::LossReason::AfterShutdown).
///
/// Bind it to a name in `main`: `let _guard = ..`. With `let _ = ..` it is dropped at once, and nothing is delivered; the first
/// record that is lost by that is told of on standard error.
#[must_use = "dropping the guard ends the delivery: bind it to a name, `let _guard = ..`"]
pub struct Guard {
    client: Client,
    shutdown_timeout: Duration,
    /// What an adapter has to emit before a flush.
    before_flush: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Guard {
    /// For adapters.
    #[doc(hidden)]
    pub fn new(client: Client, shutdown_timeout: Duration) -> Self {
        Self { client, shutdown_timeout, before_flush: None }
    }

    /// For adapters: what they emit before a flush, and before the end.
    #[doc(hidden)]
    pub fn before_flush(mut self, emit: impl Fn() + Send + Sync + 'static) -> Self {
        self.before_flush = Some(Box::new(emit));
        self
    }

    fn emit_what_is_left(&self) {
        if let Some(emit) = &self.before_flush {
            emit();
        }
    }

    /// The client that sends: for events and activities of the program's own, and for [`stats`](Client::stats).
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until all that was logged before is delivered or dropped, at most for `timeout`, and says what became of it.
    /// Blocks the calling thread; in async code there is [`Client::flush_async`].
    pub fn flush(&self, timeout: Duration) -> Report {
        self.emit_what_is_left();
        self.client.flush(timeout)
    }

    /// What dropping does, with a timeout of its own and a report.
    pub fn shutdown(mut self, timeout: Duration) -> Report {
        // What follows by the drop has nothing left to wait for.
        self.shutdown_timeout = Duration::ZERO;
        self.emit_what_is_left();
        self.before_flush = None;
        self.client.shutdown(timeout)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.emit_what_is_left();
        self.client.guard_dropped();
        // The delivery thread can't wait for itself.
        let timeout = if delivery_thread::is_current() { Duration::ZERO } else { self.shutdown_timeout };
        let _losses_are_told_on_standard_error = self.client.shutdown(timeout);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("client", &self.client)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .finish_non_exhaustive()
    }
}
