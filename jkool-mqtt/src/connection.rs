//! A connection to the broker: reads and writes bytes, and splits them into packets.

use crate::MqttVersion;
use crate::packet::{self, ConnAck, Connect, Incoming, Malformed};
use crate::verdict;
use bytes::{Buf as _, BytesMut};
use jkool_transport::{Connector, Failure, Stream};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};

/// The initial size of the buffer, which grows for larger packets.
const ROOM: usize = 4 << 10;

pub(crate) struct Connection {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    came: BytesMut,
    /// Packets to write.
    pub(crate) out: BytesMut,
    /// Something was written that may not have been flushed.
    unflushed: bool,
    version: MqttVersion,
    max_packet: usize,
    wrote: Instant,
    /// The time of a PINGREQ that is not answered yet.
    pinged: Option<Instant>,
    keep_alive: Option<Duration>,
}

impl Connection {
    /// Connects, and waits for the CONNACK.
    pub(crate) async fn open(connector: &Connector, connect: &Connect) -> Result<(Self, ConnAck), Failure> {
        let (reader, writer) = split(connector.connect().await?);
        let mut connection = Self {
            reader,
            writer,
            came: BytesMut::new(),
            out: BytesMut::new(),
            unflushed: false,
            version: connect.version,
            max_packet: connect.max_packet,
            wrote: Instant::now(),
            pinged: None,
            keep_alive: None,
        };
        connect.put(&mut connection.out);
        let ack = match timeout(connector.timeout(), connection.consent()).await {
            Ok(ack) => ack?,
            Err(_) => return Err(verdict::late("no answer to CONNECT within the timeout")),
        };
        if ack.reason != 0 {
            return Err(verdict::of_connack(ack.reason));
        }
        let seconds = ack.keep_alive.unwrap_or(connect.keep_alive);
        connection.keep_alive = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        Ok((connection, ack))
    }

    async fn consent(&mut self) -> Result<ConnAck, Failure> {
        loop {
            match self.next().map_err(verdict::malformed)? {
                Some(Incoming::ConnAck(ack)) => return Ok(ack),
                Some(Incoming::Disconnect { reason }) => return Err(verdict::of_disconnect(reason, false)),
                Some(_) => return Err(verdict::unexpected()),
                None => self.turn().await.map_err(verdict::broken)?,
            }
        }
    }

    /// The next packet that was received. Answers to pings are handled here.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, Malformed> {
        loop {
            match packet::next(&mut self.came, self.max_packet, self.version)? {
                Some(Incoming::PingResp) => self.pinged = None,
                other => return Ok(other),
            }
        }
    }

    /// Reads or writes, whichever is possible first. This is cancel safe.
    pub(crate) async fn turn(&mut self) -> io::Result<()> {
        let Self { reader, writer, came, out, unflushed, wrote, .. } = self;
        let writes = !out.is_empty() || *unflushed;
        came.reserve(ROOM);
        tokio::select! {
            read = reader.read_buf(came) => match read? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(()),
            },
            written = write(writer, out, unflushed), if writes => {
                *wrote = Instant::now();
                written
            }
        }
    }

    /// The time of the next call of [`keep_alive`](Self::keep_alive).
    pub(crate) fn due(&self) -> Option<Instant> {
        let keep_alive = self.keep_alive?;
        Some(self.pinged.unwrap_or(self.wrote) + keep_alive)
    }

    /// Writes a ping if nothing else was written for a while.
    ///
    /// # Errors
    /// If the last ping was not answered.
    pub(crate) fn keep_alive(&mut self, now: Instant) -> Result<(), Failure> {
        if self.due().is_none_or(|due| due > now) {
            return Ok(());
        }
        if self.pinged.is_some() {
            return Err(verdict::late("no answer to a ping within the timeout"));
        }
        packet::put_pingreq(&mut self.out);
        self.pinged = Some(now);
        Ok(())
    }

    /// Writes everything, with pings if necessary, and reads nothing. It ends only with an error.
    pub(crate) async fn write_only(&mut self) -> io::Result<()> {
        loop {
            self.flush().await?;
            match self.keep_alive {
                Some(keep_alive) => sleep_until(self.wrote + keep_alive).await,
                None => std::future::pending().await,
            }
            // The answer is read later, so it cannot be late now.
            packet::put_pingreq(&mut self.out);
        }
    }

    /// Writes everything in the buffer.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() || self.unflushed {
            write(&mut self.writer, &mut self.out, &mut self.unflushed).await?;
            self.wrote = Instant::now();
        }
        Ok(())
    }

    /// Sends a DISCONNECT, and waits until the broker closes the connection.
    pub(crate) async fn end(mut self) -> io::Result<()> {
        packet::put_disconnect(&mut self.out);
        self.flush().await?;
        self.writer.shutdown().await?;
        // Closing a socket with unread data would reset the connection, and the broker could lose what it has not read
        // yet.
        while self.reader.read_buf(&mut self.came).await? > 0 {
            self.came.clear();
        }
        Ok(())
    }
}

async fn write(writer: &mut WriteHalf<Box<dyn Stream>>, out: &mut BytesMut, unflushed: &mut bool) -> io::Result<()> {
    if !out.is_empty() {
        let written = writer.write(out).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        out.advance(written);
        *unflushed = true;
    }
    if out.is_empty() {
        writer.flush().await?;
        *unflushed = false;
    }
    Ok(())
}
