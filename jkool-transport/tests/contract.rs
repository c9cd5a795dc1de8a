//! What every transport promises, checked for each of ours by the same tests.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::{LONG, RETRY, bodies, event, events, failure, marks};
use jkool_transport::{
    Disposition, ErrorKind, Failure, Kind, MemoryTransport, Payload, Step, Transport, TransportError,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What happens to the next unit of travel.
#[derive(Clone, Copy)]
enum Next {
    Accept,
    Fail(Disposition),
    /// It arrives, or not, and no answer comes.
    NoAnswer,
}

/// A transport and the world at its other end.
trait Fixture {
    type Transport: Transport;

    fn new() -> Self;
    /// The same transport each time.
    fn transport(&self) -> Arc<Self::Transport>;
    /// The first units meet this; what comes after them is accepted.
    fn next(&self, next: &[Next]);
    /// How many units came, accepted or not. None of a transport at whose other end units can't be told apart.
    fn attempts(&self) -> Option<usize>;
    /// What was accepted, in order: the kind of each and its body.
    fn accepted(&self) -> Vec<(Kind, String)>;
}

async fn takes_one<F: Fixture>() {
    let fixture = F::new();
    let receipt = fixture.transport().send(&[event(7)]).await;
    assert!(receipt.is_delivered() && receipt.outcomes().len() == 1);
    assert_eq!(fixture.accepted(), [(Kind::Event, r#"{"operation":"op-7"}"#.to_owned())]);
}

async fn takes_many_in_order<F: Fixture>() {
    let fixture = F::new();
    let batch = events(3);
    assert_eq!(marks(&fixture.transport().send(&batch).await), "...");
    assert_eq!(marks(&fixture.transport().send(&events(1)).await), ".");
    let accepted: Vec<_> = fixture.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(accepted, [bodies(&batch), bodies(&events(1))].concat());
}

async fn takes_all_kinds_in_order<F: Fixture>() {
    let fixture = F::new();
    let kinds = [Kind::Event, Kind::Snapshot, Kind::Event, Kind::Log, Kind::Activity, Kind::Dataset];
    let batch: Vec<_> = kinds.into_iter().map(|kind| Payload::new(kind, format!(r#"{{"is":"{kind}"}}"#))).collect();
    assert!(fixture.transport().send(&batch).await.is_delivered());
    let expected: Vec<_> = kinds.into_iter().map(|kind| (kind, format!(r#"{{"is":"{kind}"}}"#))).collect();
    assert_eq!(fixture.accepted(), expected);
}

async fn takes_odd_bodies_as_they_are<F: Fixture>() {
    let fixture = F::new();
    let long = format!("{{\"msg-text\":\"{}\"}}", "ä😀".repeat(300_000));
    let batch = [Payload::new(Kind::Event, long.clone()), Payload::new(Kind::Event, "{}").with_key("a\r\nkey")];
    assert!(fixture.transport().send(&batch).await.is_delivered());
    assert_eq!(fixture.accepted(), [(Kind::Event, long), (Kind::Event, "{}".to_owned())]);
}

async fn takes_more_than_fits_one_unit<F: Fixture>() {
    let fixture = F::new();
    let transport = fixture.transport();
    let batch = events(2 * transport.max_batch() + 1);
    assert!(transport.send(&batch).await.is_delivered());
    assert!(fixture.attempts().is_none_or(|attempts| attempts == 3));
    let accepted: Vec<_> = fixture.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(accepted, bodies(&batch));
}

async fn an_empty_batch_is_no_work<F: Fixture>() {
    let fixture = F::new();
    assert!(fixture.transport().send(&[]).await.outcomes().is_empty());
    assert!(fixture.attempts().is_none_or(|attempts| attempts == 0));
    assert!(fixture.accepted().is_empty());
}

/// Sends two units and one payload, of which the second unit meets `next`. Answers with the marks of the three, one for
/// each unit.
async fn second_of_three<F: Fixture>(fixture: &F, next: Next) -> (String, usize) {
    let transport = fixture.transport();
    let unit = transport.max_batch();
    fixture.next(&[Next::Accept, next]);
    let receipt = transport.send(&events(2 * unit + 1)).await;
    assert_eq!(receipt.outcomes().len(), 2 * unit + 1);
    let parts: Vec<_> =
        receipt.outcomes().chunks(unit).map(|part| jkool_transport::Receipt::new(part.to_vec())).collect();
    let marks: Vec<_> = parts.iter().map(|part| (marks(part), part.outcomes().len())).collect();
    let each = marks.iter().map(|(marks, len)| {
        let mark = &marks[..marks.len() / len];
        assert_eq!(*marks, mark.repeat(*len), "a unit has one fate");
        mark
    });
    (each.collect(), fixture.attempts().expect("units that can be counted"))
}

async fn goes_on_after_a_refused_payload<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Rejected)).await, (".x.".to_owned(), 3));
}

async fn goes_on_after_a_large_payload<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::TooLarge)).await, (".l.".to_owned(), 3));
}

async fn does_not_try_the_rest_when_throttled<F: Fixture>() {
    let fixture = F::new();
    let after = Some(Duration::from_secs(17));
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Retry { after })).await, (".rr".to_owned(), 2));
    assert_eq!(fixture.accepted().len(), fixture.transport().max_batch());
}

async fn does_not_try_the_rest_when_misconfigured<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Misconfigured)).await, (".mm".to_owned(), 2));
}

async fn only_what_was_under_way_is_in_doubt<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::NoAnswer).await, (".r?r".to_owned(), 2));
}

async fn says_how_long_to_wait<F: Fixture>() {
    let fixture = F::new();
    for after in [None, Some(Duration::ZERO), Some(Duration::from_secs(17))] {
        fixture.next(&[Next::Fail(Disposition::Retry { after })]);
        let failure = failure(&fixture.transport().send(&[event(1)]).await);
        assert_eq!(failure.disposition, Disposition::Retry { after });
        assert!(!failure.maybe_delivered);
    }
}

async fn works_again_after_each_failure<F: Fixture>() {
    let fixture = F::new();
    let fates = [
        Next::Fail(RETRY),
        Next::NoAnswer,
        Next::Fail(Disposition::Misconfigured),
        Next::Fail(Disposition::TooLarge),
        Next::Fail(Disposition::Rejected),
    ];
    for next in fates {
        fixture.next(&[next]);
        assert!(!fixture.transport().send(&[event(1)]).await.is_delivered());
        assert!(fixture.transport().send(&[event(2)]).await.is_delivered());
    }
    assert_eq!(fixture.accepted().len(), fates.len());
}

async fn closes_once_and_for_all<F: Fixture>() {
    let fixture = F::new();
    let transport = fixture.transport();
    assert!(transport.send(&[event(1)]).await.is_delivered());
    transport.close().await.expect("an orderly end");
    transport.close().await.expect("nothing to do");
    let receipt = transport.send(&events(2)).await;
    assert_eq!(marks(&receipt), "rr");
    let failure = failure(&transport.send(&[event(1)]).await);
    assert_eq!(failure.error.kind(), ErrorKind::Closed);
    assert!(fixture.attempts().is_none_or(|attempts| attempts == 1));
    assert_eq!(fixture.accepted().len(), 1);
    assert!(transport.send(&[]).await.outcomes().is_empty());
}

async fn shared_is_the_same<F: Fixture>() {
    let fixture = F::new();
    let transport: Arc<dyn Transport> = fixture.transport();
    let shared: Arc<Arc<dyn Transport>> = Arc::new(Arc::clone(&transport));
    assert_eq!(shared.max_batch(), transport.max_batch());
    assert!(transport.max_batch() >= 1);
    assert!(shared.send(&[event(1)]).await.is_delivered());
    shared.close().await.expect("an orderly end");
    assert_eq!(failure(&transport.send(&[event(1)]).await).error.kind(), ErrorKind::Closed);
}

async fn sends_do_not_disturb_each_other<F: Fixture>() {
    let fixture = F::new();
    let start = Arc::new(Barrier::new(16));
    let mut sends = JoinSet::new();
    for number in 0..16 {
        let (transport, start) = (fixture.transport(), Arc::clone(&start));
        sends.spawn(async move {
            start.wait().await;
            transport.send(&[event(number), event(100 + number)]).await
        });
    }
    assert!(sends.join_all().await.iter().all(|receipt| marks(receipt) == ".."));
    let mut accepted: Vec<_> = fixture.accepted().into_iter().map(|(_, body)| body).collect();
    let mut expected: Vec<_> = (0..16).chain(100..116).flat_map(|number| bodies(&[event(number)])).collect();
    accepted.sort();
    expected.sort();
    assert_eq!(accepted, expected);
}

async fn a_dropped_send_does_no_harm<F: Fixture>() {
    let fixture = F::new();
    let transport = fixture.transport();
    let batch = events(1);
    // Polled once, and so under way, and then forgotten.
    let mut send = Box::pin(transport.send(&batch));
    std::future::poll_fn(|cx| {
        let _under_way = send.as_mut().poll(cx);
        std::task::Poll::Ready(())
    })
    .await;
    drop(send);
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!(fixture.accepted().last().map(|(_, body)| body.clone()), bodies(&[event(2)]).pop());
}

/// All tests for one fixture; `lines` are those for a transport without answers, at whose other end nobody can refuse.
macro_rules! contract {
    (lines $name:ident, $fixture:ty) => {
        contract!($name, $fixture,
            takes_one, takes_many_in_order, takes_all_kinds_in_order, takes_odd_bodies_as_they_are,
            takes_more_than_fits_one_unit, an_empty_batch_is_no_work, closes_once_and_for_all, shared_is_the_same,
            sends_do_not_disturb_each_other, a_dropped_send_does_no_harm);
    };
    ($name:ident, $fixture:ty) => {
        contract!($name, $fixture,
            takes_one, takes_many_in_order, takes_all_kinds_in_order, takes_odd_bodies_as_they_are,
            takes_more_than_fits_one_unit, an_empty_batch_is_no_work, goes_on_after_a_refused_payload,
            goes_on_after_a_large_payload, does_not_try_the_rest_when_throttled,
            does_not_try_the_rest_when_misconfigured, only_what_was_under_way_is_in_doubt, says_how_long_to_wait,
            works_again_after_each_failure, closes_once_and_for_all, shared_is_the_same,
            sends_do_not_disturb_each_other, a_dropped_send_does_no_harm);
    };
    ($name:ident, $fixture:ty, $($test:ident),+) => {
        mod $name {
            $(
                #[tokio::test]
                async fn $test() {
                    let test = super::$test::<$fixture>();
                    tokio::time::timeout(super::LONG, test).await.expect("the test hangs");
                }
            )+
        }
    };
}

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
