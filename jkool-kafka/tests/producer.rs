//! Brokers that are away, and what becomes of records then, against librdkafka's mock cluster.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::payloads::{LONG, RETRY, event, events, failure, marks};
use jkool_client::{Admission, Client};
use jkool_kafka::{KafkaTransport, KafkaTransportBuilder};
use jkool_transport::{Disposition, ErrorKind, Transport as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

const TOPIC: &str = "producer";

fn cluster() -> (MockCluster<'static, DefaultProducerContext>, KafkaTransportBuilder) {
    let cluster = MockCluster::new(1).expect("a cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    let builder = KafkaTransport::builder().brokers(cluster.bootstrap_servers()).topic(TOPIC);
    (cluster, builder)
}

/// Starts a send and forgets it, so that its records are librdkafka's alone.
async fn cancelled_send(transport: &KafkaTransport) {
    let batch = events(100);
    let mut send = Box::pin(transport.send(&batch));
    poll_fn(|cx| {
        assert!(send.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn close_waits_for_the_records_of_cancelled_sends() {
    let (cluster, builder) = cluster();
    let transport = builder.linger(Duration::from_secs(1)).build().expect("a transport");
    cancelled_send(&transport).await;
    assert_eq!(transport.stats().waiting(), 100);
    transport.close().await.expect("an orderly end");
    assert_eq!((transport.stats().waiting(), transport.stats().delivered), (0, 100));
    assert_eq!(common::read(&cluster.bootstrap_servers(), TOPIC).len(), 100);
}

#[tokio::test]
async fn a_dropped_transport_throws_nothing_away() {
    let (cluster, builder) = cluster();
    let transport = builder.linger(Duration::from_secs(1)).build().expect("a transport");
    cancelled_send(&transport).await;
    drop(transport);
    let records = || common::read(&cluster.bootstrap_servers(), TOPIC).len();
    tokio::time::timeout(common::payloads::LONG, async {
        while records() < 100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("all records");
}

#[tokio::test]
async fn brokers_that_are_away_are_a_retry_in_doubt_and_come_back() {
    let (cluster, builder) = cluster();
    let transport = builder.timeout(Duration::from_secs(2)).build().expect("a transport");
    cluster.broker_down(1).expect("down");
    let receipt = transport.send(&events(3)).await;
    assert_eq!(marks(&receipt), "r?r?r?");
    assert_eq!(failure(&transport.send(&[event(4)]).await).error.kind(), ErrorKind::Timeout);
    cluster.broker_up(1).expect("up");
    let delivered = async { while !transport.send(&[event(5)]).await.is_delivered() {} };
    tokio::time::timeout(common::payloads::LONG, delivered).await.expect("the broker is back");
}

#[tokio::test]
async fn health_tells_the_state_of_records_and_brokers() {
    let (cluster, builder) = cluster();
    let transport = builder.property("statistics.interval.ms", "50").build().expect("a transport");
    let client = Client::builder().transport(transport).source("APPL=Test".parse().expect("a source"));
    let client = client.build().expect("a client");
    let becomes = async |name: &str, is_so: fn(f64) -> bool| {
        let value = || client.health().transport.into_iter().find(|metric| metric.name == name);
        let told = async {
            while !value().is_some_and(|metric| is_so(metric.value)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(LONG, told).await.is_ok(), "{name}: {:?}", client.health().transport);
    };
    assert_eq!(client.event("Order").emit(), Admission::Accepted);
    assert!(client.flush_async(LONG).await.is_delivered());
    becomes("kafka_records_delivered", |count| count == 1.0).await;
    becomes("kafka_brokers_up", |count| count == 1.0).await;
    becomes("kafka_round_trip_seconds", |time| time > 0.0 && time < 60.0).await;
    cluster.broker_down(1).expect("down");
    assert_eq!(client.event("Order").emit(), Admission::Accepted);
    becomes("kafka_brokers_down", |count| count == 1.0).await;
    becomes("kafka_records_waiting", |count| count == 1.0).await;
    becomes("kafka_waiting_bytes", |size| size > 100.0).await;
    cluster.broker_up(1).expect("up");
    assert!(client.flush_async(LONG).await.is_delivered());
    becomes("kafka_brokers_up", |count| count == 1.0).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_makes_no_duplicate() {
    let (cluster, builder) = cluster();
    let transport = builder.build().expect("a transport");
    cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION],
    );
    let batch = events(1000);
    assert!(transport.send(&batch).await.is_delivered());
    let values: Vec<_> =
        common::read(&cluster.bootstrap_servers(), TOPIC).into_iter().map(|record| record.value).collect();
    assert_eq!(values, common::payloads::bodies(&batch));
}

#[tokio::test]
async fn a_fatal_error_makes_a_new_producer() {
    let (cluster, builder) = cluster();
    let transport = builder.timeout(Duration::from_secs(10)).build().expect("a transport");
    cluster.request_errors(
        RDKafkaApiKey::InitProducerId,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED],
    );
    let refused = failure(&transport.send(&[event(1)]).await);
    assert!(matches!(refused.disposition, RETRY | Disposition::Misconfigured), "{refused:?}");
    assert!(transport.send(&[event(2)]).await.is_delivered());
}

#[tokio::test]
async fn a_payload_that_is_too_large_does_not_reach_the_broker() {
    let (cluster, builder) = cluster();
    let transport = builder.max_message_bytes(1000).build().expect("a transport");
    let large = jkool_transport::Payload::new(jkool_transport::Kind::Event, vec![b' '; 1000]);
    assert_eq!(marks(&transport.send(&[event(1), large, event(2)]).await), ".l.");
    assert_eq!(common::read(&cluster.bootstrap_servers(), TOPIC).len(), 2);
}
