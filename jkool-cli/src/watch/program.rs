//! Runs the program of a watch.

use crate::out;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The maximum number of concurrent runs.
const AT_ONCE: usize = 4;

/// Runs a program in the background, with limits for concurrent runs and time.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    patience: Duration,
    running: JoinSet<Result<(), String>>,
    /// The number of runs that were skipped or failed.
    failed: u64,
}

impl Program {
    pub(super) fn new(path: PathBuf, patience: Duration) -> Self {
        Self { path, patience, running: JoinSet::new(), failed: 0 }
    }

    /// Starts the program with `input` on its standard input. Failures are reported on standard error.
    pub(super) fn start(&mut self, variables: Vec<(&'static str, String)>, input: String) {
        while let Some(done) = self.running.try_join_next() {
            self.conclude(done);
        }
        if self.running.len() >= AT_ONCE {
            return self.fail(&format!("was not run: {AT_ONCE} instances are already running"));
        }
        let mut command = Command::new(&self.path);
        command.envs(variables).stdin(Stdio::piped()).kill_on_drop(true);
        let patience = self.patience;
        self.running.spawn(async move {
            // Dropping the child kills it.
            match timeout(patience, run(command, input)).await {
                Ok(done) => done,
                Err(_) => Err(format!("did not exit within {patience:?} and was killed")),
            }
        });
    }

    /// Waits for the runs. Returns the number of runs that were skipped or failed.
    pub(super) async fn finish(mut self) -> u64 {
        while let Some(done) = self.running.join_next().await {
            self.conclude(done);
        }
        self.failed
    }

    fn conclude(&mut self, done: Result<Result<(), String>, tokio::task::JoinError>) {
        match done {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.fail(&why),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    fn fail(&mut self, why: &str) {
        self.failed += 1;
        out::note(format_args!("jkool: {} {why}", self.path.display()));
    }
}

async fn run(mut command: Command, input: String) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("can't be started: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read its input.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("failed: {status}")) }
}
