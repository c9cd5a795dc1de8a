//! The parts that exporters share: emitting to the client, flush and shutdown.

use jkool_client::{Admission, Client, Report};
use jkool_otlp::Mapped;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The connection of an exporter to the client.
#[derive(Debug)]
pub(crate) struct Outlet {
    client: Client,
    is_shut_down: AtomicBool,
}

/// The timeout of a flush without one.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

impl Outlet {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, is_shut_down: AtomicBool::new(false) }
    }

    /// Emits the result of an export. Nothing is emitted on the delivery thread, or after the shutdown.
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

    /// Waits until everything is delivered, or in the spool.
    pub(crate) fn flush(&self) -> OTelSdkResult {
        told(self.client.flush(FLUSH_TIMEOUT), FLUSH_TIMEOUT)
    }

    /// Like a flush, for the last time. The client is not shut down: it belongs to the guard, and other exporters may use it.
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
