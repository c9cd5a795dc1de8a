//! The errors of starting a collector.

use crate::store::StoreError;
use jkool_intake::TlsError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The error if a collector cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen on the address: the port is in use, the address is not one of this machine, or it is invalid.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// The address that was set.
        address: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Without tokens anybody might send and read, so that only this machine may be listened on.
    #[error("{0} can be reached from other machines; set a token, or listen on 127.0.0.1")]
    NeedsToken(SocketAddr),
    /// Plain TCP knows no tokens, so that only this machine may be listened on.
    #[error("{0} can be reached from other machines, and plain TCP has no tokens; listen on 127.0.0.1")]
    NeedsLoopback(SocketAddr),
    /// The file with tokens cannot be read.
    #[error("can't read the tokens in {}: {error}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system says, or that there is none in it.
        #[source]
        error: io::Error,
    },
    /// An empty token was set.
    #[error("a token is empty")]
    EmptyToken,
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system cannot start the threads.
    #[error("can't start: {0}")]
    Threads(#[source] io::Error),
}
