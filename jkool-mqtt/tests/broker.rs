//! A real broker: mosquitto, which the tests start. `.ci/mqtt` installs it and runs them.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test ends there, as it should, and tells how it went")]

mod common;
#[macro_use]
#[path = "../../jkool-transport/tests/common/suite.rs"]
mod suite;

use common::mosquitto::{Mosquitto, Subscriber};
use common::payloads::{LONG, bodies, event, events, failure, marks};
use jkool_client::model::{Activity, Event, Snapshot};
use jkool_client::{Admission, Client};
use jkool_mqtt::{MqttSource, MqttSourceBuilder, MqttTransport, MqttTransportBuilder, MqttVersion};
use jkool_transport::{Disposition, Kind, Payload, Transport as _};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use suite::{Fixture, Next};

contract!(
    [ignore = "needs mosquitto: .ci/mqtt"]
    mosquitto,
    crate::Real,
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

fn builder(broker: &Mosquitto) -> MqttTransportBuilder {
    MqttTransport::builder().server(broker.url()).topic("jkool/{kind}")
}

struct Real {
    subscriber: Subscriber,
    transport: Arc<MqttTransport>,
    // The last to go.
    _broker: Mosquitto,
}

impl Fixture for Real {
    type Transport = MqttTransport;

    fn new() -> Self {
        let broker = Mosquitto::start("contract", "");
        let subscriber = broker.subscribe("jkool/#");
        let transport = builder(&broker).max_batch(4).build().expect("a transport");
        Self { subscriber, transport: Arc::new(transport), _broker: broker }
    }

    fn transport(&self) -> Arc<MqttTransport> {
        Arc::clone(&self.transport)
    }

    fn next(&self, _: &[Next]) {
        panic!("a real broker fails when it likes");
    }

    fn attempts(&self) -> Option<usize> {
        Some(usize::try_from(self.transport.stats().published).expect("few").div_ceil(4))
    }

    fn accepted(&self) -> Vec<(Kind, String)> {
        let delivered = usize::try_from(self.transport.stats().delivered).expect("few");
        let kinds = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];
        let kind = |topic: &str| kinds.into_iter().find(|kind| topic == format!("jkool/{kind}")).expect("a kind");
        self.subscriber.wait_for(delivered).into_iter().map(|(topic, payload)| (kind(&topic), payload)).collect()
    }
}

/// What reads TNT4J's messages reads ours: the same entities, sent by our client, have the same topic and payload.
#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn messages_are_those_of_tnt4j() {
    let broker = Mosquitto::start("tnt4j", "");
    let golden: Vec<serde_json::Value> = include_str!("wire/tnt4j_mqtt.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .filter(|case: &serde_json::Value| case["case"] != "mqtt-log-no-topic")
        .collect();
    for case in &golden {
        let subscriber = broker.subscribe("#");
        // Without a setting its topic is the source's name.
        let topic =
            if case["case"].as_str().expect("a name").ends_with("no-topic") { "{source}" } else { "tnt4jStream" };
        let transport = MqttTransport::builder().server(broker.url()).topic(topic).build().expect("a transport");
        let client = Client::builder().transport(transport).build().expect("a client");
        let payload = case["mqtt"]["payload"].as_str().expect("a payload");
        let admission = match case["case"].as_str() {
            Some("mqtt-event") => client.emit(serde_json::from_str::<Event>(payload).expect("an event")),
            Some("mqtt-activity-no-topic") => {
                client.emit(serde_json::from_str::<Activity>(payload).expect("an activity"))
            }
            _ => client.emit(serde_json::from_str::<Snapshot>(payload).expect("a snapshot")),
        };
        assert_eq!(admission, Admission::Accepted);
        let report = client.flush_async(Duration::from_secs(60)).await;
        assert!(report.is_delivered(), "{report:?}");
        let (topic, ours) = subscriber.wait_for(1).remove(0);
        assert_eq!(Some(&*topic), case["mqtt"]["topic"].as_str());
        let theirs = serde_json::from_str(payload).expect("JSON");
        let ours: serde_json::Value = serde_json::from_str(&ours).expect("JSON");
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
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_broker_restarted_under_load_loses_nothing() {
    for version in [MqttVersion::V5, MqttVersion::V311] {
        restarts(version).await;
    }
}

async fn restarts(version: MqttVersion) {
    const EVENTS: usize = 30_000;
    const RESTARTS: usize = 10;
    let broker = Arc::new(Mosquitto::start("restart", ""));
    let subscriber = broker.subscribe("jkool/#");
    let transport = Arc::new(builder(&broker).version(version).build().expect("a transport"));
    let client = Client::builder()
        .transport(Arc::clone(&transport))
        .queue_events(2 * EVENTS)
        .queue_bytes(256 << 20)
        .build()
        .expect("a client");
    let delivered = || usize::try_from(transport.stats().delivered).expect("few");
    for part in 0..=RESTARTS {
        let (first, behind) = (part * EVENTS / (RESTARTS + 1), (part + 1) * EVENTS / (RESTARTS + 1));
        for number in first..behind {
            assert_eq!(client.event(format!("op-{number}")).emit(), Admission::Accepted);
        }
        if part < RESTARTS {
            // In the middle of delivery.
            while delivered() < first + 100 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let broker = Arc::clone(&broker);
            tokio::task::spawn_blocking(move || broker.restart()).await.expect("a restart");
        }
    }
    let report = client.flush_async(Duration::from_secs(100)).await;
    assert!(report.is_delivered(), "{report:?}");
    let payloads = subscriber.wait_for_distinct(EVENTS);
    let stats = transport.stats();
    // Some of these the broker has sent twice itself, to who could not acknowledge them before the restart.
    let twice = payloads.len() - EVENTS;
    println!("{version:?}: {EVENTS} events, {RESTARTS} restarts, {twice} twice, {stats:?}");
    assert!(stats.connections > RESTARTS as u64, "each restart ended a connection: {stats:?}");
    assert!(stats.published <= EVENTS as u64 + stats.in_doubt, "sent again without need: {stats:?}");
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_wrong_password_is_misconfigured_until_it_is_right() {
    let broker = Mosquitto::with_password("password", "shop", "canary-7");
    for (version, user, password, mark) in [
        (MqttVersion::V5, "shop", "canary-7", "."),
        (MqttVersion::V5, "shop", "canary-8", "m"),
        (MqttVersion::V5, "other", "canary-7", "m"),
        (MqttVersion::V311, "shop", "canary-7", "."),
        (MqttVersion::V311, "shop", "canary-8", "m"),
    ] {
        let builder = builder(&broker).version(version).credentials(user, password).allow_plaintext_password(true);
        let transport = builder.build().expect("a transport");
        let receipt = transport.send(&[event(1)]).await;
        assert_eq!(marks(&receipt), mark, "{receipt:?}");
        assert!(!format!("{receipt:?}").contains("canary"));
    }
    let anonymous = builder(&broker).build().expect("a transport");
    assert_eq!(failure(&anonymous.send(&[event(1)]).await).disposition, Disposition::Misconfigured);
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_topic_that_may_not_be_written_to_is_misconfigured() {
    let broker = Mosquitto::with_access("access", "topic write jkool/event\n");
    let transport = builder(&broker).build().expect("a transport");
    let batch = [event(1), Payload::new(Kind::Log, "{}"), event(2)];
    assert_eq!(marks(&transport.send(&batch).await), ".m.");
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_message_that_the_broker_finds_too_large_is_too_large() {
    // The first is told at the connection, the second by the acknowledgement.
    for setting in ["max_packet_size 1000\n", "message_size_limit 1000\n"] {
        let broker = Mosquitto::start("large", setting);
        let transport = builder(&broker).build().expect("a transport");
        let large = Payload::new(Kind::Event, vec![b' '; 2000]);
        assert_eq!(marks(&transport.send(&[event(1), large, event(2)]).await), ".l.", "{setting}");
    }
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn tls_reaches_the_broker_that_the_certificate_names() {
    let (broker, authority) = Mosquitto::with_tls("tls");
    let subscriber = broker.subscribe("jkool/#");
    let transport = |server: String, pem: String| {
        let builder = MqttTransport::builder().server(server).topic("jkool/{kind}").ca_certificate_pem(pem);
        builder.build().expect("a transport")
    };
    let right = transport(broker.tls_url("localhost"), authority.clone());
    assert!(right.send(&events(300)).await.is_delivered());
    assert_eq!(subscriber.wait_for(300).len(), 300);
    right.close().await.expect("an orderly end");
    // A name that is not in the certificate, and an authority that has not signed it.
    let (_, stranger) = Mosquitto::certificate();
    for wrong in [transport(broker.tls_url("127.0.0.1"), authority), transport(broker.tls_url("localhost"), stranger)] {
        let failed = failure(&wrong.send(&[event(1)]).await);
        assert_eq!((failed.disposition, failed.maybe_delivered), (Disposition::Misconfigured, false), "{failed:?}");
    }
}

fn source(broker: &Mosquitto) -> MqttSourceBuilder {
    MqttSource::builder().server(broker.url()).client_id("relay").topic("jkool/#")
}

/// The payloads of the next messages. What passes by itself is passed over.
async fn receive(source: &mut MqttSource, count: usize) -> Vec<(u64, String)> {
    let mut messages = Vec::new();
    let received = async {
        while messages.len() < count {
            match source.next().await {
                Ok(message) => {
                    messages.push((message.offset, String::from_utf8(message.payload.to_vec()).expect("UTF-8")));
                }
                Err(failure) => assert!(matches!(failure.disposition, Disposition::Retry { .. }), "{failure:?}"),
            }
        }
    };
    tokio::time::timeout(LONG, received).await.expect("messages");
    messages
}

/// Subscribes, so that the broker keeps what is sent from now on. A message that has a subscriber shows it, which is the first that
/// the source gets.
async fn subscribe(broker: &Mosquitto, source: &mut MqttSource) {
    let transport = builder(broker).build().expect("a transport");
    let marker = Payload::new(Kind::Log, "marker");
    for unheard in 0.. {
        assert!(transport.send(std::slice::from_ref(&marker)).await.is_delivered());
        if transport.stats().unheard == unheard {
            break;
        }
        let next = tokio::time::timeout(Duration::from_millis(50), source.next()).await;
        assert!(next.is_err(), "before anything was sent: {next:?}");
    }
    let (offset, body) = receive(source, 1).await.remove(0);
    assert_eq!(body, "marker");
    source.settle(offset).await;
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn what_is_not_settled_comes_again_to_the_next_program() {
    for version in [MqttVersion::V5, MqttVersion::V311] {
        let broker = Mosquitto::start("source", "max_inflight_messages 0\n");
        let mut first = source(&broker).version(version).build().expect("a source");
        subscribe(&broker, &mut first).await;
        let transport = builder(&broker).build().expect("a transport");
        let batch = events(10);
        assert!(transport.send(&batch).await.is_delivered());
        let messages = receive(&mut first, 10).await;
        first.settle(messages[3].0).await;
        // As a program that is killed.
        drop(first);
        let mut second = source(&broker).version(version).build().expect("a source");
        // An acknowledgement that was still on the way may be lost with the connection.
        let mut again = Vec::new();
        while again.last() != bodies(&batch).last() {
            again.extend(receive(&mut second, 1).await.into_iter().map(|(_, body)| body));
        }
        assert!(again.ends_with(&bodies(&batch[4..])), "{again:?}");
        second.settle(u64::MAX).await;
        second.close().await;
        let mut third = source(&broker).version(version).build().expect("a source");
        subscribe(&broker, &mut third).await;
    }
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_restarted_broker_loses_nothing_on_the_way_to_a_source() {
    let broker = Mosquitto::start("source-restart", "");
    let mut source = source(&broker).build().expect("a source");
    subscribe(&broker, &mut source).await;
    let transport = builder(&broker).build().expect("a transport");
    let batch = events(200);
    assert!(transport.send(&batch).await.is_delivered());
    let (mut came, mut restarts) = (HashSet::new(), 0);
    while came.len() < batch.len() {
        let (offset, body) = receive(&mut source, 1).await.remove(0);
        came.insert(body);
        // With messages that are handed out and not settled, and others that are on their way.
        if came.len() / 30 > restarts {
            restarts += 1;
            broker.restart();
        }
        if offset % 10 == 9 {
            source.settle(offset - 5).await;
        }
    }
    assert_eq!((came, restarts), (bodies(&batch).into_iter().collect(), 6));
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn a_source_takes_no_more_than_it_may_leave_unsettled() {
    let broker = Mosquitto::start("source-limit", "");
    let mut source = source(&broker).max_unsettled(5).build().expect("a source");
    subscribe(&broker, &mut source).await;
    let transport = builder(&broker).build().expect("a transport");
    assert!(transport.send(&events(20)).await.is_delivered());
    let first = receive(&mut source, 5).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), source.next()).await.is_err(), "a sixth");
    source.settle(first[1].0).await;
    assert_eq!(receive(&mut source, 2).await.len(), 2);
    source.pause();
    source.settle(u64::MAX).await;
    assert!(tokio::time::timeout(Duration::from_millis(300), source.next()).await.is_err(), "it is paused");
    source.resume();
    assert_eq!(receive(&mut source, 5).await.len(), 5);
}

#[tokio::test]
#[ignore = "needs mosquitto: .ci/mqtt"]
async fn programs_that_share_a_filter_share_the_messages() {
    let broker = Mosquitto::start("source-shared", "");
    let shared = |id: &str| source(&broker).client_id(id).topic("$share/relays/jkool/#").build().expect("a source");
    let (mut one, mut other) = (shared("one"), shared("other"));
    let transport = builder(&broker).build().expect("a transport");
    subscribe(&broker, &mut one).await;
    // Until each of them gets some.
    let (mut sent, mut came) = (0, [Vec::new(), Vec::new()]);
    while came.iter().any(Vec::is_empty) {
        // Undisturbed, so that it connects and subscribes.
        let nothing = tokio::time::timeout(Duration::from_secs(1), other.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        assert!(transport.send(&[event(sent)]).await.is_delivered());
        sent += 1;
        let next = async {
            tokio::select! {
                message = one.next() => (0, message.expect("a message")),
                message = other.next() => (1, message.expect("a message")),
            }
        };
        let (which, message) = tokio::time::timeout(LONG, next).await.expect("a message");
        // So that the broker's limit of what is unsettled is never met.
        [&mut one, &mut other][which].settle(message.offset).await;
        came[which].push(String::from_utf8(message.payload.to_vec()).expect("UTF-8"));
    }
    let mut all = came.concat();
    all.sort();
    let mut expected = bodies(&events(sent));
    expected.sort();
    assert_eq!(all, expected);
}
