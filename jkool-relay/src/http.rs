//! Requests over HTTP, as a collector takes them.

mod answers;
mod body;
mod intake;

use crate::source::{Next, Position, Record, Source, SourceError};
use answers::Answers;
use async_trait::async_trait;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use intake::Intake;
use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// More connections at once wait.
const MAX_CONNECTIONS: usize = 1024;
/// How many requests' records wait.
const WAITING: usize = 16;
/// How long a connection may take for the head of its next request.
const IDLE: Duration = Duration::from_secs(75);
/// How long to wait when no connection can be taken, such as for want of file descriptors.
const REST: Duration = Duration::from_millis(100);
/// How long the last answers may take.
const LAST: Duration = Duration::from_secs(1);

/// Listens for requests that bring entities as JSON, as `HttpTransport` and the clients of the service send them: `POST /event` and the
/// like, alone or below `/JESL`, one entity or many, with gzip or without.
///
/// The answer comes when what the request brought is settled, and so says 2xx only of what is delivered, durable in the spool, or a dead
/// letter that has arrived. While enough is under way a request waits for 5 seconds and is answered 503 with `Retry-After`; so is one
/// whose events are not settled after 20 seconds, which may be delivered all the same. Who gets no answer has to send again: what is
/// under way when the relay is killed is not kept. Answers are as frequent as commits, so set a short
/// [`commit_interval`](crate::RelayBuilder::commit_interval).
///
/// It speaks no TLS. A request that names an `Origin`, which browsers add and programs don't, is refused.
pub struct HttpSource {
    name: String,
    address: SocketAddr,
    records: mpsc::Receiver<Vec<Record>>,
    /// The only one that stays: requests borrow it. It goes with the stop, and then the records end.
    to: Option<mpsc::Sender<Vec<Record>>>,
    answers: Arc<Answers>,
    is_paused: bool,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl HttpSource {
    /// Listens at an address; port 0 is one that is free. With a token, requests have to bring it as `X-API-Key`, `token` or
    /// `Authorization: Bearer`.
    ///
    /// # Errors
    /// When the address can't be had, or the token is empty.
    pub async fn bind(address: SocketAddr, token: Option<&str>) -> Result<Self, SourceError> {
        if token.is_some_and(str::is_empty) {
            return Err(SourceError::new("the token is empty"));
        }
        let failed = |error| SourceError::new(format!("http://{address} can't be listened at")).with_source(error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ((to, records), (stop, stopped)) = (mpsc::channel(WAITING), watch::channel(false));
        let answers = Arc::<Answers>::default();
        let intake = Intake::new(to.downgrade(), Arc::clone(&answers), token);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::new(intake), stopped));
        Ok(Self {
            name: format!("http {address}"),
            address,
            records,
            to: Some(to),
            answers,
            is_paused: false,
            stop,
            tasks,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[async_trait]
impl Source for HttpSource {
    fn name(&self) -> &str {
        &self.name
    }

    /// Its senders may repeat, but a request that comes again has another place.
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
        self.is_paused = false;
        self.to = None;
        self.stop.send_replace(true);
    }

    /// Has the requests answered that are settled.
    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        self.answers.settled(positions);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.stop();
        self.answers.give_up();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Who reads no answer is waited for no longer.
        drop(tokio::time::timeout(LAST, ended).await);
        Ok(())
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Takes connections, each on a task of its own, until the stop; then waits for their last answers.
async fn accept(listener: TcpListener, intake: Arc<Intake>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => taken,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match taken {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&intake), stopped.clone()));
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, intake: Arc<Intake>, mut stopped: watch::Receiver<bool>) {
    let answer = service_fn(move |request| {
        let intake = Arc::clone(&intake);
        async move { Ok::<_, Infallible>(intake.answer(request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 << 10);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answer));
    // It is its client's business how a connection ends.
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}
