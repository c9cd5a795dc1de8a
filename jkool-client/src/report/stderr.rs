//! Writes lines to standard error without blocking: a full pipe that nobody reads must not stop delivery.

use crate::emit::thread;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// The time limit for the last lines.
const LAST: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(crate) struct Stderr {
    /// Receives a message when the current line is written.
    writing: Option<Receiver<()>>,
    /// Lines that wait because the current one blocks.
    waiting: Vec<String>,
}

/// The maximum number of lines that wait for one that blocks.
const MAX_WAITING: usize = 16;

impl Stderr {
    /// Writes a line, on a new thread. Lines are rare.
    pub(crate) fn write(&mut self, line: String) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push(line);
        }
        self.go_on();
    }

    fn go_on(&mut self) {
        if let Some(writing) = self.writing.take() {
            if writing.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                self.writing = Some(writing);
                return;
            }
        }
        if self.waiting.is_empty() {
            return;
        }
        let lines: String = self.waiting.drain(..).map(|line| format!("jkool: {line}\n")).collect();
        let (written, writing) = sync_channel(1);
        let write = move || {
            // Delivery continues if standard error is closed.
            drop(std::io::stderr().lock().write_all(lines.as_bytes()));
            written.send(()).unwrap_or_default();
        };
        if thread::spawn("jkool-stderr", write).is_ok() {
            self.writing = Some(writing);
        }
    }

    /// Waits until everything is written, within a time limit.
    pub(crate) fn finish(&mut self) {
        while let Some(writing) = &self.writing {
            if writing.recv_timeout(LAST) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            self.writing = None;
            self.go_on();
        }
    }
}
