//! What every transport promises, checked for each of ours by the same tests.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;
#[macro_use]
#[path = "common/suite.rs"]
mod suite;

use common::{RETRY, bodies};
use jkool_transport::{
    Disposition, ErrorKind, Failure, Kind, MemoryTransport, Payload, Step, Transport, TransportError,
};
use std::sync::Arc;
use std::time::Duration;
use suite::{Fixture, Next};

contract!(memory_single, crate::memory::Memory<1>);
contract!(memory_batches, crate::memory::Memory<4>);
#[cfg(feature = "http")]
contract!(http_single, crate::http::Http<1>);
#[cfg(feature = "http")]
contract!(http_batches, crate::http::Http<4>);
contract!(failover, crate::two::OfTwo<crate::two::First>);
contract!(tee, crate::two::OfTwo<crate::two::Both>);
#[cfg(feature = "file")]
contract!(lines file_lines, crate::file::File);
#[cfg(feature = "tcp")]
contract!(lines tcp_lines, crate::tcp::Tcp);

/// How a memory transport fails.
fn step(next: &Next) -> Step {
    match next {
        Next::Accept => Step::Deliver,
        Next::Fail(disposition) => Step::Fail(Failure::new(*disposition, TransportError::new(ErrorKind::Answer, "no"))),
        Next::NoAnswer => Step::Fail(Failure::new(RETRY, TransportError::new(ErrorKind::Timeout, "late")).in_doubt()),
    }
}

mod memory {
    use super::*;

    pub(super) struct Memory<const MAX: usize>(Arc<MemoryTransport>);

    impl<const MAX: usize> Fixture for Memory<MAX> {
        type Transport = MemoryTransport;

        fn new() -> Self {
            Self(Arc::new(MemoryTransport::new().with_max_batch(MAX)))
        }

        fn transport(&self) -> Arc<MemoryTransport> {
            Arc::clone(&self.0)
        }

        fn next(&self, next: &[Next]) {
            self.0.script(next.iter().map(step));
        }

        fn attempts(&self) -> Option<usize> {
            Some(self.0.attempts())
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            self.0.payloads().iter().map(|payload| payload.kind()).zip(self.0.bodies()).collect()
        }
    }
}

/// Transports that are made of two.
mod two {
    use super::*;
    use jkool_transport::{Failover, Tee};

    pub(super) struct First(Failover<MemoryTransport, MemoryTransport>);
    pub(super) struct Both(Tee<MemoryTransport, MemoryTransport>);

    pub(super) trait Pair: Transport {
        fn of(one: MemoryTransport, other: MemoryTransport) -> Self;
        /// Whether the second one meets what the first meets.
        fn meets(next: &Next) -> bool;
        fn accepted(one: &MemoryTransport, other: &MemoryTransport) -> Vec<Payload>;
    }

    impl Pair for First {
        fn of(one: MemoryTransport, other: MemoryTransport) -> Self {
            Self(Failover::new(one, other).with_pause(Duration::ZERO))
        }

        /// Only what is trouble of the first comes to the second.
        fn meets(next: &Next) -> bool {
            matches!(next, Next::NoAnswer | Next::Fail(Disposition::Retry { .. } | Disposition::Misconfigured))
        }

        fn accepted(one: &MemoryTransport, other: &MemoryTransport) -> Vec<Payload> {
            assert!(other.is_empty(), "it fails whenever it is asked");
            one.payloads()
        }
    }

    impl Pair for Both {
        fn of(one: MemoryTransport, other: MemoryTransport) -> Self {
            Self(Tee::new(one, other))
        }

        fn meets(_: &Next) -> bool {
            true
        }

        fn accepted(one: &MemoryTransport, other: &MemoryTransport) -> Vec<Payload> {
            let mut sorted = [one.bodies(), other.bodies()];
            sorted.iter_mut().for_each(|bodies| bodies.sort());
            assert_eq!(sorted[0], sorted[1], "both have it");
            one.payloads()
        }
    }

    macro_rules! delegate {
        ($($pair:ty),+) => {$(
            #[async_trait::async_trait]
            impl Transport for $pair {
                async fn send(&self, batch: &[Payload]) -> jkool_transport::Receipt {
                    self.0.send(batch).await
                }

                fn max_batch(&self) -> usize {
                    self.0.max_batch()
                }

                async fn close(&self) -> Result<(), TransportError> {
                    self.0.close().await
                }
            }
        )+};
    }

    impl std::fmt::Debug for First {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }

    impl std::fmt::Debug for Both {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }

    delegate!(First, Both);

    pub(super) struct OfTwo<P> {
        one: MemoryTransport,
        other: MemoryTransport,
        pair: Arc<P>,
    }

    impl<P: Pair> Fixture for OfTwo<P> {
        type Transport = P;

        fn new() -> Self {
            let (one, other) = (MemoryTransport::new().with_max_batch(4), MemoryTransport::new().with_max_batch(4));
            Self { pair: Arc::new(P::of(one.clone(), other.clone())), one, other }
        }

        fn transport(&self) -> Arc<P> {
            Arc::clone(&self.pair)
        }

        fn next(&self, next: &[Next]) {
            self.one.script(next.iter().map(step));
            self.other.script(next.iter().filter(|next| P::meets(next)).map(step));
        }

        fn attempts(&self) -> Option<usize> {
            Some(self.one.attempts())
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            let payloads = P::accepted(&self.one, &self.other);
            payloads.iter().map(Payload::kind).zip(bodies(&payloads)).collect()
        }
    }
}

/// The kind of a line, which says it in the test about kinds alone.
#[cfg(any(feature = "file", feature = "tcp"))]
fn kind_of(line: &str) -> Kind {
    let kinds = [Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
    kinds.into_iter().find(|kind| line == format!(r#"{{"is":"{kind}"}}"#)).unwrap_or(Kind::Event)
}

#[cfg(feature = "file")]
mod file {
    use super::*;
    use common::folder::Folder;
    use jkool_transport::FileTransport;

    pub(super) struct File {
        folder: Folder,
        transport: Arc<FileTransport>,
    }

    impl Fixture for File {
        type Transport = FileTransport;

        fn new() -> Self {
            let folder = Folder::new();
            let transport = FileTransport::builder(folder.path("events.jsonl")).build().expect("a file");
            Self { folder, transport: Arc::new(transport) }
        }

        fn transport(&self) -> Arc<FileTransport> {
            Arc::clone(&self.transport)
        }

        fn next(&self, _: &[Next]) {}

        fn attempts(&self) -> Option<usize> {
            None
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            let text = std::fs::read_to_string(self.folder.path("events.jsonl")).expect("the file");
            text.lines().map(|line| (kind_of(line), line.to_owned())).collect()
        }
    }
}

#[cfg(feature = "tcp")]
mod tcp {
    use super::*;
    use common::lines::LineServer;
    use common::marks;
    use jkool_transport::{Receipt, TcpTransport};
    use std::sync::atomic::{AtomicUsize, Ordering};

    pub(super) struct Tcp {
        server: LineServer,
        transport: Arc<Counted>,
    }

    /// Counts what is reported as delivered: so much must arrive, be it later.
    #[derive(Debug)]
    pub(super) struct Counted(TcpTransport, AtomicUsize);

    #[async_trait::async_trait]
    impl Transport for Counted {
        async fn send(&self, batch: &[Payload]) -> Receipt {
            let receipt = self.0.send(batch).await;
            self.1.fetch_add(marks(&receipt).matches('.').count(), Ordering::Relaxed);
            receipt
        }

        fn max_batch(&self) -> usize {
            self.0.max_batch()
        }

        async fn close(&self) -> Result<(), TransportError> {
            self.0.close().await
        }
    }

    impl Fixture for Tcp {
        type Transport = Counted;

        fn new() -> Self {
            let server = LineServer::start();
            let transport = TcpTransport::builder(server.url()).build().expect("a transport");
            Self { server, transport: Arc::new(Counted(transport, AtomicUsize::new(0))) }
        }

        fn transport(&self) -> Arc<Counted> {
            Arc::clone(&self.transport)
        }

        fn next(&self, _: &[Next]) {}

        fn attempts(&self) -> Option<usize> {
            None
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            let lines = self.server.wait_for(self.transport.1.load(Ordering::Relaxed));
            lines.into_iter().map(|line| (kind_of(&line), line)).collect()
        }
    }
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use common::server::{Reply, Request, Server};
    use jkool_transport::HttpTransport;
    use std::sync::Mutex;

    pub(super) struct Http<const MAX: usize> {
        server: Server,
        transport: Arc<HttpTransport>,
        /// Which requests the server was to refuse, by number.
        refused: Mutex<Vec<usize>>,
    }

    impl<const MAX: usize> Fixture for Http<MAX> {
        type Transport = HttpTransport;

        fn new() -> Self {
            let server = Server::start();
            let transport = HttpTransport::builder(server.url()).batches(MAX).build().expect("a transport");
            Self { server, transport: Arc::new(transport), refused: Mutex::default() }
        }

        fn transport(&self) -> Arc<HttpTransport> {
            Arc::clone(&self.transport)
        }

        fn next(&self, next: &[Next]) {
            let first = self.server.requests().len();
            let refused = next.iter().enumerate().filter(|(_, next)| !matches!(next, Next::Accept));
            self.refused.lock().expect("the list").extend(refused.map(|(number, _)| first + number));
            self.server.script(next.iter().map(|next| match next {
                Next::Accept => Reply::Status(202),
                Next::NoAnswer => Reply::Close,
                Next::Fail(Disposition::Retry { after: None }) => Reply::Status(503),
                Next::Fail(Disposition::Retry { after: Some(after) }) => {
                    Reply::Headers(429, format!("Retry-After: {}\r\n", after.as_secs()))
                }
                Next::Fail(Disposition::Misconfigured) => Reply::Status(401),
                Next::Fail(Disposition::TooLarge) => Reply::Status(413),
                Next::Fail(Disposition::Rejected) => Reply::Status(400),
                Next::Fail(other) => panic!("a new disposition: {other:?}"),
            }));
        }

        fn attempts(&self) -> Option<usize> {
            Some(self.server.requests().len())
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            let refused = self.refused.lock().expect("the list");
            let requests = self.server.requests().into_iter().enumerate();
            requests
                .filter(|(number, _)| !refused.contains(number))
                .flat_map(|(_, request)| entities(&request))
                .collect()
        }
    }

    /// The kind of each line: by the path, and in a mixed request by the entity.
    fn entities(request: &Request) -> Vec<(Kind, String)> {
        let text = request.text();
        let lines = text.lines().map(|line| {
            let of_kind = |kind: &Kind| {
                request.target == format!("/{kind}") || request.target == "/" && line == format!(r#"{{"is":"{kind}"}}"#)
            };
            let kinds = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
            (kinds.into_iter().find(of_kind).expect("a path"), line.to_owned())
        });
        lines.collect()
    }
}
