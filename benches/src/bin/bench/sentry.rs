//! Sentry's client, as both workloads use it.
#![expect(deprecated, reason = "enable_logs is marked so, but log records are not captured without it")]

use sentry::ClientOptions;
use sentry::integrations::log::{LogFilter, SentryLogger};

pub(crate) fn options(dsn: &str) -> ClientOptions {
    ClientOptions::new().dsn(dsn).enable_logs(true)
}

/// Makes each record a log entry, and no breadcrumb.
pub(crate) fn logger() -> impl log::Log {
    SentryLogger::new().filter(|_| LogFilter::Log)
}
