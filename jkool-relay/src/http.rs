//! A source that receives HTTP requests, in the format that a collector accepts.

mod answers;
mod body;
mod builder;
mod intake;
mod session;

use crate::connections::Listener;
use crate::source::{Next, Position, Record, Source, SourceError};
use crate::tls::Stream;
use answers::Answers;
use async_trait::async_trait;
pub use builder::HttpSourceBuilder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use intake::Intake;
use jkool_intake::NoResponseStream;
use jkool_intake::tokens::Tokens;
use session::Session;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
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
/// JESL's handshake is supported: a request whose body is an `<access-request>` with a token is answered, and the connection needs no token
/// from then on. A client that reads no responses (`Pragma: no-response`) gets none: while the limits are reached, its connection is not read.
/// When the relay stops, such a connection is read until nothing has arrived for 200 ms, for [`drain_timeout`](crate::RelayBuilder::drain_timeout)
/// at most. What the client sends later is lost, and it is not told.
///
/// A request with an `Origin` header, which browsers send and other programs do not, is refused.
///
/// ```no_run
/// # use jkool_relay::HttpSource;
/// # async fn source() -> Result<(), jkool_relay::SourceError> {
/// let source = HttpSource::builder().token("canary-0f").bind(([127, 0, 0, 1], 6580).into()).await?;
/// # Ok(())
/// # }
/// ```
pub struct HttpSource {
    name: String,
    address: SocketAddr,
    records: mpsc::Receiver<Vec<Record>>,
    /// A stop drops it. The records end when the connections have dropped theirs, too: those whose clients read no responses after
    /// they are drained, the others at once.
    to: Option<mpsc::Sender<Vec<Record>>>,
    answers: Arc<Answers>,
    is_paused: bool,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl HttpSource {
    /// Returns a builder for a source.
    pub fn builder() -> HttpSourceBuilder {
        HttpSourceBuilder::default()
    }

    fn listen(listener: Listener, tokens: Tokens) -> Self {
        let address = listener.address();
        let ((to, records), (stop, stopped)) = (mpsc::channel(WAITING), watch::channel(false));
        let answers = Arc::<Answers>::default();
        let intake = Arc::new(Intake::new(to.downgrade(), Arc::clone(&answers), tokens));
        let mut tasks = JoinSet::new();
        let serve = {
            let stopped = stopped.clone();
            move |stream, _| serve(stream, Arc::clone(&intake), stopped.clone())
        };
        tasks.spawn(listener.accept(stopped, serve));
        let (name, to) = (format!("http {address}"), Some(to));
        Self { name, address, records, to, answers, is_paused: false, stop, tasks }
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

async fn serve(stream: Box<dyn Stream>, intake: Arc<Intake>, mut stopped: watch::Receiver<bool>) {
    let (session, mut to) = (Arc::new(Session::default()), intake.sender());
    let requests = session.requests.clone();
    let stream = NoResponseStream::new(stream, session.requests.clone());
    let answer = service_fn(move |request| {
        let (intake, session) = (Arc::clone(&intake), Arc::clone(&session));
        async move { Ok::<_, Infallible>(intake.answer(request, &session).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // Each response is flushed by itself, on which `NoResponseStream` relies.
    server.pipeline_flush(false).timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 << 10);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answer));
    // A connection that ends with an error concerns only its client.
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    let last = poll_fn(|cx| {
        if !requests.drain() {
            connection.as_mut().graceful_shutdown();
            to = None;
        }
        connection.as_mut().poll(cx)
    });
    drop(last.await);
}
