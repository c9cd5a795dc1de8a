//! A client that tries again quickly, the transport's scripted server, and an oracle that knows what was emitted and
//! what the server saw of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file is a crate that uses its part of this, and a test may panic"
)]

#[path = "../../../jkool-transport/tests/common/server.rs"]
pub mod server;
#[path = "../../../jkool-transport/tests/common/tls.rs"]
pub mod tls;

use jkool_client::{Admission, Client, ClientBuilder, LossReason, RetryPolicy, Stats};
use serde_json::Value;
use server::{Reply, Request, Server};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Longer than anything takes: only a fault reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline may be passed by this much on a machine that has much to do.
pub const MARGIN: Duration = Duration::from_millis(1500);

pub const TOKEN: &str = "canary-faults-4c81";

pub fn client(url: impl Into<String>) -> ClientBuilder {
    let millis = Duration::from_millis;
    let retry = RetryPolicy::default().initial(millis(1)).max(millis(20)).probe(millis(1), millis(5));
    Client::builder()
        .url(url)
        .token(TOKEN)
        .source("APPL=faults".parse().unwrap())
        .retry(retry)
        .notices(false)
        .loss_events(false)
}

/// Delivers everything.
pub fn arrive(client: &Client) {
    let report = client.flush(PATIENCE);
    assert!(report.is_delivered(), "{report}; {}", client.stats());
}

/// Lets delivery go on until `done`.
pub fn until(client: &Client, done: impl Fn() -> bool) {
    let start = now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never comes to that: {}", client.stats());
        // This waits as long as something is pending, and does no harm.
        let _report = client.flush(Duration::from_millis(5));
    }
}

#[allow(clippy::disallowed_methods, reason = "a test measures real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// A port of this machine that is ours, whether or not a server listens there; without one, connections are refused.
#[cfg(target_os = "linux")]
pub struct Port {
    socket: tokio::net::TcpSocket,
    runtime: tokio::runtime::Runtime,
}

#[cfg(target_os = "linux")]
impl Port {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { socket: bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))), runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.socket.local_addr().unwrap())
    }

    /// A listener that lets `backlog` connections and one wait.
    pub fn listen(&self, backlog: u32) -> std::net::TcpListener {
        let _runtime = self.runtime.enter();
        let socket = bind(self.socket.local_addr().unwrap());
        socket.listen(backlog).unwrap().into_std().unwrap()
    }

    pub fn serve(&self) -> Server {
        Server::over(self.listen(1024), |stream| async move { Ok(stream) })
    }
}

/// Bound so that the next server can have the same port, and no other program gets it meanwhile.
#[cfg(target_os = "linux")]
fn bind(address: std::net::SocketAddr) -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// What an answer tells the client about the events of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A complete success.
    Taken,
    /// Surely not stored, by this status.
    Refused(u16),
    /// Who knows.
    Doubt,
}

/// Knows what was emitted, and holds the records of servers against what the client says of it.
#[derive(Default)]
pub struct Oracle {
    ids: Vec<String>,
}

/// What the servers saw.
#[derive(Debug)]
pub struct Found {
    /// The numbers of the events that were taken, by when each first was.
    pub taken: Vec<usize>,
    /// How often an event came again that may have been stored before.
    pub repeats: u64,
    /// The numbers of the events that came at all, by when each first did.
    pub seen: Vec<usize>,
}

impl Oracle {
    pub fn emit(&mut self, client: &Client, count: usize) {
        for _ in 0..count {
            self.emit_text(client, format!("message {}", self.ids.len()));
        }
    }

    pub fn emit_text(&mut self, client: &Client, text: impl Into<String>) {
        let draft = client.event("op").message(text.into());
        self.ids.push(draft.id().to_string());
        assert_eq!(draft.emit(), Admission::Accepted);
    }

    /// Emits one event after the other until `done`.
    pub fn emit_until(&mut self, client: &Client, done: impl Fn(&Stats) -> bool) {
        let start = now();
        while !done(&client.stats()) {
            assert!(start.elapsed() < PATIENCE, "it never comes to that: {}", client.stats());
            self.emit(client, 1);
            let _report = client.flush(Duration::from_millis(5));
        }
    }

    /// The message of an event as it was last received.
    pub fn message(&self, number: usize, requests: &[Request]) -> String {
        let mut lines = lines(requests).filter(|line| line.id == self.ids[number]);
        let line = lines.next_back().expect("it was received");
        let event: Value = serde_json::from_slice(line.bytes).expect("JSON");
        event["msg-text"].as_str().expect("a message").to_owned()
    }

    /// The law, and more: every event is where the client says it is; what came again came unchanged, and if it may
    /// have been stored before, then the client knows that; every request shows the token.
    pub fn check(&self, client: &Client, server: &Server) -> Found {
        let before = server.requests();
        let stats = client.stats();
        // Of what goes on meanwhile the server may know more than the client, and never less.
        let after = server.requests();
        let (before, after) = (self.look(&before), self.look(&after));
        self.hold(&stats, &before, &after);
        after
    }

    /// The same when nothing goes on any more, over the records of several servers one after the other.
    pub fn check_records(&self, client: &Client, requests: &[Request]) -> Found {
        let found = self.look(requests);
        self.hold(&client.stats(), &found, &found);
        found
    }

    /// [`check`](Self::check), and everything was taken.
    pub fn check_all_taken(&self, client: &Client, server: &Server) -> Found {
        let found = self.check(client, server);
        let stats = client.stats();
        assert_eq!((stats.delivered(), stats.in_memory()), (self.ids.len() as u64, 0), "{stats}");
        assert_eq!(found.taken.len(), self.ids.len());
        found
    }

    fn hold(&self, stats: &Stats, before: &Found, after: &Found) {
        assert_eq!(stats.accepted(), stats.delivered() + stats.in_memory() + stats.dropped_total(), "{stats}");
        assert_eq!(stats.accepted(), self.ids.len() as u64, "{stats}");
        let reasons = [LossReason::Rejected, LossReason::TooLarge, LossReason::Shutdown];
        let dropped: u64 = reasons.into_iter().map(|reason| stats.dropped(reason)).sum();
        assert_eq!(stats.dropped_total(), dropped, "for another reason: {stats}");
        assert!(before.repeats <= stats.maybe_duplicated(), "{stats:?} {before:?}");
        let taken = after.taken.len() as u64;
        assert!(stats.delivered() <= taken, "a lie: {stats} {after:?}");
        if stats.in_memory() + stats.dropped(LossReason::Shutdown) == 0 {
            assert_eq!(stats.delivered(), taken, "{stats}");
        }
    }

    /// Reads the records.
    fn look(&self, requests: &[Request]) -> Found {
        let numbers: HashMap<&str, usize> = self.ids.iter().map(String::as_str).zip(0..).collect();
        assert_eq!(numbers.len(), self.ids.len(), "an id twice");
        let mut found = Found { taken: Vec::new(), repeats: 0, seen: Vec::new() };
        let mut last: HashMap<usize, Line> = HashMap::new();
        for line in lines(requests) {
            let number = numbers[line.id];
            if line.verdict == Verdict::Taken && !found.taken.contains(&number) {
                found.taken.push(number);
            }
            match last.get(&number) {
                None => found.seen.push(number),
                // Then it may have been cut.
                Some(Line { verdict: Verdict::Refused(413), .. }) => {}
                Some(previous) => {
                    assert_eq!(previous.bytes, line.bytes, "it came again, and changed");
                    found.repeats += u64::from(!matches!(previous.verdict, Verdict::Refused(_)));
                }
            }
            last.insert(number, line);
        }
        for request in requests {
            assert_eq!((request.header("token"), request.header("x-api-key")), (Some(TOKEN), Some(TOKEN)));
            assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/event"));
        }
        found
    }

    /// The numbers of the events that a server refused for good, by this status.
    pub fn refused(&self, status: u16, requests: &[Request]) -> Vec<usize> {
        let mut last: HashMap<&str, Verdict> = HashMap::new();
        for line in lines(requests) {
            last.insert(line.id, line.verdict);
        }
        (0..self.ids.len())
            .filter(|number| last.get(self.ids[*number].as_str()) == Some(&Verdict::Refused(status)))
            .collect()
    }
}

/// An event as it was received.
struct Line<'r> {
    id: &'r str,
    bytes: &'r [u8],
    verdict: Verdict,
}

fn lines(requests: &[Request]) -> impl DoubleEndedIterator<Item = Line<'_>> {
    // Of these the server has not read the whole body.
    let complete = |request: &&Request| !matches!(request.reply, Reply::Half { .. } | Reply::Early(_));
    requests.iter().filter(complete).flat_map(|request| {
        let verdict = verdict(&request.reply);
        let text = std::str::from_utf8(&request.body).expect("text");
        text.lines().map(move |line| Line { id: id(line), bytes: line.as_bytes(), verdict })
    })
}

/// Found without reading JSON, for some are megabytes long. Inside a text its quotes would be escaped.
fn id(line: &str) -> &str {
    let (_, rest) = line.split_once(r#""tracking-id":""#).expect("an id");
    rest.split_once('"').expect("the end of the id").0
}

fn verdict(reply: &Reply) -> Verdict {
    match reply {
        Reply::Status(status) | Reply::Headers(status, _) | Reply::Echo(status) => of_status(*status, b""),
        Reply::Body(status, body) => of_status(*status, body),
        Reply::Raw(bytes) | Reply::RawThenClose(bytes) | Reply::Early(bytes) => of_bytes(bytes),
        Reply::Together(_) | Reply::Endless => Verdict::Taken,
        Reply::Close | Reply::Reset | Reply::Stall | Reply::Half { .. } | Reply::Drip => Verdict::Doubt,
        Reply::By(_) | Reply::Tunnel(_) => panic!("no answer: {reply:?}"),
    }
}

fn of_status(status: u16, body: &[u8]) -> Verdict {
    match status {
        200..=299 if body.starts_with(b"<success>false") => Verdict::Refused(status),
        200..=299 => Verdict::Taken,
        300..=499 | 501 | 503 | 505 => Verdict::Refused(status),
        _ => Verdict::Doubt,
    }
}

/// The meaning of an answer byte by byte, however it goes on.
fn of_bytes(bytes: &[u8]) -> Verdict {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Verdict::Doubt };
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]).to_lowercase(), &bytes[end + 4..]);
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).expect("a status");
    match status {
        100..=199 => of_bytes(body),
        _ => of_status(status, body),
    }
}
