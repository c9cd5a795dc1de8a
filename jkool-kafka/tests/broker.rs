//! A real broker, which `.ci/kafka` starts. `KAFKA_BROKERS` holds its address, `KAFKA_BROKER` a command that takes `kill` and `start`.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;
#[macro_use]
#[path = "../../jkool-transport/tests/common/suite.rs"]
mod suite;

use common::payloads::{event, failure, marks};
use jkool_client::model::{Event, Snapshot};
use jkool_client::{Admission, Client};
use jkool_kafka::{Compression, KafkaTransport, KafkaTransportBuilder, RecordKey};
use jkool_transport::{Disposition, Kind, Payload, Transport as _};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use suite::{Fixture, Next};

contract!(
    [ignore = "needs a broker: .ci/kafka"]
    several_at_once,
    crate::Broker,
    takes_one,
    takes_many_in_order,
    takes_all_kinds_in_order,
    takes_odd_bodies_as_they_are,
    takes_more_than_fits_one_unit,
    an_empty_batch_is_no_work,
    closes_once_and_for_all,
    shared_is_the_same,
    sends_do_not_disturb_each_other,
    a_dropped_send_does_no_harm,
);

fn brokers() -> String {
    std::env::var("KAFKA_BROKERS").expect("KAFKA_BROKERS, as .ci/kafka sets it")
}

/// A topic of one partition that no other test has.
fn new_topic(name: &str) -> String {
    let topic = format!("{name}-{}", uuid::Uuid::new_v4());
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers()).create().expect("an admin client");
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    let options = AdminOptions::new();
    // The tests are on a runtime already; this needs none.
    let created = futures_executor::block_on(admin.create_topics([&new], &options));
    created.expect("an answer").remove(0).expect("a topic");
    topic
}

fn builder(topic: &str) -> KafkaTransportBuilder {
    KafkaTransport::builder().brokers(brokers()).topic(topic)
}

struct Broker {
    topic: String,
    transport: Arc<KafkaTransport>,
}

impl Fixture for Broker {
    type Transport = KafkaTransport;

    fn new() -> Self {
        let topic = new_topic("contract");
        let builder = builder(&topic).key(RecordKey::None).max_batch(4).max_message_bytes(4_000_000);
        Self { topic, transport: Arc::new(builder.build().expect("a transport")) }
    }

    fn transport(&self) -> Arc<KafkaTransport> {
        Arc::clone(&self.transport)
    }

    fn next(&self, _: &[Next]) {
        panic!("a real broker fails when it likes");
    }

    fn attempts(&self) -> Option<usize> {
        Some(usize::try_from(self.transport.stats().enqueued).expect("few").div_ceil(4))
    }

    fn accepted(&self) -> Vec<(Kind, String)> {
        let records = common::read(&brokers(), &self.topic);
        let kinds = [Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
        let kind = |value: &str| {
            let kind = kinds.into_iter().find(|kind| value == format!(r#"{{"is":"{kind}"}}"#));
            kind.unwrap_or(Kind::Event)
        };
        records.into_iter().map(|record| (kind(&record.value), record.value)).collect()
    }
}

/// What reads TNT4J's records reads ours: the same entities, sent by our client, have the same key and value and no headers.
#[tokio::test]
#[ignore = "needs a broker: .ci/kafka"]
async fn records_are_those_of_tnt4j() {
    let topic = new_topic("tnt4j");
    let transport = builder(&topic).compression(Compression::Lz4).build().expect("a transport");
    let client = Client::builder().transport(transport).build().expect("a client");
    let golden: Vec<serde_json::Value> = include_str!("wire/tnt4j_kafka.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|case: &serde_json::Value| case["case"] != "kafka-write")
        .collect();
    for case in &golden {
        let value = case["kafka"]["value"].as_str().expect("a value");
        let admission = match case["case"].as_str() {
            Some("kafka-event") => client.emit(serde_json::from_str::<Event>(value).expect("an event")),
            _ => client.emit(serde_json::from_str::<Snapshot>(value).expect("a snapshot")),
        };
        assert_eq!(admission, Admission::Accepted);
    }
    let report = client.flush_async(Duration::from_secs(60)).await;
    assert!(report.is_delivered(), "{report:?}");
    let records = common::read(&brokers(), &topic);
    assert_eq!(records.len(), golden.len());
    for (case, record) in golden.iter().zip(records) {
        assert_eq!(record.key.as_deref(), case["kafka"]["key"].as_str());
        assert_eq!(record.headers, 0);
        let theirs = serde_json::from_str(case["kafka"]["value"].as_str().expect("a value")).expect("JSON");
        let ours: serde_json::Value = serde_json::from_str(&record.value).expect("JSON");
        let missing = missing(&theirs, &ours);
        assert!(missing.is_empty(), "{missing:?} differ in {ours:#}");
    }
}

/// The names under which theirs has something that ours has not. Left out is what follows from other names (the number of a
/// severity or type, the application in the source, a snapshot's name with its category and the count of its properties) and what
/// says that there is nothing; a list of one may be its item.
fn missing(theirs: &serde_json::Value, ours: &serde_json::Value) -> Vec<String> {
    let theirs = theirs.as_object().expect("an object").iter();
    let differs = theirs.filter(|(name, value)| {
        let is_twice = name.ends_with("-no") || ["source", "fqn", "count"].contains(&name.as_str());
        let is_nothing = **value == 0 || **value == "none" || **value == "";
        let is_item = value.as_array().is_some_and(|items| *items == [ours[name.as_str()].clone()]);
        !is_twice && !is_nothing && !is_item && ours[name.as_str()] != **value
    });
    differs.map(|(name, _)| name.clone()).collect()
}

#[tokio::test]
#[ignore = "needs a broker: .ci/kafka"]
async fn a_broker_killed_under_load_loses_nothing() {
    const EVENTS: usize = 30_000;
    let topic = new_topic("restart");
    let transport = builder(&topic).timeout(Duration::from_secs(5)).build().expect("a transport");
    let client = Client::builder()
        .transport(transport)
        .queue_events(2 * EVENTS)
        .queue_bytes(256 << 20)
        .build()
        .expect("a client");
    let broker = std::env::var("KAFKA_BROKER").expect("KAFKA_BROKER, as .ci/kafka sets it");
    let restarts = std::thread::spawn(move || {
        for _ in 0..2 {
            for step in ["kill", "start"] {
                let command = broker.replace("{}", step);
                let status = std::process::Command::new("bash").args(["-c", &command]).status().expect("a process");
                assert!(status.success(), "{command}: {status}");
            }
        }
    });
    // Half of them while the broker goes down and comes up.
    for number in 0..EVENTS {
        assert_eq!(client.event(format!("op-{number}")).emit(), Admission::Accepted);
        if number % 10 == 0 && !restarts.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    tokio::task::spawn_blocking(|| restarts.join().expect("the restarts")).await.expect("the restarts");
    let report = client.flush_async(Duration::from_secs(100)).await;
    assert!(report.is_delivered(), "{report:?}");
    let keys: Vec<_> = common::read(&brokers(), &topic).into_iter().filter_map(|record| record.key).collect();
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), EVENTS);
    println!("{EVENTS} events, {} twice", keys.len() - EVENTS);
}

#[tokio::test]
#[ignore = "needs a broker: .ci/kafka"]
async fn an_unknown_topic_is_misconfigured_until_it_is_there() {
    let topic = format!("later-{}", uuid::Uuid::new_v4());
    let transport = builder(&topic).timeout(Duration::from_secs(9)).build().expect("a transport");
    let refused = failure(&transport.send(&[event(1)]).await);
    assert_eq!((refused.disposition, refused.maybe_delivered), (Disposition::Misconfigured, false), "{refused:?}");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers()).create().expect("an admin client");
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
    admin.create_topics([&new], &AdminOptions::new()).await.expect("an answer").remove(0).expect("a topic");
    assert!(transport.send(&[event(2)]).await.is_delivered());
}

#[tokio::test]
#[ignore = "needs a broker: .ci/kafka"]
async fn a_record_that_the_broker_finds_too_large_is_too_large() {
    let topic = new_topic("large");
    let transport = builder(&topic).max_message_bytes(8_000_000).build().expect("a transport");
    let large = Payload::new(Kind::Event, vec![b' '; 5_000_000]);
    assert_eq!(marks(&transport.send(&[large]).await), "l");
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
}
