//! The exit codes, which scripts can rely on.

use crate::out;
use std::io;
use std::process::ExitCode;

/// The exit code of a command that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// Something was not delivered, or nothing was found.
    NotAll,
}

/// Why a command could not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments are invalid.
    #[error("{0}")]
    Usage(String),
    /// The server can't be reached or rejected the request, or a collector can't start.
    #[error("{0}")]
    Unreachable(String),
    /// Standard output can't be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Reports the failure, and returns the exit code.
pub(crate) fn code(done: Result<Exit, Failure>) -> ExitCode {
    let failure = match done {
        Ok(Exit::Done) => return ExitCode::SUCCESS,
        Ok(Exit::NotAll) => return ExitCode::from(1),
        // The reader closed the pipe: `jkool tail | head`.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    out::note(format_args!("jkool: {failure}"));
    ExitCode::from(match failure {
        Failure::Output(_) => 1,
        Failure::Usage(_) => 2,
        Failure::Unreachable(_) => 3,
    })
}
