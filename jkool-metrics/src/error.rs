//! Why metrics can't be recorded.

use std::io;

/// Why the recorder can't be built or installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// No client was passed.
    #[error("no client: pass one to `client`")]
    NoClient,
    /// A setting is out of its range.
    #[error("{setting} {reason}")]
    Setting {
        /// The builder's method.
        setting: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// The program has a recorder already: `metrics` takes one, once.
    #[error("another recorder of the `metrics` crate is installed already")]
    AlreadyInstalled,
    /// The thread that sends did not start.
    #[error("the thread for the interval did not start: {0}")]
    Thread(io::Error),
}
