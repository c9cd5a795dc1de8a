//! A connection over which nothing comes back.

use crate::http::tls_parts::{RenewedTls, connect_failure};
use crate::receipt::Failure;
use rustls::pki_types::ServerName;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

/// The way to the other side.
pub(super) struct Connector {
    pub(super) host: String,
    pub(super) port: u16,
    /// And whom the certificate must name.
    pub(super) tls: Option<(Arc<RenewedTls>, ServerName<'static>)>,
    pub(super) timeout: Duration,
}

impl Connector {
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let connected = match timeout(self.timeout, self.open()).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        connected.map_err(|error| {
            let failure = connect_failure(error);
            match &self.tls {
                Some((tls, _)) => tls.explain(failure),
                None => failure,
            }
        })
    }

    async fn open(&self) -> io::Result<Connection> {
        let tls = self.tls.as_ref().map(|(tls, name)| {
            let mut config = (*tls.config(Instant::now())).clone();
            // It is not HTTP that is spoken.
            config.alpn_protocols.clear();
            (TlsConnector::from(Arc::new(config)), name)
        });
        let tcp = TcpStream::connect((&*self.host, self.port)).await?;
        tcp.set_nodelay(true)?;
        Ok(Connection(match tls {
            None => Box::new(tcp),
            Some((tls, name)) => Box::new(tls.connect(name.clone(), tcp).await?),
        }))
    }
}

impl fmt::Display for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "tls" } else { "tcp" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

pub(super) struct Connection(Box<dyn Stream>);

impl Connection {
    /// Whether the other side has not ended it, as far as is known here. What it says is passed over.
    pub(super) async fn is_open(&mut self) -> bool {
        // So that the runtime looks at its sockets before: else the end would be known only later.
        tokio::task::yield_now().await;
        let stream = &mut self.0;
        poll_fn(|context| {
            let mut room = [0; 256];
            loop {
                let mut read = ReadBuf::new(&mut room);
                match Pin::new(&mut **stream).poll_read(context, &mut read) {
                    Poll::Pending => return Poll::Ready(true),
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(false),
                }
            }
        })
        .await
    }

    pub(super) async fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.0.write_all(lines).await?;
        self.0.flush().await
    }

    /// Says that nothing more comes, and waits for the other side to say the same.
    pub(super) async fn end(mut self) -> io::Result<()> {
        self.0.shutdown().await?;
        let mut passed_over = [0; 256];
        loop {
            match self.0.read(&mut passed_over).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // TLS without a farewell: the other side has ended it after ours.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
