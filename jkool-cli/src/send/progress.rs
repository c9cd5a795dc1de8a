//! Shows the progress on a terminal.

use crate::units;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar for a file, a line for a stream, and nothing if standard error is not a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(len: Option<u64>) -> Self {
        let (bar, template) = match len {
            Some(len) => (ProgressBar::new(len), "{bar:30} {percent:>3} %  {msg}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
        };
        // If the template is invalid, the default is used.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// `bytes` were read and gave `emitted` events: the progress is the share of the bytes whose events are delivered.
    pub(crate) fn show(&self, bytes: u64, emitted: u64, delivered: u64, since: Duration) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_position(done(bytes, emitted, delivered));
        let rate = (delivered as f64 / since.as_secs_f64().max(0.001)) as u64;
        self.0.set_message(format!("{} delivered, {}/s", units::count(delivered), units::count(rate)));
    }

    /// Writes a line above the bar.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

fn done(bytes: u64, emitted: u64, delivered: u64) -> u64 {
    match emitted {
        0 => bytes,
        _ => (u128::from(bytes) * u128::from(delivered.min(emitted)) / u128::from(emitted)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::done;

    #[test]
    fn what_is_read_and_not_delivered_is_not_done() {
        assert_eq!([done(4_000, 4_000, 130), done(4_000, 4_000, 4_000), done(100, 0, 0)], [130, 4_000, 100]);
        assert_eq!(done(u64::MAX, u64::MAX, u64::MAX), u64::MAX);
    }
}
