//! A connection to the broker: bytes in and out, and the packets in them.

use crate::MqttVersion;
use crate::packet::{self, ConnAck, Connect, Incoming, Malformed};
use crate::verdict;
use bytes::{Buf as _, BytesMut};
use jkool_transport::{Connector, Failure, Stream};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};

/// Room for what comes, which grows for a packet that is larger.
const ROOM: usize = 4 << 10;

pub(crate) struct Connection {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    came: BytesMut,
    /// Packets that are to be written.
    pub(crate) out: BytesMut,
    /// Something was written that may not be on its way yet.
    unflushed: bool,
    version: MqttVersion,
    max_packet: usize,
    wrote: Instant,
    /// Since when a PINGREQ has no answer.
    pinged: Option<Instant>,
    keep_alive: Option<Duration>,
}

impl Connection {
    /// Connects, and waits for the broker's consent.
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
            Err(_) => return Err(verdict::late("the broker has not answered a CONNECT within the time-out")),
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

    /// The next packet of those that have come. The answer to a ping is not told.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, Malformed> {
        loop {
            match packet::next(&mut self.came, self.max_packet, self.version)? {
                Some(Incoming::PingResp) => self.pinged = None,
                other => return Ok(other),
            }
        }
    }

    /// Reads or writes, whichever can be done first. When it is dropped, nothing is lost.
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

    /// When [`keep_alive`](Self::keep_alive) has to be called next.
    pub(crate) fn due(&self) -> Option<Instant> {
        let keep_alive = self.keep_alive?;
        Some(self.pinged.unwrap_or(self.wrote) + keep_alive)
    }

    /// Writes a ping when nothing else was written for a while.
    ///
    /// # Errors
    /// When the last ping has no answer.
    pub(crate) fn keep_alive(&mut self, now: Instant) -> Result<(), Failure> {
        if self.due().is_none_or(|due| due > now) {
            return Ok(());
        }
        if self.pinged.is_some() {
            return Err(verdict::late("the broker has not answered a ping"));
        }
        packet::put_pingreq(&mut self.out);
        self.pinged = Some(now);
        Ok(())
    }

    /// Writes what there is to write, with a ping now and then, and reads nothing. It never ends but by an error.
    pub(crate) async fn write_only(&mut self) -> io::Result<()> {
        loop {
            self.flush().await?;
            match self.keep_alive {
                Some(keep_alive) => sleep_until(self.wrote + keep_alive).await,
                None => std::future::pending().await,
            }
            // Its answer is read later, and so not missed now.
            packet::put_pingreq(&mut self.out);
        }
    }

    /// Writes what there is to write.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() || self.unflushed {
            write(&mut self.writer, &mut self.out, &mut self.unflushed).await?;
            self.wrote = Instant::now();
        }
        Ok(())
    }

    /// Says good-bye, and waits until the broker has ended the connection.
    pub(crate) async fn end(mut self) -> io::Result<()> {
        packet::put_disconnect(&mut self.out);
        self.flush().await?;
        self.writer.shutdown().await?;
        // With something unread the system would reset the connection, and the broker lose what it has not read yet.
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
