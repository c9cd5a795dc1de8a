//! Errors of building and installing the recorder.

use std::io;

/// An error from building or installing the recorder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// No client was passed.
    #[error("no client: pass one to `client`")]
    NoClient,
    /// A setting is out of range.
    #[error("{setting} {reason}")]
    Setting {
        /// The name of the builder's method.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The program already has a recorder; `metrics` accepts only one, once.
    #[error("another recorder of the `metrics` crate is already installed")]
    AlreadyInstalled,
    /// The thread could not be started.
    #[error("the thread for the interval could not be started: {0}")]
    Thread(io::Error),
}
