//! Transports that are made of two: what goes where when one of them fails.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::{RETRY, bodies, event, events, failure, marks};
use jkool_transport::{
    Disposition, ErrorKind, Failover, Failure, MemoryTransport, Step, Tee, Transport, TransportError,
};
use std::time::Duration;

fn fail(disposition: Disposition) -> Step {
    Step::Fail(Failure::new(disposition, TransportError::new(ErrorKind::Answer, "no")))
}

#[tokio::test(start_paused = true)]
async fn the_second_is_used_while_the_first_is_in_trouble() {
    let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
    let transport = Failover::new(first.clone(), second.clone()).with_pause(Duration::from_secs(60));
    first.push(fail(RETRY));
    assert!(transport.send(&[event(1)]).await.is_delivered());
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!((first.attempts(), second.bodies()), (1, bodies(&[event(1), event(2)])));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(transport.send(&[event(3)]).await.is_delivered());
    assert_eq!(first.bodies(), bodies(&[event(3)]));
}

#[tokio::test]
async fn only_what_the_first_did_not_take_goes_to_the_second() {
    let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
    let transport = Failover::new(first.clone(), second.clone());
    let refusal = Failure::new(Disposition::Misconfigured, TransportError::new(ErrorKind::Answer, "no"));
    first.push(Step::FailAt { index: 1, failure: refusal });
    assert!(transport.send(&events(3)).await.is_delivered());
    assert_eq!((first.bodies(), second.bodies()), (bodies(&events(1)), bodies(&events(3)[1..])));
    // The second is in trouble, so the first is asked, which refuses it: the second may take it later.
    first.push(fail(Disposition::Rejected));
    second.push(fail(RETRY));
    let last = failure(&transport.send(&[event(9)]).await);
    assert_eq!((last.disposition, last.maybe_rejected), (RETRY, true));
}

#[tokio::test]
async fn when_both_fail_the_payload_is_kept_for_whichever_works_first() {
    let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
    let transport = Failover::new(first.clone(), second.clone()).with_pause(Duration::ZERO);
    first.push(fail(Disposition::Misconfigured));
    second.push(fail(RETRY));
    assert_eq!(marks(&transport.send(&[event(1)]).await), "r");
    let late = Failure::new(RETRY, TransportError::new(ErrorKind::Timeout, "late")).in_doubt();
    first.push(Step::Fail(late));
    second.push(fail(Disposition::Misconfigured));
    assert_eq!(marks(&transport.send(&[event(1)]).await), "r?");
}

#[tokio::test]
async fn who_has_a_payload_gets_it_no_second_time() {
    let (one, other) = (MemoryTransport::new(), MemoryTransport::new());
    let transport = Tee::new(one.clone(), other.clone());
    let failure = Failure::new(RETRY, TransportError::new(ErrorKind::Connect, "away"));
    other.push(Step::FailAt { index: 1, failure });
    assert_eq!(marks(&transport.send(&events(3)).await), ".rr");
    one.push(fail(RETRY));
    // With something new between them, for which the one fails.
    assert_eq!(marks(&transport.send(&[event(1), event(7), event(2)]).await), ".r.");
    assert!(transport.send(&[event(7)]).await.is_delivered());
    for side in [one, other] {
        let mut found = side.bodies();
        found.sort();
        assert_eq!(found, bodies(&[event(0), event(1), event(2), event(7)]));
    }
}

#[tokio::test]
async fn a_failure_that_keeps_the_payload_goes_before_a_refusal() {
    let (one, other) = (MemoryTransport::new(), MemoryTransport::new());
    let transport = Tee::new(one.clone(), other.clone());
    one.push(fail(Disposition::Rejected));
    other.push(fail(RETRY));
    assert_eq!(marks(&transport.send(&[event(1)]).await), "r");
    one.push(fail(Disposition::Rejected));
    assert_eq!(marks(&transport.send(&[event(1)]).await), "x");
    assert_eq!((one.len(), other.len()), (0, 1));
}

#[tokio::test]
async fn metrics_say_which_part_reports_them() {
    let first = MemoryTransport::new();
    let inner = Failover::new(MemoryTransport::new(), MemoryTransport::new());
    let transport = Tee::new(MemoryTransport::new(), Failover::new(first.clone(), inner));
    let active = || {
        let metrics = transport.metrics().into_iter().filter(|metric| metric.name == "failover_active");
        metrics.map(|metric| (metric.part, metric.value)).collect::<Vec<_>>()
    };
    assert_eq!(active(), [("other".to_owned(), 0.0), ("other/second".to_owned(), 0.0)]);
    first.push(fail(RETRY));
    assert!(transport.send(&[event(1)]).await.is_delivered());
    assert_eq!(active(), [("other".to_owned(), 1.0), ("other/second".to_owned(), 0.0)]);
}
