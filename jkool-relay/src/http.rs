//! A source that receives HTTP requests, in the format that a collector accepts.

mod answers;
mod body;
mod intake;

use crate::connections::accept;
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

/// The maximum number of requests whose records wait to be taken.
const WAITING: usize = 16;
/// How long a connection may take for the head of its next request.
const IDLE: Duration = Duration::from_secs(75);
/// How long the last answers may take.
const LAST: Duration = Duration::from_secs(1);

/// A source that receives entities as JSON in HTTP requests, as `HttpTransport` and the clients of the service send them.
///
/// It accepts `POST /event` and the other paths of the service, also below `/JESL`, with one or more entities, with or without gzip.
///
/// A request is answered when all its records are settled. So a 2xx answer means that each of them is delivered, durable in the spool, or
/// a dead letter that was delivered. While the limits of records in flight are reached, a request waits for 5 seconds and is then answered
/// 503 with `Retry-After`. A request whose records are not settled after 20 seconds is also answered 503; its records may be delivered all
/// the same. A client that gets no answer must send the request again, because records in flight are lost when the relay is killed.
/// Answers are sent at commits, so set a short [`commit_interval`](crate::RelayBuilder::commit_interval).
///
/// TLS is not supported. A request with an `Origin` header, which browsers send and other programs do not, is refused.
pub struct HttpSource {
    name: String,
    address: SocketAddr,
    records: mpsc::Receiver<Vec<Record>>,
    /// The only sender that is kept; requests borrow it. A stop drops it, which ends the records.
    to: Option<mpsc::Sender<Vec<Record>>>,
    answers: Arc<Answers>,
    is_paused: bool,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl HttpSource {
    /// Listens on `address`; port 0 selects a free port. If a token is given, requests must send it as `X-API-Key`, `token` or
    /// `Authorization: Bearer`.
    ///
    /// # Errors
    /// Returns an error if it cannot listen on the address, or if the token is empty.
    pub async fn bind(address: SocketAddr, token: Option<&str>) -> Result<Self, SourceError> {
        if token.is_some_and(str::is_empty) {
            return Err(SourceError::new("the token is empty"));
        }
        let failed = |error| SourceError::new(format!("can't listen on http://{address}")).with_source(error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let ((to, records), (stop, stopped)) = (mpsc::channel(WAITING), watch::channel(false));
        let answers = Arc::<Answers>::default();
        let intake = Arc::new(Intake::new(to.downgrade(), Arc::clone(&answers), token));
        let mut tasks = JoinSet::new();
        let serve = {
            let stopped = stopped.clone();
            move |stream| serve(stream, Arc::clone(&intake), stopped.clone())
        };
        tasks.spawn(accept(listener, stopped, serve));
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

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[async_trait]
impl Source for HttpSource {
    fn name(&self) -> &str {
        &self.name
    }

    /// Senders may repeat a request, but its records then have other positions.
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

    /// Answers the requests whose records are settled.
    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        self.answers.settled(positions);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.stop();
        self.answers.give_up();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Do not wait longer for clients that do not read their answer.
        drop(tokio::time::timeout(LAST, ended).await);
        Ok(())
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn serve(stream: TcpStream, intake: Arc<Intake>, mut stopped: watch::Receiver<bool>) {
    let answer = service_fn(move |request| {
        let intake = Arc::clone(&intake);
        async move { Ok::<_, Infallible>(intake.answer(request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 << 10);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answer));
    // A connection that ends with an error concerns only its client.
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}
