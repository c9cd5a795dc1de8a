//! What exporters have in common: the way into the client, flush and shutdown.

use jkool_client::{Admission, Client, Report};
use jkool_otlp::Mapped;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An exporter's way into the client.
#[derive(Debug)]
pub(crate) struct Outlet {
    client: Client,
    is_shut_down: AtomicBool,
}

/// How long a flush waits that is given no time.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

impl Outlet {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, is_shut_down: AtomicBool::new(false) }
    }

    /// Emits what an export has become. Nothing is made of it on the delivery thread, and after the shutdown.
    pub(crate) fn emit(&self, map: impl FnOnce() -> Mapped) -> OTelSdkResult {
        if self.is_shut_down.load(Ordering::Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        if jkool_client::is_delivery_thread() {
            return Ok(());
        }
        let mapped = map();
        let mut refused = mapped.reason.map(|reason| format!("{} rejected: {reason}", mapped.rejected));
        for entity in mapped.entities {
            if let Admission::Dropped(reason) = self.client.emit(entity) {
                refused.get_or_insert_with(|| format!("dropped: {reason}"));
            }
        }
        refused.map_or(Ok(()), |refused| Err(OTelSdkError::InternalFailure(refused)))
    }

    /// Waits until all is delivered, or in the spool.
    pub(crate) fn flush(&self) -> OTelSdkResult {
        told(self.client.flush(FLUSH_TIMEOUT), FLUSH_TIMEOUT)
    }

    /// The same for the last time. The client goes on: it is the guard's, and there may be other exporters.
    pub(crate) fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        if self.is_shut_down.swap(true, Ordering::Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        told(self.client.flush(timeout), timeout)
    }
}

fn told(report: Report, timeout: Duration) -> OTelSdkResult {
    match report {
        report if report.is_durable() => Ok(()),
        report if report.dropped() > 0 => Err(OTelSdkError::InternalFailure(report.to_string())),
        _ => Err(OTelSdkError::Timeout(timeout)),
    }
}
