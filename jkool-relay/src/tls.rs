//! TLS for the sources that listen, with the feature `tls`.

use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Whether connections use TLS, and the certificate. The default is plain TCP.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    #[cfg(feature = "tls")]
    acceptor: Option<jkool_intake::TlsAcceptor>,
}

impl Tls {
    /// Reads a certificate with its chain, and its key, from PEM files.
    #[cfg(feature = "tls")]
    pub(crate) fn read(
        certificate: &std::path::Path,
        key: &std::path::Path,
        protocols: &[&str],
    ) -> Result<Self, crate::source::SourceError> {
        let acceptor = jkool_intake::acceptor(certificate, key, protocols);
        let acceptor = acceptor
            .map_err(|error| crate::source::SourceError::new("the certificate can't be used").with_source(error))?;
        Ok(Self { acceptor: Some(acceptor) })
    }

    /// Makes the handshake, if there is one.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        #[cfg(feature = "tls")]
        if let Some(acceptor) = &self.acceptor {
            return Ok(Box::new(acceptor.accept(stream).await?));
        }
        Ok(Box::new(stream))
    }
}
