//! A relay from a topic, against librdkafka's mock cluster.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use async_trait::async_trait;
use common::payloads::{LONG, events};
use jkool_client::Client;
use jkool_kafka::{KafkaSource, KafkaTransport};
use jkool_relay::{Relay, RelayReport};
use jkool_transport::{Disposition, ErrorKind, Failure, MemoryTransport, Payload, Receipt, Transport, TransportError};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::time::Duration;

const TOPIC: &str = "source";

type Cluster = MockCluster<'static, DefaultProducerContext>;

async fn cluster(events: usize) -> Cluster {
    let cluster = MockCluster::new(1).expect("a cluster");
    cluster.create_topic(TOPIC, 2, 1).expect("a topic");
    produce(&cluster, events).await;
    cluster
}

async fn produce(cluster: &Cluster, count: usize) {
    let transport = KafkaTransport::builder().brokers(cluster.bootstrap_servers()).topic(TOPIC);
    let transport = transport.build().expect("a transport");
    assert!(transport.send(&events(count)).await.is_delivered());
}

/// Relays until so many records have come, and what of them could be delivered was.
async fn relay(cluster: &Cluster, to: impl Transport, received: u64, settled: u64) -> RelayReport {
    let source = KafkaSource::builder()
        .brokers(cluster.bootstrap_servers())
        .topic(TOPIC)
        .group("relays")
        .property("session.timeout.ms", "6000");
    let client = Client::builder().transport(to).source("APPL=Test".parse().expect("a source"));
    let relay = Relay::builder(source.start().expect("a source"), client);
    let relay = relay.drain_timeout(Duration::from_millis(500)).build().expect("a relay");
    let status = relay.status();
    let stop = async {
        while status.received() < received || status.settled() < settled {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG * 3, relay.run(stop)).await.expect("in time").expect("an orderly end")
}

#[tokio::test]
async fn partitions_that_are_paused_again_and_again_give_each_record_once() {
    let cluster = cluster(5_000).await;
    let memory = MemoryTransport::new();
    let source = KafkaSource::builder()
        .brokers(cluster.bootstrap_servers())
        .topic(TOPIC)
        .group("relays")
        .property("session.timeout.ms", "6000");
    let client = Client::builder().transport(memory.clone()).source("APPL=Test".parse().expect("a source"));
    let relay = Relay::builder(source.start().expect("a source"), client).max_in_flight(50).build().expect("a relay");
    let status = relay.status();
    let stop = async {
        while status.settled() < 5_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG * 3, relay.run(stop)).await.expect("in time").expect("an orderly end");
    let bodies: std::collections::HashSet<_> = memory.bodies().into_iter().collect();
    assert_eq!((memory.len(), bodies.len()), (5_000, 5_000));
}

/// A server that is never there.
#[derive(Debug)]
struct Away;

#[async_trait]
impl Transport for Away {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let error = TransportError::new(ErrorKind::Connect, "away");
        Receipt::failed(batch.len(), Failure::new(Disposition::Retry { after: None }, error))
    }

    fn max_batch(&self) -> usize {
        100
    }

    async fn close(&self) -> Result<(), TransportError> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_relayed_is_committed_and_not_given_again() {
    let cluster = cluster(100).await;
    let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
    let report = relay(&cluster, first.clone(), 100, 100).await;
    assert_eq!((report.settled, report.left, first.len()), (100, 0, 100));
    produce(&cluster, 3).await;
    let report = relay(&cluster, second.clone(), 3, 3).await;
    assert_eq!((report.received, report.settled, second.len()), (3, 3, 3));
}

#[tokio::test]
async fn what_was_not_delivered_is_given_again() {
    let cluster = cluster(100).await;
    let report = relay(&cluster, Away, 100, 0).await;
    assert_eq!((report.settled, report.left), (0, 100));
    let memory = MemoryTransport::new();
    let report = relay(&cluster, memory.clone(), 100, 100).await;
    assert_eq!((report.received, memory.len()), (100, 100));
}

#[tokio::test]
async fn a_commit_that_the_broker_refuses_is_made_again() {
    let cluster = cluster(100).await;
    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refused);
    let source = KafkaSource::builder()
        .brokers(cluster.bootstrap_servers())
        .topic(TOPIC)
        .group("relays")
        .property("session.timeout.ms", "6000");
    let client = Client::builder().transport(MemoryTransport::new()).source("APPL=Test".parse().expect("a source"));
    let relay = Relay::builder(source.start().expect("a source"), client).build().expect("a relay");
    let status = relay.status();
    let stop = async {
        let has = |line: &str| status.to_open_metrics().lines().any(|found| found == line);
        while !has("jkool_relay_commits_failed_total 1") || has("jkool_relay_commits_total 0") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let report = tokio::time::timeout(LONG * 3, relay.run(stop)).await.expect("in time").expect("an orderly end");
    assert_eq!((report.settled, report.left), (100, 0));
    produce(&cluster, 1).await;
    let memory = MemoryTransport::new();
    assert_eq!(self::relay(&cluster, memory.clone(), 1, 1).await.received, 1);
}
