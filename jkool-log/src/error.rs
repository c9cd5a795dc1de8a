//! Errors of building and installing the logger.

use jkool_client::BuildError;

/// An error from building or installing the logger. Its text never contains the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The client cannot be built.
    #[error(transparent)]
    Client(#[from] BuildError),
    /// A filter is invalid.
    #[error(
        "{from}, byte {at}: `{directive}` is not a filter; expected a level (off, error, warn, info, debug, trace), \
         `target=level` or `target`, separated by commas, and after a `/` a regular expression for the message"
    )]
    Filter {
        /// Where it was set: `filter`, or the name of the environment variable.
        from: String,
        /// The first invalid directive.
        directive: String,
        /// Its position, in bytes.
        at: usize,
    },
    /// Two settings exclude each other, or one requires another.
    #[error("{setting} {reason}")]
    Setting {
        /// The name of the builder's method.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The program already has a logger. To keep it, pass it to [`beside`](crate::Builder::beside) instead of installing it.
    #[error("another logger is already installed")]
    AlreadyInstalled,
}
