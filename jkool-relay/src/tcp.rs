//! A source that receives lines over TCP, as `TcpTransport` and JESL's socket sink write them.

use crate::connections::accept;
use crate::lines::Lines;
use crate::source::{Next, Position, Record, Source, SourceError};
use async_trait::async_trait;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How much is read at a time, and how many pieces wait.
const PIECE: usize = 64 << 10;
const WAITING: usize = 16;

/// A source that accepts TCP connections on which each line is an entity as JSON.
///
/// There are no answers: a sender does not know what was delivered, and records in flight are lost when the relay is killed. While the
/// limits of records in flight are reached, connections are not read, so senders wait. Senders are not authenticated: listen only on an
/// address that only trusted programs can connect to.
pub struct TcpSource {
    name: String,
    address: SocketAddr,
    records: mpsc::Receiver<Vec<Record>>,
    is_paused: bool,
    /// Stops reading and ends the tasks.
    stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl TcpSource {
    /// Listens on `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// Returns an error if it cannot listen on the address.
    pub async fn bind(address: SocketAddr) -> Result<Self, SourceError> {
        let failed = |error| SourceError::new(format!("can't listen on tcp://{address}")).with_source(error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ((to, records), (stop, stopped), mut tasks) =
            (mpsc::channel(WAITING), watch::channel(false), JoinSet::new());
        let serve = {
            // The records end when the task and the connections that it serves have ended.
            let (to, stopped, mut number) = (Arc::new(to), stopped.clone(), 0);
            move |stream| {
                number += 1;
                read(stream, number, Arc::clone(&to), stopped.clone())
            }
        };
        // The task ends when the source is dropped or stopped.
        tasks.spawn(accept(listener, stopped, serve));
        Ok(Self { name: format!("tcp {address}"), address, records, is_paused: false, stop, _tasks: tasks })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[async_trait]
impl Source for TcpSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeats(&self) -> bool {
        false
    }

    async fn next(&mut self) -> Result<Next, SourceError> {
        if self.is_paused {
            std::future::pending::<()>().await;
        }
        Ok(self.records.recv().await.map_or(Next::End, Next::Records))
    }

    fn pause(&mut self) {
        self.is_paused = true;
    }

    fn resume(&mut self) {
        self.is_paused = false;
    }

    fn stop(&mut self) {
        // Lines cannot be read from a connection again.
        self.is_paused = false;
        self.stop.send_replace(true);
    }

    /// Does nothing, because senders get no answers.
    async fn commit(&mut self, _: &[Position]) -> Result<(), SourceError> {
        Ok(())
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.stop();
        Ok(())
    }
}

impl fmt::Debug for TcpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpSource").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How long connections are read after the stop, so that bytes that a sender has already written still arrive.
const LAST_LOOK: Duration = Duration::from_millis(200);

async fn after(mut stopped: watch::Receiver<bool>) {
    // The receiver exists as long as the tasks do.
    drop(stopped.wait_for(|stopped| *stopped).await);
    tokio::time::sleep(LAST_LOOK).await;
}

/// Reads lines until the connection ends, or for a short time after the stop. Then a last line without a line break is returned too,
/// because it may be complete.
async fn read(
    mut stream: TcpStream,
    partition: u64,
    to: Arc<mpsc::Sender<Vec<Record>>>,
    stopped: watch::Receiver<bool>,
) {
    let (mut lines, mut piece, mut over) = (Lines::default(), vec![0; PIECE], pin!(after(stopped)));
    loop {
        let read = tokio::select! {
            read = stream.read(&mut piece) => read.unwrap_or(0),
            () = &mut over => 0,
        };
        let mut found = Vec::new();
        lines.push(&piece[..read], &mut found);
        if read == 0 {
            found.extend(lines.finish());
        }
        let record = |line: crate::lines::Line| Record {
            position: Position { partition, offset: line.end },
            body: line.bytes,
            time: None,
        };
        let records: Vec<_> = found.into_iter().map(record).collect();
        // This fails only if the source was dropped.
        if (!records.is_empty() && to.send(records).await.is_err()) || read == 0 {
            return;
        }
    }
}
