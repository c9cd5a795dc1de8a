//! The tests themselves, for any transport that has a [`Fixture`].
#![allow(dead_code, reason = "a transport that can't fail in each of the ways passes the others")]

use crate::common::payloads::{RETRY, bodies, event, events, failure, marks};
use jkool_transport::{Disposition, ErrorKind, Kind, Payload, Transport};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What happens to the next unit of travel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Next {
    Accept,
    Fail(Disposition),
    /// It arrives, or not, and no answer comes.
    NoAnswer,
}

/// A transport and the world at its other end.
pub(crate) trait Fixture {
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

pub(crate) async fn takes_one<F: Fixture>() {
    let fixture = F::new();
    let receipt = fixture.transport().send(&[event(7)]).await;
    assert!(receipt.is_delivered() && receipt.outcomes().len() == 1);
    assert_eq!(fixture.accepted(), [(Kind::Event, r#"{"operation":"op-7"}"#.to_owned())]);
}

pub(crate) async fn takes_many_in_order<F: Fixture>() {
    let fixture = F::new();
    let batch = events(3);
    assert_eq!(marks(&fixture.transport().send(&batch).await), "...");
    assert_eq!(marks(&fixture.transport().send(&events(1)).await), ".");
    let accepted: Vec<_> = fixture.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(accepted, [bodies(&batch), bodies(&events(1))].concat());
}

pub(crate) async fn takes_all_kinds_in_order<F: Fixture>() {
    let fixture = F::new();
    let kinds = [Kind::Event, Kind::Snapshot, Kind::Event, Kind::Log, Kind::Activity, Kind::Dataset];
    let batch: Vec<_> = kinds.into_iter().map(|kind| Payload::new(kind, format!(r#"{{"is":"{kind}"}}"#))).collect();
    assert!(fixture.transport().send(&batch).await.is_delivered());
    let expected: Vec<_> = kinds.into_iter().map(|kind| (kind, format!(r#"{{"is":"{kind}"}}"#))).collect();
    assert_eq!(fixture.accepted(), expected);
}

pub(crate) async fn takes_odd_bodies_as_they_are<F: Fixture>() {
    let fixture = F::new();
    let long = format!("{{\"msg-text\":\"{}\"}}", "ä😀".repeat(300_000));
    let batch = [Payload::new(Kind::Event, long.clone()), Payload::new(Kind::Event, "{}").with_key("a\r\nkey")];
    assert!(fixture.transport().send(&batch).await.is_delivered());
    assert_eq!(fixture.accepted(), [(Kind::Event, long), (Kind::Event, "{}".to_owned())]);
}

pub(crate) async fn takes_more_than_fits_one_unit<F: Fixture>() {
    let fixture = F::new();
    let transport = fixture.transport();
    let batch = events(2 * transport.max_batch() + 1);
    assert!(transport.send(&batch).await.is_delivered());
    assert!(fixture.attempts().is_none_or(|attempts| attempts == 3));
    let accepted: Vec<_> = fixture.accepted().into_iter().map(|(_, body)| body).collect();
    assert_eq!(accepted, bodies(&batch));
}

pub(crate) async fn an_empty_batch_is_no_work<F: Fixture>() {
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

pub(crate) async fn goes_on_after_a_refused_payload<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Rejected)).await, (".x.".to_owned(), 3));
}

pub(crate) async fn goes_on_after_a_large_payload<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::TooLarge)).await, (".l.".to_owned(), 3));
}

pub(crate) async fn does_not_try_the_rest_when_throttled<F: Fixture>() {
    let fixture = F::new();
    let after = Some(Duration::from_secs(17));
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Retry { after })).await, (".rr".to_owned(), 2));
    assert_eq!(fixture.accepted().len(), fixture.transport().max_batch());
}

pub(crate) async fn does_not_try_the_rest_when_misconfigured<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::Fail(Disposition::Misconfigured)).await, (".mm".to_owned(), 2));
}

pub(crate) async fn only_what_was_under_way_is_in_doubt<F: Fixture>() {
    let fixture = F::new();
    assert_eq!(second_of_three(&fixture, Next::NoAnswer).await, (".r?r".to_owned(), 2));
}

pub(crate) async fn says_how_long_to_wait<F: Fixture>() {
    let fixture = F::new();
    for after in [None, Some(Duration::ZERO), Some(Duration::from_secs(17))] {
        fixture.next(&[Next::Fail(Disposition::Retry { after })]);
        let failure = failure(&fixture.transport().send(&[event(1)]).await);
        assert_eq!(failure.disposition, Disposition::Retry { after });
        assert!(!failure.maybe_delivered);
    }
}

pub(crate) async fn works_again_after_each_failure<F: Fixture>() {
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
        let receipt = fixture.transport().send(&[event(2)]).await;
        assert!(receipt.is_delivered(), "after {next:?}: {receipt:?}");
    }
    assert_eq!(fixture.accepted().len(), fates.len());
}

pub(crate) async fn closes_once_and_for_all<F: Fixture>() {
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

pub(crate) async fn shared_is_the_same<F: Fixture>() {
    let fixture = F::new();
    let transport: Arc<dyn Transport> = fixture.transport();
    let shared: Arc<Arc<dyn Transport>> = Arc::new(Arc::clone(&transport));
    assert_eq!(shared.max_batch(), transport.max_batch());
    assert!(transport.max_batch() >= 1);
    assert!(shared.send(&[event(1)]).await.is_delivered());
    shared.close().await.expect("an orderly end");
    assert_eq!(failure(&transport.send(&[event(1)]).await).error.kind(), ErrorKind::Closed);
}

pub(crate) async fn sends_do_not_disturb_each_other<F: Fixture>() {
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

pub(crate) async fn a_dropped_send_does_no_harm<F: Fixture>() {
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
    ($name:ident, $fixture:ty, $($test:ident),+ $(,)?) => {
        contract!([] $name, $fixture, $($test),+);
    };
    (@test [$($attribute:meta)?] $test:ident, $fixture:ty) => {
        #[tokio::test]
        $(#[$attribute])?
        async fn $test() {
            let test = crate::suite::$test::<$fixture>();
            tokio::time::timeout(crate::common::payloads::LONG, test).await.expect("the test hangs");
        }
    };
    // With an attribute for each test.
    ($attribute:tt $name:ident, $fixture:ty, $($test:ident),+ $(,)?) => {
        mod $name {
            $(contract!(@test $attribute $test, $fixture);)+
        }
    };
}
