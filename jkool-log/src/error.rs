//! Why the logger can't be installed.

use jkool_client::BuildError;

/// Why the logger can't be built or installed. No text of it holds the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The client can't be built.
    #[error(transparent)]
    Client(#[from] BuildError),
    /// A filter is malformed.
    #[error(
        "{from}, byte {at}: `{directive}` is no filter; expected a level (off, error, warn, info, debug, trace), `target=level` or \
         `target`, separated by commas, and after a `/` a regular expression for the message"
    )]
    Filter {
        /// Where it was set: `filter`, or the name of the environment's variable.
        from: String,
        /// The first directive that makes no sense.
        directive: String,
        /// Where it begins, in bytes.
        at: usize,
    },
    /// Two settings exclude each other, or one lacks another.
    #[error("{setting} {reason}")]
    Setting {
        /// The builder's method.
        setting: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// The program has a logger already. To keep it, hand it to [`beside`](crate::Builder::beside) instead of installing it.
    #[error("another logger is already installed")]
    AlreadyInstalled,
}
