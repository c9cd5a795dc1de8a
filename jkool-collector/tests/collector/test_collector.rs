//! The collector for tests, as a user's test uses it: with the real client.

use crate::socket::{Connection, event, post};
use jkool_client::Client;
use jkool_client::model::{Entity, Snapshot};
use jkool_client::transport::HttpTransport;
use jkool_collector::{Answer, TestCollector};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn client(collector: &TestCollector) -> Client {
    let builder = Client::builder().url(collector.url()).token("canary-01");
    builder.source("APPL=Shop".parse().unwrap()).build().unwrap()
}

fn send(collector: &TestCollector, body: &str) -> Option<u16> {
    let mut connection = Connection::open(collector.collector().address());
    connection.send(post("/event", body));
    connection.try_answer().map(|answer| answer.status)
}

#[test]
fn what_a_client_emits_arrives_in_order_and_typed() {
    let collector = TestCollector::start();
    let client = client(&collector);
    let cart = Snapshot::builder("Cart").category("Order").property("total", 12.5).build();
    client.event("accept").message("Order accepted").correlator("A-1").emit();
    // Without it both may be on their way at the same time.
    assert!(client.flush(LONG).is_delivered());
    client.event("pay").snapshot(cart).emit();
    let arrived = collector.wait_for(2).unwrap();
    let Entity::Event(accept) = &arrived[0] else { panic!("{arrived:?}") };
    assert_eq!((&*accept.operation, &*accept.message, &*accept.correlators[0]), ("accept", "Order accepted", "A-1"));
    assert_eq!(collector.events()[1].snapshots[0].name, "Cart");
    assert_eq!(collector.entities().len(), 2);
}

#[test]
fn batches_and_gzip_arrive_as_a_whole() {
    for (batches, gzip) in [(1, false), (100, false), (100, true), (1, true)] {
        let collector = TestCollector::start();
        let transport = HttpTransport::builder(collector.url()).batches(batches).gzip(gzip).build().unwrap();
        let client = Client::builder().transport(transport).source("APPL=Shop".parse().unwrap()).build().unwrap();
        for number in 0..500 {
            client.event("count").message(format!("{number:03}")).emit();
        }
        assert!(client.flush(LONG).is_delivered(), "{batches} {gzip}");
        let mut messages: Vec<_> = collector.events().into_iter().map(|event| event.message).collect();
        messages.sort();
        let expected: Vec<_> = (0..500).map(|number| format!("{number:03}")).collect();
        assert_eq!(messages, expected, "{batches} {gzip}");
    }
}

#[test]
fn answers_come_as_they_were_arranged_and_then_as_usual() {
    let collector = TestCollector::start();
    collector.answer_next(Answer::status(503).retry_after(7).body("busy"));
    collector.answer_next(Answer::close());
    let mut connection = Connection::open(collector.collector().address());
    let answer = connection.ask(post("/event", event("a")));
    assert_eq!((answer.status, answer.header("retry-after"), &*answer.body), (503, Some("7"), "busy"));
    assert_eq!(send(&collector, &event("b")), None);
    assert!(collector.entities().is_empty());
    assert_eq!(send(&collector, &event("c")), Some(202));
    assert_eq!(collector.events()[0].operation, "c");
}

#[test]
fn a_client_gets_over_all_of_them() {
    let collector = TestCollector::start();
    for answer in
        [Answer::status(503).retry_after(0), Answer::close(), Answer::lose(), Answer::status(429).retry_after(0)]
    {
        collector.answer_next(answer);
    }
    let client = client(&collector);
    client.event("a").emit();
    client.event("b").emit();
    assert!(client.flush(LONG).is_delivered());
    let mut arrived: Vec<_> = collector.events().into_iter().map(|event| event.operation).collect();
    arrived.sort();
    // What was stored without an answer came again, byte for byte, and is one.
    assert_eq!(arrived, ["a", "b"]);
}

#[test]
fn too_few_is_an_error_that_says_what_arrived() {
    let collector = TestCollector::start();
    send(&collector, r#"{"operation":"pay","msg-text":"Order paid"}"#);
    let error = collector.wait_for_within(2, Duration::from_millis(10)).unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 entities arrived within 10ms:\n  event pay: Order paid");
    assert_eq!(format!("{error:?}"), error.to_string());
    let error = TestCollector::start().wait_for_within(1, Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "0 of 1 entities arrived within 0ns: none");
}

#[tokio::test]
async fn it_waits_in_async_code_too() {
    let collector = TestCollector::start();
    let client = client(&collector);
    client.event("a").emit();
    assert_eq!(collector.wait_for_async(1).await.unwrap().len(), 1);
}
