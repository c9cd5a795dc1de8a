//! A source of messages from a broker. The broker keeps each message until it is settled.

use crate::connection::Connection;
use crate::inbox::{Inbox, Taken};
use crate::packet::{self, Connect, Incoming};
use crate::source_builder::MqttSourceBuilder;
use crate::verdict;
use bytes::Bytes;
use jkool_transport::{Connector, Failure};
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long to wait after a failure before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// The timeout of [`MqttSource::close`].
const FAREWELL: Duration = Duration::from_secs(2);

/// The packet identifier of the subscription. There is only one subscription.
const SUBSCRIPTION: u16 = 1;

/// A message from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MqttMessage {
    /// The number of messages that this source returned before this one. [`settle`](MqttSource::settle) takes it.
    pub offset: u64,
    /// The topic of the message.
    pub topic: String,
    /// The content of the message.
    pub payload: Bytes,
}

/// Receives messages of QoS 1, and acknowledges each only when it is settled: delivered, or otherwise safe.
///
/// The broker keeps messages that are not settled. It sends them again after a lost connection, or to the next program with the same
/// client identifier. After a lost connection, a message that was already returned is recognized and not returned twice. The broker sends
/// at most [`max_unsettled`](MqttSourceBuilder::max_unsettled) messages ahead; if so many are unsettled, no message is returned until one
/// is settled.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = jkool_mqtt::MqttSource::builder().server("mqtts://broker.example.com");
/// let mut source = builder.client_id("relay-1").topic("jkool/#").build()?;
/// loop {
///     match source.next().await {
///         Ok(message) => {
///             println!("{}: {} bytes", message.topic, message.payload.len());
///             source.settle(message.offset).await;
///         }
///         // The next call retries.
///         Err(failure) => eprintln!("{}", failure.error),
///     }
/// }
/// # }
/// ```
pub struct MqttSource {
    pub(crate) connector: Connector,
    pub(crate) connect: Connect,
    pub(crate) filter: String,
    pub(crate) max_unsettled: usize,
    pub(crate) inbox: Inbox,
    pub(crate) connection: Option<Connection>,
    /// Whether the broker has accepted the subscription since this source was built.
    pub(crate) is_subscribed: bool,
    pub(crate) is_paused: bool,
    /// The earliest time of the next attempt to connect.
    pub(crate) not_before: Option<Instant>,
    #[cfg(feature = "relay")]
    pub(crate) relayed: crate::relay::Relayed,
}

impl MqttSource {
    /// Returns a builder for a source.
    pub fn builder() -> MqttSourceBuilder {
        MqttSourceBuilder::new()
    }

    /// Waits for the next message, without a timeout.
    ///
    /// # Errors
    /// Returns an error if the connection broke or could not be established. Its disposition is
    /// [`Retry`](jkool_transport::Disposition::Retry) for a temporary failure, or
    /// [`Misconfigured`](jkool_transport::Disposition::Misconfigured) if the configuration must be corrected. In both cases the next call
    /// retries, after at least one second. No message is lost.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped before it is ready. An attempt to connect is cancelled, and repeated a second later.
    /// Pings are only sent while this method is polled.
    pub async fn next(&mut self) -> Result<MqttMessage, Failure> {
        if self.connection.is_none() {
            if let Some(not_before) = self.not_before {
                sleep_until(not_before).await;
            }
            self.not_before = Some(Instant::now() + PAUSE);
            self.connection = Some(self.open().await?);
        }
        let next = self.receive().await;
        if next.is_err() {
            self.disconnected();
        }
        next
    }

    async fn open(&mut self) -> Result<Connection, Failure> {
        let (mut connection, ack) = Connection::open(&self.connector, &self.connect).await?;
        if !ack.session_present {
            self.inbox.forgotten();
        }
        if !ack.session_present || !self.is_subscribed {
            packet::put_subscribe(&mut connection.out, SUBSCRIPTION, &self.filter, self.connect.version);
        }
        Ok(connection)
    }

    async fn receive(&mut self) -> Result<MqttMessage, Failure> {
        let Some(connection) = &mut self.connection else {
            return Err(verdict::broken(io::ErrorKind::NotConnected.into()));
        };
        loop {
            if self.is_paused || self.inbox.len() >= self.max_unsettled {
                // Messages from the broker are not read; they wait on its side.
                connection.write_only().await.map_err(verdict::broken)?;
            }
            match connection.next().map_err(verdict::malformed)? {
                Some(Incoming::Publish(message)) => match self.inbox.take(message) {
                    Taken::New(message) => return Ok(message),
                    Taken::Settled(Some(id)) => packet::put_puback(&mut connection.out, id),
                    Taken::Settled(None) | Taken::Again => {}
                },
                Some(Incoming::SubAck { id: SUBSCRIPTION, reason }) => {
                    verdict::of_suback(reason)?;
                    self.is_subscribed = true;
                }
                Some(Incoming::Disconnect { reason }) => return Err(verdict::of_disconnect(reason, false)),
                Some(_) => return Err(verdict::unexpected()),
                None => {
                    connection.keep_alive(Instant::now())?;
                    match connection.due() {
                        None => connection.turn().await.map_err(verdict::broken)?,
                        Some(due) => tokio::select! {
                            turn = connection.turn() => turn.map_err(verdict::broken)?,
                            () = sleep_until(due) => {}
                        },
                    }
                }
            }
        }
    }

    /// Settles all messages up to the one with this offset: they are acknowledged in the order in which they were received. Messages that
    /// cannot be acknowledged now, because the connection is broken, are acknowledged when the broker sends them again.
    ///
    /// # Cancel safety
    /// The messages are settled at once. If the future is dropped, the acknowledgements are written by the next call of
    /// [`next`](Self::next) or `settle`.
    pub async fn settle(&mut self, offset: u64) {
        let ids = self.inbox.settle(offset);
        let Some(connection) = &mut self.connection else { return };
        for id in ids {
            packet::put_puback(&mut connection.out, id);
        }
        if connection.flush().await.is_err() {
            self.disconnected();
        }
    }

    fn disconnected(&mut self) {
        self.connection = None;
        self.inbox.disconnected();
    }

    /// Returns no messages until [`resume`](Self::resume); they stay with the broker.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Returns messages again after [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.is_paused = false;
    }

    /// Writes the remaining acknowledgements and closes the connection. The broker keeps the session.
    pub async fn close(mut self) {
        self.end().await;
    }

    pub(crate) async fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The broker sends messages again that were not acknowledged, so an error can be ignored here.
            drop(timeout(FAREWELL, connection.end()).await);
        }
    }
}

/// Shows the broker and the client identifier, and nothing that is secret.
impl fmt::Debug for MqttSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttSource")
            .field("from", &self.connector.to_string())
            .field("client_id", &self.connect.client_id)
            .field("topic", &self.filter)
            .field("unsettled", &self.inbox.len())
            .finish_non_exhaustive()
    }
}
