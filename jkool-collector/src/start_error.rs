//! Why a collector can't start.

use crate::store::StoreError;
use crate::tls::TlsError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a collector can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It can't listen there: somebody else does already, the address is none of this machine's, or it is no address at all.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Without tokens anybody might send and read, so that only this machine may be listened on.
    #[error("{0} can be reached from elsewhere: set a token, or listen on 127.0.0.1")]
    NeedsToken(SocketAddr),
    /// Plain TCP knows no tokens, so that only this machine may be listened on.
    #[error("{0} can be reached from elsewhere, and plain TCP knows no tokens: listen on 127.0.0.1")]
    NeedsLoopback(SocketAddr),
    /// The file of tokens can't be read.
    #[error("the tokens in {}: {error}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system says, or that there is none in it.
        #[source]
        error: io::Error,
    },
    /// An empty token was set: anybody would guess it.
    #[error("a token is empty")]
    EmptyToken,
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no threads.
    #[error("can't start: {0}")]
    Threads(#[source] io::Error),
}
