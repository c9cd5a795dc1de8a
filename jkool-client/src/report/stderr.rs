//! Lines on standard error that nobody waits for: a pipe that is full because nobody reads it must not stop delivery.

use crate::emit::thread;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// How long the last line may take.
const LAST: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(crate) struct Stderr {
    /// Told when the line that is being written is.
    writing: Option<Receiver<()>>,
    /// What was not written since a line before it is stuck.
    waiting: Vec<String>,
}

/// So many lines wait for one that is stuck.
const MAX_WAITING: usize = 16;

impl Stderr {
    /// Writes a line, by a thread of its own. Lines are rare.
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
            // A closed standard error is no reason to stop delivering.
            drop(std::io::stderr().lock().write_all(lines.as_bytes()));
            written.send(()).unwrap_or_default();
        };
        if thread::spawn("jkool-stderr", write).is_ok() {
            self.writing = Some(writing);
        }
    }

    /// Waits until all is written, but not for long.
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
