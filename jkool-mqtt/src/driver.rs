//! The delivery task: the only one that connects, reads and writes, around the session.

use crate::connection::Connection;
use crate::packet::{ConnAck, Connect, Incoming};
use crate::session::{Message, Session};
use crate::verdict;
use jkool_transport::{Connector, Failure};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// The delays between attempts to connect while messages are in doubt. Other messages wait for the client's retry.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A time for a timer that is not needed yet.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// The timeout for closing a connection.
const FAREWELL: Duration = Duration::from_secs(2);

pub(crate) struct Driver {
    pub(crate) connector: Arc<Connector>,
    pub(crate) connect: Arc<Connect>,
    /// The messages from [`send`](jkool_transport::Transport::send), until the transport is closed or dropped.
    pub(crate) units: mpsc::Receiver<Vec<Message>>,
    pub(crate) session: Session,
}

/// How a connection ended.
enum End {
    /// Nothing is left to do, and the transport is closed.
    Done,
    Broken(Failure),
    /// All its messages have already failed.
    GivenUp,
}

impl Driver {
    /// Delivers until the transport is closed or dropped and every message has its outcome.
    pub(crate) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            if self.session.is_empty() {
                match self.units.recv().await {
                    Some(unit) => self.session.push(unit),
                    None => return,
                }
            }
            match Connection::open(&self.connector, &self.connect).await {
                Ok((connection, ack)) if ack.max_qos > 0 => {
                    pause = FIRST_PAUSE;
                    match self.serve(connection, &ack).await {
                        End::Done => return,
                        End::Broken(failure) => self.session.broken(failure),
                        End::GivenUp => {}
                    }
                }
                Ok(_) => self.refused(&verdict::no_qos_1()),
                Err(failure) => {
                    self.refused(&failure);
                    if !self.session.is_empty() && !self.session.give_up(Instant::now()) {
                        sleep(pause.mul_f32(0.75 + fastrand::f32() / 2.0)).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        }
    }

    fn refused(&mut self, failure: &Failure) {
        // Messages that arrived in the meantime would fail in the same way.
        while let Ok(unit) = self.units.try_recv() {
            self.session.push(unit);
        }
        self.session.refused(failure);
    }

    async fn serve(&mut self, mut connection: Connection, ack: &ConnAck) -> End {
        self.session.connected(ack);
        let mut timer = pin!(sleep(FAR));
        let mut is_closed = false;
        loop {
            let now = Instant::now();
            if self.session.give_up(now) {
                return End::GivenUp;
            }
            if let Err(failure) = connection.keep_alive(now) {
                return End::Broken(failure);
            }
            self.session.write(&mut connection.out, now);
            if is_closed && self.session.is_empty() {
                // All messages are acknowledged, so an error can be ignored.
                drop(tokio::time::timeout(FAREWELL, connection.end()).await);
                return End::Done;
            }
            let due = [self.session.deadline(), connection.due()].into_iter().flatten().min();
            // If the timer fires too early, it is set again.
            if let Some(due) = due.filter(|due| *due < timer.deadline()) {
                timer.set(sleep_until(due));
            }
            tokio::select! {
                turn = connection.turn() => {
                    if let Err(error) = turn {
                        return End::Broken(verdict::broken(error));
                    }
                    if let Err(failure) = self.take(&mut connection) {
                        return End::Broken(failure);
                    }
                }
                unit = self.units.recv(), if !is_closed && !self.session.is_full() => match unit {
                    Some(unit) => self.session.push(unit),
                    None => is_closed = true,
                },
                () = &mut timer => timer.set(sleep(FAR)),
            }
        }
    }

    /// Handles the packets that were received.
    fn take(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        while let Some(packet) = connection.next().map_err(verdict::malformed)? {
            match packet {
                Incoming::PubAck { id, reason } => self.session.acknowledged(id, reason),
                Incoming::Disconnect { reason } => {
                    return Err(verdict::of_disconnect(reason, self.session.is_alone()));
                }
                _ => return Err(verdict::unexpected()),
            }
        }
        Ok(())
    }
}
