//! What every transport promises, against librdkafka's mock cluster.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;
#[macro_use]
#[path = "../../jkool-transport/tests/common/suite.rs"]
mod suite;

use jkool_kafka::{KafkaTransport, RecordKey};
use jkool_transport::{Disposition, Kind};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::sync::Arc;
use suite::{Fixture, Next};

// Kafka never says how long to wait: librdkafka heeds its brokers' quotas itself.
contract!(
    one_by_one,
    crate::Mock<1>,
    takes_one,
    takes_many_in_order,
    takes_all_kinds_in_order,
    takes_odd_bodies_as_they_are,
    takes_more_than_fits_one_unit,
    an_empty_batch_is_no_work,
    goes_on_after_a_refused_payload,
    goes_on_after_a_large_payload,
    does_not_try_the_rest_when_misconfigured,
    only_what_was_under_way_is_in_doubt,
    works_again_after_each_failure,
    closes_once_and_for_all,
    shared_is_the_same,
    sends_do_not_disturb_each_other,
    a_dropped_send_does_no_harm,
);
// The records of a unit travel in requests as librdkafka makes them, so that a failed request is not a failed unit.
contract!(
    several_at_once,
    crate::Mock<4>,
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

const TOPIC: &str = "contract";

struct Mock<const MAX: usize> {
    cluster: MockCluster<'static, DefaultProducerContext>,
    transport: Arc<KafkaTransport>,
}

impl<const MAX: usize> Fixture for Mock<MAX> {
    type Transport = KafkaTransport;

    fn new() -> Self {
        let cluster = MockCluster::new(1).expect("a cluster");
        cluster.create_topic(TOPIC, 1, 1).expect("a topic");
        let builder = KafkaTransport::builder().brokers(cluster.bootstrap_servers()).topic(TOPIC);
        let builder = builder.key(RecordKey::None).max_batch(MAX).max_message_bytes(4 << 20);
        Self { cluster, transport: Arc::new(builder.build().expect("a transport")) }
    }

    fn transport(&self) -> Arc<KafkaTransport> {
        Arc::clone(&self.transport)
    }

    /// By answers that librdkafka passes on: most that a record survives it tries again itself.
    fn next(&self, next: &[Next]) {
        let answers = next.iter().map(|next| match next {
            Next::Accept => RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
            Next::NoAnswer => RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN,
            Next::Fail(Disposition::Retry { .. }) => RDKafkaRespErr::RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
            Next::Fail(Disposition::Misconfigured) => RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            Next::Fail(Disposition::TooLarge) => RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            Next::Fail(Disposition::Rejected) => RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD,
            Next::Fail(other) => panic!("a new disposition: {other:?}"),
        });
        self.cluster.request_errors(RDKafkaApiKey::Produce, &answers.collect::<Vec<_>>());
    }

    fn attempts(&self) -> Option<usize> {
        Some(usize::try_from(self.transport.stats().enqueued).expect("few").div_ceil(MAX))
    }

    fn accepted(&self) -> Vec<(Kind, String)> {
        let records = common::read(&self.cluster.bootstrap_servers(), TOPIC);
        records.into_iter().map(|record| (kind(&record.value), record.value)).collect()
    }
}

/// The kind is not on the wire; the test that sends others than events writes it into them.
fn kind(value: &str) -> Kind {
    let kinds = [Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
    kinds.into_iter().find(|kind| value == format!(r#"{{"is":"{kind}"}}"#)).unwrap_or(Kind::Event)
}
