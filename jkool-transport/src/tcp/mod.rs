//! Lines of JSON over TCP, without answers.

mod builder;
mod connection;
mod recent;

pub use builder::TcpTransportBuilder;

use crate::connector::Connector;
use crate::error::{ErrorKind, TransportError};
use crate::payload::Payload;
use crate::receipt::{Disposition, Failure, Receipt};
use crate::receipt_builder::ReceiptBuilder;
use crate::transport::Transport;
use async_trait::async_trait;
use connection::Connection;
use recent::Recent;
use std::fmt;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// The number of payloads that are written at once.
const MAX_BATCH: usize = 512;

/// How long `close` waits for the other side to close the connection.
const FAREWELL: Duration = Duration::from_secs(2);

/// Writes each payload as a line over TCP or TLS, like JESL's socket sink. A collector (`--tcp`), a relay and many other
/// programs read this format.
///
/// **There are no answers, so it cannot know what arrived.** *Delivered* means that this machine's operating system accepted a
/// payload: if the other machine fails, data on the way to it is lost. To reduce this, the last
/// [`resend`](TcpTransportBuilder::resend) bytes are kept, and written again if the connection turns out to be broken, so some
/// events may arrive twice. Where no event may be lost, use HTTP or a broker.
///
/// ```no_run
/// use jkool_transport::TcpTransport;
/// let transport = TcpTransport::builder("tls://collector.example.com:6590").build()?;
/// # Ok::<(), jkool_transport::TransportError>(())
/// ```
pub struct TcpTransport {
    connector: Connector,
    timeout: Duration,
    state: Mutex<State>,
}

struct State {
    /// `None` if there is none, or if it is used by a send that may never end.
    connection: Option<Connection>,
    recent: Recent,
    closed: bool,
}

impl TcpTransport {
    /// Returns a builder for a transport to `tcp://host:port` or `tls://host:port`.
    pub fn builder(url: impl Into<String>) -> TcpTransportBuilder {
        TcpTransportBuilder::new(url.into())
    }

    /// Returns a connection that is not known to be broken. On a new one, the last written payloads are written first.
    async fn connection(&self, state: &mut State) -> Result<Connection, Failure> {
        if let Some(mut connection) = state.connection.take() {
            if connection.is_open().await {
                return Ok(connection);
            }
        }
        let mut connection = Connection(self.connector.connect().await?);
        for piece in state.recent.lines() {
            // The batch itself was not written yet.
            self.write(&mut connection, &piece).await.map_err(|error| Failure::new(RETRY, error))?;
        }
        Ok(connection)
    }

    async fn write(&self, connection: &mut Connection, lines: &[u8]) -> Result<(), TransportError> {
        match timeout(self.timeout, connection.write(lines)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                Err(TransportError::new(ErrorKind::Interrupted, "the connection was lost").with_source(error))
            }
            Err(_) => Err(TransportError::new(ErrorKind::Timeout, "the server accepted no data within the timeout")),
        }
    }

    async fn send_unit(&self, state: &mut State, unit: &[Payload]) -> Result<(), Failure> {
        let mut connection = self.connection(state).await?;
        for piece in Payload::lines(unit) {
            let written = self.write(&mut connection, &piece).await;
            written.map_err(|error| Failure::new(RETRY, error).in_doubt().content_in_doubt())?;
        }
        state.connection = Some(connection);
        state.recent.push(unit);
        Ok(())
    }
}

const RETRY: Disposition = Disposition::Retry { after: None };

#[async_trait]
impl Transport for TcpTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let mut state = self.state.lock().await;
        if state.closed {
            let error = TransportError::new(ErrorKind::Closed, "the transport is closed");
            return Receipt::failed(batch.len(), Failure::new(RETRY, error));
        }
        let mut receipt = ReceiptBuilder::new(batch.len());
        for unit in batch.chunks(MAX_BATCH) {
            receipt.record(unit.len(), self.send_unit(&mut state, unit).await);
            if receipt.is_stopped() {
                break;
            }
        }
        receipt.build()
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    /// Closes the connection, and waits up to two seconds for the other side to do the same.
    async fn close(&self) -> Result<(), TransportError> {
        let mut state = self.state.lock().await;
        if std::mem::replace(&mut state.closed, true) || state.recent.is_empty() {
            return Ok(());
        }
        // The first connection may be broken without being known to be, the second one is new.
        let mut ended = Ok(());
        for _ in 0..2 {
            let connection = self.connection(&mut state).await.map_err(|failure| failure.error)?;
            ended = match timeout(FAREWELL, connection.end()).await {
                Ok(ended) => ended,
                Err(_) => Ok(()),
            };
            if ended.is_ok() {
                break;
            }
        }
        ended.map_err(|error| {
            let text = "the connection was lost; the last lines may not have arrived";
            TransportError::new(ErrorKind::Interrupted, text).with_source(error)
        })
    }
}

/// Shows the address.
impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport").field("to", &self.connector.to_string()).finish_non_exhaustive()
    }
}
