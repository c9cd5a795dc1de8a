//! A client that sends exactly the bytes it is told to.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use jkool_collector::{Collector, Filter};
use jkool_model::{Entity, Timestamp};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

/// A test that waits longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub struct Connection(BufReader<TcpStream>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    /// Open, with little room for what it has not read.
    pub fn open_narrow(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4 << 10).unwrap();
            socket.connect(address).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        Self::new(stream)
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// As `send`, but it may be that nobody takes all of it.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    pub fn send_no_more(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// `None` when the connection is closed instead.
    pub fn try_answer(&mut self) -> Option<Answer> {
        let mut answer = self.head()?;
        self.body(&mut answer);
        Some(answer)
    }

    /// An answer without its body.
    pub fn head(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if !self.0.read_line(&mut line).is_ok_and(|read| read > 0) {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, headers: Vec::new(), body: String::new() };
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if status == 100 { self.head() } else { Some(answer) }
    }

    /// The body that follows: of a known length, or all until the end, as it comes.
    pub fn body(&mut self, answer: &mut Answer) {
        match answer.header("content-length").map(|length| length.parse().unwrap()) {
            Some(length) => {
                let mut body = vec![0; length];
                self.0.read_exact(&mut body).unwrap();
                answer.body = String::from_utf8(body).unwrap();
            }
            None => drop(self.0.read_to_string(&mut answer.body).unwrap()),
        }
    }

    /// The next line of a body.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "it ended");
        line
    }

    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes);
        self.answer()
    }

    /// Waits until the other side has closed.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(0) => true,
            Ok(_) => false,
            // Anything but our own time-out.
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request's bytes, with a Host and a length.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    let mut request = request.into_bytes();
    request.extend_from_slice(body);
    request
}

pub fn post(path: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    request("POST", path, &[], body)
}

/// Asks on a connection of its own.
pub fn ask(collector: &Collector, request: impl AsRef<[u8]>) -> Answer {
    Connection::open(collector.address()).ask(request)
}

/// A collector on a free port, in memory.
pub fn collector() -> Collector {
    Collector::builder().listen("127.0.0.1:0").start().unwrap()
}

pub fn event(operation: &str) -> String {
    format!(r#"{{"operation":"{operation}"}}"#)
}

/// What is stored, the youngest first.
pub fn stored(collector: &Collector) -> Vec<Entity> {
    let now = Timestamp::MAX;
    let found = collector.store().read_now(|reader| reader.find(&Filter::default(), 100_000, None, now)).unwrap();
    found.into_iter().map(|stored| stored.entity).collect()
}

/// The operations of the events that are stored, in the order of the alphabet.
pub fn operations(collector: &Collector) -> Vec<String> {
    let name = |entity: &Entity| match entity {
        Entity::Event(event) => event.operation.to_string(),
        Entity::Activity(activity) => format!("activity {}", activity.operation),
        Entity::Snapshot(snapshot) => format!("snapshot {}", snapshot.name),
        other => panic!("{other:?}"),
    };
    let mut names: Vec<String> = stored(collector).iter().map(name).collect();
    names.sort();
    names
}

/// Looks until it is so.
#[expect(clippy::disallowed_methods, reason = "a deadline, so that a fault ends the test")]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
