//! The guard that a program holds while it logs to jKool.

use crate::api::client::Client;
use crate::emit::delivery_thread;
use crate::report::stats::Report;
use std::fmt;
use std::time::Duration;

/// Keeps an adapter delivering until it is dropped.
///
/// Dropping it delivers what was logged, for at most the builder's `shutdown_timeout`, and shuts the client down. What is
/// logged later is counted as [`AfterShutdown`](crate::LossReason::AfterShutdown).
///
/// Bind it to a variable in `main`: `let _guard = ..`. With `let _ = ..` it is dropped at once, and nothing is delivered; the
/// first record that is lost for this reason is reported on standard error.
#[must_use = "dropping the guard ends the delivery: bind it to a name, `let _guard = ..`"]
pub struct Guard {
    client: Client,
    shutdown_timeout: Duration,
    /// What the adapter emits before a flush.
    before_flush: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Guard {
    /// For adapters.
    #[doc(hidden)]
    pub fn new(client: Client, shutdown_timeout: Duration) -> Self {
        Self { client, shutdown_timeout, before_flush: None }
    }

    /// For adapters: sets what they emit before a flush and before the shutdown.
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

    /// Returns the client behind the adapter, to emit events and activities directly and to read its [`stats`](Client::stats).
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until everything that was logged before is delivered or dropped, for at most `timeout`, and reports what became of
    /// it. It blocks the calling thread; in async code, use [`Client::flush_async`].
    pub fn flush(&self, timeout: Duration) -> Report {
        self.emit_what_is_left();
        self.client.flush(timeout)
    }

    /// Delivers and shuts down, as dropping the guard does, with a timeout and a report.
    pub fn shutdown(mut self, timeout: Duration) -> Report {
        // The drop that follows has nothing to wait for.
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
        // The delivery thread cannot wait for itself.
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
