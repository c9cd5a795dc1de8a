//! Messages from a broker, each of which is the broker's until it is settled.

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

/// How long after a failure the next attempt to connect is made.
const PAUSE: Duration = Duration::from_secs(1);

/// How long [`MqttSource::close`] takes at most.
const FAREWELL: Duration = Duration::from_secs(2);

/// There is one subscription, so one identifier will do.
const SUBSCRIPTION: u16 = 1;

/// A message that the broker has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MqttMessage {
    /// How many came before it from this source, by which it is [settled](MqttSource::settle).
    pub offset: u64,
    /// Its topic.
    pub topic: String,
    /// What it holds.
    pub payload: Bytes,
}

/// Receives messages of QoS 1, and acknowledges each only when it is settled: delivered, or otherwise safe.
///
/// What is not settled the broker keeps, and sends again after a lost connection, or to the program that comes next with the same
/// identifier. Over a lost connection a message that was handed out already is recognised and not handed out twice. The broker sends
/// no more than [`max_unsettled`](MqttSourceBuilder::max_unsettled) messages ahead; when so many are unsettled, nothing comes until
/// one is settled.
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
///         // The next call tries again.
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
    /// The broker has consented to the subscription since this source was built.
    pub(crate) is_subscribed: bool,
    pub(crate) is_paused: bool,
    /// There is no attempt to connect before.
    pub(crate) not_before: Option<Instant>,
    #[cfg(feature = "relay")]
    pub(crate) relayed: crate::relay::Relayed,
}

impl MqttSource {
    /// The settings of a new source.
    pub fn builder() -> MqttSourceBuilder {
        MqttSourceBuilder::new()
    }

    /// The next message, however long that takes.
    ///
    /// # Errors
    /// When the connection broke, or there is none. It says whether that passes by itself ([`Retry`](jkool_transport::Disposition::Retry)) or not
    /// ([`Misconfigured`](jkool_transport::Disposition::Misconfigured)); the next call tries again in both cases, a second later at the soonest. No message is
    /// lost by it.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped before it is ready; an attempt to connect is, and is made anew a second later. Pings
    /// are sent while it is waited for.
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
                // What the broker sends waits on its side.
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

    /// All messages up to the one of this offset are safe elsewhere: they are acknowledged, in the order in which they came. What
    /// can't be acknowledged now, since the connection is broken, is when it comes again.
    ///
    /// # Cancel safety
    /// The messages are settled at once. When the future is dropped, the acknowledgements are written by the next call of
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

    /// Hands out nothing until [`resume`](Self::resume), and lets the broker wait.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Hands out messages again.
    pub fn resume(&mut self) {
        self.is_paused = false;
    }

    /// Writes the acknowledgements that are left, and ends the connection. The broker keeps the session.
    pub async fn close(mut self) {
        self.end().await;
    }

    pub(crate) async fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            // What was not acknowledged comes again, so how it ends makes no other difference.
            drop(timeout(FAREWELL, connection.end()).await);
        }
    }
}

/// Shows from where it receives, and nothing that is secret.
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
