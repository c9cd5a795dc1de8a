//! What the program holds while it records.

use crate::interval::Interval;
use crate::recorder::{Recorder, RecorderStats};
use jkool_client::{Client, Report};
use std::time::Duration;

/// Keeps the sending alive. When it is dropped, what was recorded since the last interval is handed to the client, which delivers it as
/// all else: drop the guard before the client's last clone, and before the guard of a logger that shuts it down. What is recorded later
/// is not sent.
///
/// Bind it to a name in `main`: `let _guard = ..`. With `let _ = ..` it is dropped at once.
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

    /// The client that sends.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How many series there are, and how many are too many.
    pub fn stats(&self) -> RecorderStats {
        self.recorder.stats()
    }

    /// Hands what was recorded to the client now, before the interval ends: for the end of a job, and for tests.
    pub fn send_now(&self) {
        self.interval.send();
    }

    /// What dropping does, and then waits until all is delivered, at most for `timeout`. The client goes on.
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
