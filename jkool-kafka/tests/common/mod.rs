//! What the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test file is a crate that uses its part of this")]

#[path = "../../../jkool-transport/tests/common/payloads.rs"]
pub mod payloads;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// A record as any consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub key: Option<String>,
    pub value: String,
    pub headers: usize,
}

/// All records in the topic's partition 0, in order.
pub fn read(brokers: &str, topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "tests")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let mut start = TopicPartitionList::new();
    start.add_partition_offset(topic, 0, Offset::Beginning).expect("an offset");
    consumer.assign(&start).expect("the partition");
    let mut records = Vec::new();
    loop {
        match consumer.poll(Duration::from_secs(60)).expect("an answer in time") {
            Ok(message) => records.push(Record {
                key: message.key().map(text),
                value: text(message.payload().unwrap_or_default()),
                headers: message.headers().map_or(0, |headers| headers.count()),
            }),
            Err(KafkaError::PartitionEOF(_)) => return records,
            // Of a connection that is made again.
            Err(KafkaError::MessageConsumption(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
