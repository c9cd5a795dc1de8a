//! How far it is, on a terminal.

use crate::units;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar for a file, a line for a stream; nothing at all when nobody looks at standard error.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(len: Option<u64>) -> Self {
        let (bar, template) = match len {
            Some(len) => (ProgressBar::new(len), "{bar:30} {percent:>3} %  {msg}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
        };
        // A template of ours that can't be read leaves the usual one.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn show(&self, bytes: u64, delivered: u64, since: Duration) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_position(bytes);
        let rate = (delivered as f64 / since.as_secs_f64().max(0.001)) as u64;
        self.0.set_message(format!("{} delivered, {}/s", units::count(delivered), units::count(rate)));
    }

    /// Writes something where the bar is in nobody's way.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
