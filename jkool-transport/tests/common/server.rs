//! A server that reads HTTP/1.1 requests, remembers them, and answers by a script: also as no server should.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, oneshot};
use tokio::task::JoinSet;

/// What the server does with the next request that it has read.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with a status and no body, and keeps the connection.
    Status(u16),
    /// The same with more header lines, each ended by `\r\n`.
    Headers(u16, String),
    /// The same with a body.
    Body(u16, Vec<u8>),
    /// Answers with a status, and in the body and a header with the request's head.
    Echo(u16),
    /// Answers with these very bytes and keeps the connection.
    Raw(Vec<u8>),
    /// Answers with these very bytes and closes the connection.
    RawThenClose(Vec<u8>),
    /// Answers 200 and sends a body without end, as long as it is read.
    Endless,
    /// Closes without a word.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing more and keeps the connection until the other side closes it.
    Stall,
    /// Answers with these very bytes as soon as the head of a request is there, and reads on without an end.
    Early(Vec<u8>),
    /// Closes, or resets, the connection when half of a request's body is read.
    Half { reset: bool },
    /// Begins an answer, and goes on one byte at a time without an end.
    Drip,
    /// Answers as this says.
    By(fn(&Request) -> Reply),
    /// Answers 202 when as many requests wait as the barrier wants.
    Together(Arc<Barrier>),
    /// Answers 200 to CONNECT and passes all bytes on, both ways.
    Tunnel(SocketAddr),
}

/// A request as it was read.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which connection it came by, from 0.
    pub connection: usize,
    /// When all of it was there.
    pub at: Instant,
    /// What the server does with it.
    pub reply: Reply,
}

impl Request {
    /// The value of a header; panics when there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        first
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a body of text")
    }
}

struct State {
    script: VecDeque<Reply>,
    /// What the script does not say.
    otherwise: Reply,
    requests: Vec<Request>,
    connections: usize,
    /// How many of them have ended.
    ended: usize,
    /// How many bytes of HTTP were read, after decryption.
    bytes: usize,
}

impl Default for State {
    fn default() -> Self {
        let (script, requests, otherwise) = (VecDeque::new(), Vec::new(), Reply::Status(202));
        Self { script, otherwise, requests, connections: 0, ended: 0, bytes: 0 }
    }
}

/// Listens on a port of its own, on a thread of its own, until it is dropped.
pub struct Server {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Plain HTTP. What the script does not say is answered 202.
    pub fn start() -> Self {
        Self::with(|stream| async move { Ok(stream) })
    }

    /// Each connection goes through `wrap` first: the place for TLS. Where that fails there is no HTTP.
    pub fn with<W, F, S>(wrap: W) -> Self
    where
        W: Fn(TcpStream) -> F + Send + Clone + 'static,
        F: Future<Output = io::Result<S>> + Send,
        S: Socket,
    {
        Self::over(std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"), wrap)
    }

    /// The same for a listener that is there already.
    pub fn over<W, F, S>(listener: std::net::TcpListener, wrap: W) -> Self
    where
        W: Fn(TcpStream) -> F + Send + Clone + 'static,
        F: Future<Output = io::Result<S>> + Send,
        S: Socket,
    {
        listener.set_nonblocking(true).expect("a listener for tokio");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::<Mutex<State>>::default();
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, shared, wrap) => {}
                }
            });
        });
        Self { addr, state, stop: Some(stop), thread: Some(thread) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().script.extend(replies);
    }

    /// From now on what the script does not say is answered like this.
    pub fn otherwise(&self, reply: Reply) {
        self.state().otherwise = reply;
    }

    /// Ends, with all its connections.
    pub fn stop(self) -> Vec<Request> {
        let state = Arc::clone(&self.state);
        drop(self);
        let state = state.lock().expect("the server's state");
        state.requests.clone()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Waits until this many connections have ended, on whichever side, and the runtime knows of it.
    pub async fn ended(&self, count: usize) {
        let ended = async {
            while self.state().ended < count {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        };
        tokio::time::timeout(Duration::from_secs(120), ended).await.expect("the connections end");
    }

    pub fn bytes(&self) -> usize {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the server's state")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

/// A connection, plain or not.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

async fn accept<W, F, S>(listener: std::net::TcpListener, state: Arc<Mutex<State>>, wrap: W)
where
    W: Fn(TcpStream) -> F + Send + Clone + 'static,
    F: Future<Output = io::Result<S>> + Send,
    S: Socket,
{
    let listener = TcpListener::from_std(listener).expect("a listener");
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let number = {
            let mut state = state.lock().expect("the server's state");
            state.connections += 1;
            state.connections - 1
        };
        let (state, wrap) = (Arc::clone(&state), wrap.clone());
        connections.spawn(async move {
            if let Ok(socket) = wrap(stream).await {
                // An error is the other side's going away.
                serve(socket, number, Arc::clone(&state)).await.ok();
            }
            state.lock().expect("the server's state").ended += 1;
        });
    }
}

async fn serve<S: Socket>(mut socket: S, connection: usize, state: Arc<Mutex<State>>) -> io::Result<()> {
    let mut unread = Vec::new();
    loop {
        let Some(mut request) = read(&mut socket, &mut unread, connection, &state).await? else { return Ok(()) };
        let reply = {
            let mut state = state.lock().expect("the server's state");
            let reply = state.script.pop_front().unwrap_or_else(|| state.otherwise.clone());
            request.reply = match reply {
                Reply::By(decide) => decide(&request),
                reply => reply,
            };
            state.requests.push(request.clone());
            request.reply.clone()
        };
        match reply {
            Reply::Status(status) => socket.write_all(&answer(status, "", b"")).await?,
            Reply::Headers(status, lines) => socket.write_all(&answer(status, &lines, b"")).await?,
            Reply::Body(status, body) => socket.write_all(&answer(status, "", &body)).await?,
            Reply::Echo(status) => {
                let head: String =
                    request.headers.iter().map(|(name, value)| format!("X-{name}: {value}\r\n")).collect();
                socket.write_all(&answer(status, &head, head.as_bytes())).await?;
            }
            Reply::Raw(bytes) => socket.write_all(&bytes).await?,
            Reply::RawThenClose(bytes) => {
                socket.write_all(&bytes).await?;
                return socket.shutdown().await;
            }
            Reply::Endless => {
                socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
                loop {
                    socket.write_all(b"4\r\nmore\r\n").await?;
                }
            }
            Reply::Close => return socket.shutdown().await,
            Reply::Reset => return socket.tcp().set_zero_linger(),
            Reply::Early(bytes) => {
                socket.write_all(&bytes).await?;
                while fill(&mut socket, &mut unread, &state).await? > 0 {
                    unread.clear();
                }
                return Ok(());
            }
            Reply::Stall => {
                while socket.read(&mut [0; 1024]).await? > 0 {}
                return Ok(());
            }
            Reply::Together(barrier) => {
                barrier.wait().await;
                socket.write_all(&answer(202, "", b"")).await?;
            }
            Reply::Half { reset } => {
                return if reset { socket.tcp().set_zero_linger() } else { socket.shutdown().await };
            }
            Reply::Drip => {
                socket.write_all(b"HTTP/1.1 202 Accepted\r\nX: ").await?;
                loop {
                    socket.write_all(b"x").await?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Reply::By(_) => unreachable!("it has decided"),
            Reply::Tunnel(to) => {
                let mut other = TcpStream::connect(to).await?;
                socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                tokio::io::copy_bidirectional(&mut socket, &mut other).await?;
                return Ok(());
            }
        }
    }
}

/// An answer as it should be.
pub fn answer(status: u16, lines: &str, body: &[u8]) -> Vec<u8> {
    // These have no body by definition, and so no length.
    let length = match status {
        204 | 304 => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\n{length}{lines}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// One request; none when the other side has closed between two.
async fn read<S: Socket>(
    socket: &mut S,
    unread: &mut Vec<u8>,
    connection: usize,
    state: &Mutex<State>,
) -> io::Result<Option<Request>> {
    let head_end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if fill(socket, unread, state).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(unread.drain(..head_end).collect()).expect("a head of text");
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next().expect("a request line").split(' ');
    let mut word = || first.next().expect("three words in the request line").to_owned();
    let (method, target, version) = (word(), word(), word());
    // A client may answer in kind to a server of HTTP/1.0.
    assert!(matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.0"), "{version}");
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (body, reply) = (Vec::new(), Reply::Stall);
    let mut request = Request { method, target, headers, body, connection, at: now(), reply };
    let mut length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    match state.lock().expect("the server's state").script.front() {
        Some(Reply::Early(_)) => return Ok(Some(request)),
        Some(Reply::Half { .. }) => length /= 2,
        _ => {}
    }
    while unread.len() < length {
        if fill(socket, unread, state).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    request.body = unread.drain(..length).collect();
    request.at = now();
    Ok(Some(request))
}

#[allow(clippy::disallowed_methods, reason = "a test's server looks at the clock that there is")]
fn now() -> Instant {
    Instant::now()
}

async fn fill<S: Socket>(socket: &mut S, unread: &mut Vec<u8>, state: &Mutex<State>) -> io::Result<usize> {
    let count = socket.read_buf(unread).await?;
    state.lock().expect("the server's state").bytes += count;
    Ok(count)
}
