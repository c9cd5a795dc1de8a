//! The guard that a program holds while it records.

use crate::interval::Interval;
use crate::recorder::{Recorder, RecorderStats};
use jkool_client::{Client, Report};
use std::time::Duration;

/// Keeps the recorder sending until it is dropped. Dropping it hands the values since the last interval to the client, which
/// delivers them like other entities. So drop it before the last clone of the client, and before the guard of a logger that
/// shuts the client down. What is recorded later is not sent.
///
/// Bind it to a variable in `main`: `let _guard = ..`. With `let _ = ..` it is dropped at once.
#[derive(Debug)]
#[must_use = "dropping the guard ends the sending: bind it to a name, `let _guard = ..`"]
pub struct Guard {
    interval: Interval,
    client: Client,
    recorder: Recorder,
}

impl Guard {
    pub(crate) fn new(interval: Interval, client: Client, recorder: Recorder) -> Self {
        Self { interval, client, recorder }
    }

    /// Returns the client that sends the snapshots.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the number of series, and how many were refused.
    pub fn stats(&self) -> RecorderStats {
        self.recorder.stats()
    }

    /// Sends the values recorded so far now, before the end of the interval. Use it at the end of a job, and in tests.
    pub fn send_now(&self) {
        self.interval.send();
    }

    /// Sends the last interval, as dropping the guard does, and waits until everything is delivered, for at most `timeout`. The
    /// client stays usable.
    pub fn shutdown(self, timeout: Duration) -> Report {
        let client = self.client.clone();
        drop(self);
        client.flush(timeout)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.interval.end();
    }
}
