//! Runs the program of a watch.

use crate::out;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// So many run at once.
const AT_ONCE: usize = 4;

/// Runs a program, a few times at once, each for a while at most.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    patience: Duration,
    running: JoinSet<Result<(), String>>,
    /// How often it was not run, or not with success.
    failed: u64,
}

impl Program {
    pub(super) fn new(path: PathBuf, patience: Duration) -> Self {
        Self { path, patience, running: JoinSet::new(), failed: 0 }
    }

    /// Starts it with `input` on its standard input. What goes wrong is told on standard error.
    pub(super) fn start(&mut self, variables: Vec<(&'static str, String)>, input: String) {
        while let Some(done) = self.running.try_join_next() {
            self.conclude(done);
        }
        if self.running.len() >= AT_ONCE {
            return self.fail(&format!("is not run: it runs {AT_ONCE} times already"));
        }
        let mut command = Command::new(&self.path);
        command.envs(variables).stdin(Stdio::piped()).kill_on_drop(true);
        let patience = self.patience;
        self.running.spawn(async move {
            // Dropped, it is killed.
            match timeout(patience, run(command, input)).await {
                Ok(done) => done,
                Err(_) => Err(format!("has not ended within {patience:?}: it was killed")),
            }
        });
    }

    /// Waits for those that run. Gives how often it was not run, or not with success.
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
        // Who does not want to read it need not.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("has failed: {status}")) }
}
