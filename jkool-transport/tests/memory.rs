//! The transport for tests: it keeps what it is sent and plays its script.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::{RETRY, bodies, event, events, failure, marks};
use jkool_transport::{
    Disposition, ErrorKind, Failure, Kind, MemoryTransport, Payload, Step, Transport, TransportError,
};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

fn fails(disposition: Disposition) -> Failure {
    Failure::new(disposition, TransportError::new(ErrorKind::Answer, "the script says no"))
}

#[tokio::test]
async fn keeps_what_it_is_sent_until_it_is_taken() {
    let transport = MemoryTransport::new();
    assert!(transport.is_empty());
    let batch = [event(1), Payload::new(Kind::Log, "{\"n\":2}").with_key("k")];
    assert!(transport.send(&batch).await.is_delivered());
    assert_eq!((transport.len(), transport.is_empty()), (2, false));
    assert_eq!(transport.payloads(), batch);
    assert_eq!(transport.bodies(), bodies(&batch));
    assert_eq!(transport.take(), batch);
    assert!(transport.is_empty() && transport.take().is_empty());
    assert_eq!((transport.attempts(), transport.batches()), (1, vec![2]));
}

#[tokio::test]
async fn clones_share_everything() {
    let transport = MemoryTransport::default();
    let given_away = transport.clone();
    transport.push(Step::Fail(fails(Disposition::Rejected)));
    assert_eq!(marks(&given_away.send(&events(1)).await), "x");
    assert!(given_away.send(&events(1)).await.is_delivered());
    assert_eq!((transport.len(), transport.attempts()), (1, 2));
    given_away.close().await.expect("an orderly end");
    assert_eq!(failure(&transport.send(&events(1)).await).error.kind(), ErrorKind::Closed);
    assert_eq!(transport.len(), 1, "what was delivered stays readable");
}

#[tokio::test]
async fn takes_batches_of_the_size_it_says() {
    let transport = MemoryTransport::new();
    assert_eq!(transport.max_batch(), 512);
    assert_eq!(MemoryTransport::new().with_max_batch(0).max_batch(), 1);
    let transport = transport.with_max_batch(2);
    assert!(transport.send(&events(5)).await.is_delivered());
    assert!(transport.send(&events(1)).await.is_delivered());
    assert_eq!(transport.batches(), [2, 2, 1, 1]);
}

#[tokio::test]
async fn plays_one_step_for_each_unit_and_then_delivers() {
    let transport = MemoryTransport::new().with_max_batch(2);
    transport.script([Step::Deliver, Step::Fail(fails(Disposition::TooLarge))]);
    transport.push(Step::Fail(fails(RETRY)));
    assert_eq!(marks(&transport.send(&events(8)).await), "..llrrrr");
    assert_eq!(marks(&transport.send(&events(8)).await), "........");
    assert_eq!(transport.batches(), [2, 2, 2, 2, 2, 2, 2]);
}

#[tokio::test]
async fn one_payload_may_fail() {
    for (disposition, expected, kept) in [
        (Disposition::Rejected, "..x.", vec![0, 1, 3]),
        (Disposition::TooLarge, "..l.", vec![0, 1, 3]),
        (RETRY, "..rr", vec![0, 1]),
        (Disposition::Misconfigured, "..mm", vec![0, 1]),
    ] {
        let transport = MemoryTransport::new();
        transport.push(Step::FailAt { index: 2, failure: fails(disposition) });
        assert_eq!(marks(&transport.send(&events(4)).await), expected);
        assert_eq!(transport.payloads(), kept.into_iter().map(event).collect::<Vec<_>>());
    }
    let transport = MemoryTransport::new();
    for index in [4, usize::MAX] {
        transport.push(Step::FailAt { index, failure: fails(RETRY) });
        assert_eq!(marks(&transport.send(&events(4)).await), "....");
    }
}

#[tokio::test]
async fn an_answer_may_be_lost() {
    let transport = MemoryTransport::new();
    transport.push(Step::Unconfirmed(fails(RETRY)));
    assert_eq!(marks(&transport.send(&events(2)).await), "r?r?");
    assert_eq!(transport.payloads(), events(2));
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_next_step() {
    let transport = MemoryTransport::new();
    let minute = Duration::from_secs(60);
    transport.script([Step::Delay(minute), Step::Delay(minute), Step::Fail(fails(RETRY)), Step::Delay(minute)]);
    let time = async || {
        let start = Instant::now();
        let receipt = transport.send(&events(1)).await;
        (marks(&receipt), start.elapsed().as_secs())
    };
    assert_eq!(time().await, ("r".to_owned(), 120));
    assert_eq!(time().await, (".".to_owned(), 60));
    assert_eq!(time().await, (".".to_owned(), 0));
    assert_eq!(transport.attempts(), 3);
}

#[tokio::test]
async fn a_panic_leaves_the_rest_usable() {
    let transport = MemoryTransport::new();
    transport.push(Step::Panic);
    let mut tasks = JoinSet::new();
    let given_away = transport.clone();
    tasks.spawn(async move { given_away.send(&events(1)).await });
    assert!(tasks.join_next().await.expect("a task").is_err_and(|error| error.is_panic()));
    assert!(transport.send(&events(1)).await.is_delivered());
    assert_eq!((transport.len(), transport.attempts()), (1, 2));
}

#[tokio::test]
async fn decodes_by_kind() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Event {
        operation: String,
    }
    let transport = MemoryTransport::new();
    transport.send(&[event(1), Payload::new(Kind::Log, "no json"), event(2)]).await;
    let operations = ["op-1", "op-2"].map(|operation| Event { operation: operation.to_owned() });
    assert_eq!(transport.decode::<Event>(Kind::Event).expect("events"), operations);
    let error = transport.decode::<Event>(Kind::Log).expect_err("no json");
    assert_eq!((error.index(), error.kind(), error.line(), error.column()), (1, Kind::Log, 1, 2));
}

#[tokio::test]
async fn debug_shows_counts_and_no_content() {
    let transport = MemoryTransport::new();
    transport.send(&[Payload::new(Kind::Event, "secret")]).await;
    transport.push(Step::Deliver);
    let text = format!("{transport:?}");
    assert_eq!(text, "MemoryTransport { payloads: 1, attempts: 1, steps_left: 1, max_batch: 512, closed: false }");
}
