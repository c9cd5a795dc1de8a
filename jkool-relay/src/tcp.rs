//! Lines over TCP, as `TcpTransport` and JESL's socket sink write them.

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

/// More connections at once are not served.
const MAX_CONNECTIONS: usize = 1024;
/// How much is read at a time, and how many pieces wait.
const PIECE: usize = 64 << 10;
const WAITING: usize = 16;
/// How long to wait when no connection can be taken, such as for want of file descriptors.
const REST: Duration = Duration::from_millis(100);

/// Listens for connections that write entities as JSON, each on a line.
///
/// There are no answers: a sender never knows what was delivered, and what is under way when the relay is killed is lost. While the
/// relay is at its limits, connections are not read, so that senders wait. Senders are not asked who they are: listen where only those
/// can connect that may.
pub struct TcpSource {
    name: String,
    address: SocketAddr,
    records: mpsc::Receiver<Vec<Record>>,
    is_paused: bool,
    /// Ends the reading, and the tasks.
    stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl TcpSource {
    /// Listens at an address; port 0 is one that is free.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, SourceError> {
        let failed = |error| SourceError::new(format!("tcp://{address} can't be listened at")).with_source(error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ((to, records), (stop, stopped), mut tasks) =
            (mpsc::channel(WAITING), watch::channel(false), JoinSet::new());
        // It ends when the source is dropped or stopped.
        tasks.spawn(accept(listener, to, stopped));
        Ok(Self { name: format!("tcp {address}"), address, records, is_paused: false, stop, _tasks: tasks })
    }

    /// Where it listens.
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
        // What was read can't be read again.
        self.is_paused = false;
        self.stop.send_replace(true);
    }

    /// There is nobody to be told.
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

/// Takes connections, each on a task of its own.
async fn accept(listener: TcpListener, to: mpsc::Sender<Vec<Record>>, mut stopped: watch::Receiver<bool>) {
    let (mut connections, to, mut number) = (JoinSet::new(), Arc::new(to), 0);
    loop {
        let taken = tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => taken,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match taken {
            Ok((stream, _)) => {
                number += 1;
                connections.spawn(read(stream, number, Arc::clone(&to), stopped.clone()));
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
    // What they have read goes on its way.
    while connections.join_next().await.is_some() {}
}

/// What a sender has written is on its way when the stop comes: connections are read for so long after it.
const LAST_LOOK: Duration = Duration::from_millis(200);

async fn after(mut stopped: watch::Receiver<bool>) {
    // The other end stays as long as the tasks do.
    drop(stopped.wait_for(|stopped| *stopped).await);
    tokio::time::sleep(LAST_LOOK).await;
}

/// Reads lines until the connection ends, or for a moment after the stop. Then the line that is open is given too: it may be whole.
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
        // Nobody takes them any more when that fails.
        if (!records.is_empty() && to.send(records).await.is_err()) || read == 0 {
            return;
        }
    }
}
