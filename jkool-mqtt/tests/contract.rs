//! What every transport promises, against a broker that does what a script says.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;
#[macro_use]
#[path = "../../jkool-transport/tests/common/suite.rs"]
mod suite;

use common::broker::{Answer, Broker};
use jkool_mqtt::{MqttTransport, MqttVersion};
use jkool_transport::{Disposition, Kind};
use std::sync::Arc;
use suite::{Fixture, Next};

// A broker never says how long to wait.
contract!(
    one_by_one,
    crate::Scripted<1>,
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
// Each message of a unit has an answer, and so a fate, of its own.
contract!(
    several_at_once,
    crate::Scripted<4>,
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
// By 3.1.1 a broker can't refuse a message.
contract!(
    of_the_older_version,
    crate::Scripted<2, true>,
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

struct Scripted<const MAX: usize, const OLDER: bool = false> {
    broker: Broker,
    transport: Arc<MqttTransport>,
}

impl<const MAX: usize, const OLDER: bool> Fixture for Scripted<MAX, OLDER> {
    type Transport = MqttTransport;

    fn new() -> Self {
        let broker = Broker::start();
        let version = if OLDER { MqttVersion::V311 } else { MqttVersion::V5 };
        let builder = MqttTransport::builder().server(broker.url()).topic("contract/{kind}").version(version);
        Self { broker, transport: Arc::new(builder.max_batch(MAX).build().expect("a transport")) }
    }

    fn transport(&self) -> Arc<MqttTransport> {
        Arc::clone(&self.transport)
    }

    fn next(&self, next: &[Next]) {
        let answers = next.iter().map(|next| match next {
            Next::Accept => Answer::Reason(0),
            Next::NoAnswer => Answer::CloseEachTime,
            Next::Fail(Disposition::Retry { .. }) => Answer::Reason(0x80),
            Next::Fail(Disposition::Misconfigured) => Answer::Reason(0x87),
            Next::Fail(Disposition::TooLarge) => Answer::Reason(0x95),
            Next::Fail(Disposition::Rejected) => Answer::Reason(0x99),
            Next::Fail(other) => panic!("a new disposition: {other:?}"),
        });
        self.broker.state().script = answers.collect();
    }

    fn attempts(&self) -> Option<usize> {
        let state = self.broker.state();
        Some(state.came.iter().filter(|came| !came.is_resent).count().div_ceil(MAX))
    }

    fn accepted(&self) -> Vec<(Kind, String)> {
        let kinds = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
        let kind = |topic: &str| kinds.into_iter().find(|kind| topic == format!("contract/{kind}"));
        let accepted = self.broker.accepted();
        accepted.into_iter().map(|came| (kind(&came.topic).expect("a kind"), came.payload)).collect()
    }
}
