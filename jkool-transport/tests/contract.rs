//! What every transport promises, checked for each of ours by the same tests.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;
#[macro_use]
#[path = "common/suite.rs"]
mod suite;

use common::RETRY;
use jkool_transport::{ErrorKind, Failure, Kind, MemoryTransport, Step, TransportError};
use std::sync::Arc;
use suite::{Fixture, Next};

contract!(memory_single, crate::memory::Memory<1>);
contract!(memory_batches, crate::memory::Memory<4>);
#[cfg(feature = "http")]
contract!(http_single, crate::http::Http<1>);
#[cfg(feature = "http")]
contract!(http_batches, crate::http::Http<4>);

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
            self.0.script(next.iter().map(|next| match next {
                Next::Accept => Step::Deliver,
                Next::Fail(disposition) => {
                    Step::Fail(Failure::new(*disposition, TransportError::new(ErrorKind::Answer, "no")))
                }
                Next::NoAnswer => {
                    Step::Fail(Failure::new(RETRY, TransportError::new(ErrorKind::Timeout, "late")).in_doubt())
                }
            }));
        }

        fn attempts(&self) -> usize {
            self.0.attempts()
        }

        fn accepted(&self) -> Vec<(Kind, String)> {
            self.0.payloads().iter().map(|payload| payload.kind()).zip(self.0.bodies()).collect()
        }
    }
}

#[cfg(feature = "http")]
mod http {
    use super::*;
    use common::server::{Reply, Request, Server};
    use jkool_transport::{Disposition, HttpTransport};
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
            let first = self.attempts();
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

        fn attempts(&self) -> usize {
            self.server.requests().len()
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
