//! What goes wrong between here and a broker, by a broker that does what a script says.
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::broker::{Answer, Broker, Came};
use common::payloads::{LONG, RETRY, bodies, event, events, failure, marks};
use jkool_mqtt::{MqttTransport, MqttTransportBuilder, MqttVersion};
use jkool_transport::{Disposition, ErrorKind, Kind, Payload, Receipt, Transport as _};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

fn builder(broker: &Broker) -> MqttTransportBuilder {
    MqttTransport::builder().server(broker.url()).topic("jkool").client_id("faults")
}

/// What came over this connection, by its number.
fn over(came: &[Came], connection: usize) -> Vec<(bool, String)> {
    let came = came.iter().filter(|came| came.connection == connection);
    came.map(|came| (came.is_resent, came.payload.clone())).collect()
}

async fn send(transport: &MqttTransport, batch: &[Payload]) -> Receipt {
    tokio::time::timeout(LONG, transport.send(batch)).await.expect("the send hangs")
}

#[tokio::test]
async fn what_has_no_acknowledgement_is_sent_again_in_order_and_marked() {
    for version in [MqttVersion::V5, MqttVersion::V311] {
        let broker = Broker::start();
        broker.state().holds_back = true;
        let transport = builder(&broker).version(version).build().expect("a transport");
        let batch = events(20);
        let (receipt, ()) = tokio::join!(send(&transport, &batch), async {
            while broker.state().came.len() < 20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            broker.cut();
            broker.release();
        });
        assert!(receipt.is_delivered(), "{receipt:?}");
        let came = broker.state().came.clone();
        let again: Vec<_> = bodies(&batch).into_iter().map(|body| (true, body)).collect();
        assert_eq!(over(&came, 1), again, "{version:?}");
        let ids = |connection| came.iter().filter(move |came| came.connection == connection).map(|came| came.id);
        assert!(ids(0).eq(ids(1)), "the same identifiers");
        assert_eq!((transport.stats().published, transport.stats().resent, transport.stats().delivered), (20, 20, 20));
    }
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_begun_anew() {
    let broker = Broker::start();
    broker.state().forgets = true;
    broker.state().script = [Answer::Reason(0), Answer::Close].into();
    let transport = builder(&broker).build().expect("a transport");
    assert!(send(&transport, &events(3)).await.is_delivered());
    let came = broker.state().came.clone();
    assert!(came.iter().all(|came| !came.is_resent), "nothing is a repetition to who knows of nothing: {came:?}");
    assert_eq!(over(&came, 1).len(), 2);
}

#[tokio::test]
async fn an_acknowledgement_too_many_is_passed_over_and_counted() {
    let broker = Broker::start();
    let unknown = b"\x40\x02\x77\x77\x40\x03\x77\x77\x87".to_vec();
    broker.state().script = [Answer::Twice, Answer::Bytes(unknown), Answer::Twice].into();
    let transport = builder(&broker).build().expect("a transport");
    assert_eq!(marks(&send(&transport, &events(4)).await), "....");
    assert_eq!(transport.stats().delivered, 4);
    // The last of them may come after the last that was waited for.
    assert!(send(&transport, &[event(5)]).await.is_delivered());
    assert_eq!((transport.stats().strays, broker.state().connects.len()), (4, 1));
}

#[tokio::test]
async fn each_message_has_the_answer_that_the_broker_gave_it() {
    let broker = Broker::start();
    broker.state().script = [0, 0x10, 0x87, 0x99, 0x80, 0x95, 0x97, 0].map(Answer::Reason).into();
    let transport = builder(&broker).build().expect("a transport");
    let receipt = send(&transport, &events(8)).await;
    assert_eq!(marks(&receipt), "..mxrlm.");
    let stats = transport.stats();
    assert_eq!((stats.delivered, stats.unheard, stats.failed), (3, 1, 5));
    let metrics = transport.metrics();
    let failed = metrics.iter().find(|metric| metric.name == "mqtt_messages_failed").expect("a metric");
    assert_eq!(failed.value, 5.0);
}

#[tokio::test]
async fn no_more_is_under_way_than_the_broker_takes() {
    let broker = Broker::start();
    {
        let mut state = broker.state();
        state.properties = b"\x21\0\x03".to_vec();
        state.holds_back = true;
    }
    let transport = builder(&broker).build().expect("a transport");
    let batch = events(50);
    let (receipt, ()) = tokio::join!(send(&transport, &batch), async {
        while broker.state().came.len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Time for a fourth, which must not come.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(broker.state().came.len(), 3);
        broker.release();
    });
    assert!(receipt.is_delivered());
    let came: Vec<_> = broker.accepted().into_iter().map(|came| came.payload).collect();
    assert_eq!(came, bodies(&batch));
}

#[tokio::test]
async fn a_packet_that_is_larger_than_the_broker_takes_is_not_sent() {
    let broker = Broker::start();
    broker.state().properties = b"\x27\0\0\0\x64".to_vec();
    let transport = builder(&broker).build().expect("a transport");
    // Five bytes of text, and with 2 + 2 + 5 + 2 + 1 before the payload 100 in all.
    let of = |bytes: usize| Payload::new(Kind::Event, vec![b' '; bytes]);
    let receipt = send(&transport, &[event(1), of(89), of(88), event(2)]).await;
    assert_eq!(marks(&receipt), ".l..");
    assert_eq!(broker.state().came.len(), 3);
    let error = failure(&send(&transport, &[of(500)]).await).error.to_string();
    assert!(error.contains("limit of 100"), "{error}");
}

#[tokio::test]
async fn each_refusal_of_a_connection_says_what_to_do() {
    let broker = Broker::start();
    let cases = [
        (MqttVersion::V5, &b"\x20\x03\0\x86\0"[..], "m", "bad user name or password"),
        (MqttVersion::V5, b"\x20\x03\0\x87\0", "m", "not authorized"),
        (MqttVersion::V5, b"\x20\x03\0\x85\0", "m", "client identifier not valid"),
        (MqttVersion::V5, b"\x20\x03\0\x84\0", "m", "unsupported protocol version"),
        (MqttVersion::V5, b"\x20\x02\0\x01", "m", "unsupported protocol version"),
        (MqttVersion::V5, b"\x20\x03\0\x8a\0", "m", "banned"),
        (MqttVersion::V5, b"\x20\x03\0\x9d\0", "m", "server moved"),
        (MqttVersion::V5, b"\x20\x05\0\0\x02\x24\0", "m", "QoS 1"),
        (MqttVersion::V5, b"\x20\x03\0\x88\0", "r", "server unavailable"),
        (MqttVersion::V5, b"\x20\x03\0\x89\0", "r", "server busy"),
        (MqttVersion::V5, b"\x20\x03\0\x9f\0", "r", "connection rate exceeded"),
        (MqttVersion::V311, b"\x20\x02\0\x01", "m", "unsupported protocol version"),
        (MqttVersion::V311, b"\x20\x02\0\x02", "m", "client identifier not valid"),
        (MqttVersion::V311, b"\x20\x02\0\x03", "r", "server unavailable"),
        (MqttVersion::V311, b"\x20\x02\0\x04", "m", "bad user name or password"),
        (MqttVersion::V311, b"\x20\x02\0\x05", "m", "not authorized"),
        (MqttVersion::V5, b"HTTP/1.1 400 Bad Request\r\n\r\n", "r", "malformed packet"),
        (MqttVersion::V5, b"\xd0\0\x40\x02\0\x01", "r", "unexpected packet"),
        (MqttVersion::V5, b"\x20\xff\xff\xff\x7f", "r", "larger than the maximum packet size"),
        (MqttVersion::V5, b"\xe0\x01\x8e", "m", "taken over"),
    ];
    for (version, connack, mark, text) in cases {
        broker.state().connacks.push_back(connack.to_vec());
        let transport = builder(&broker).version(version).build().expect("a transport");
        let receipt = send(&transport, &events(2)).await;
        assert_eq!(marks(&receipt), mark.repeat(2), "{connack:?}");
        broker.state().connacks.push_back(connack.to_vec());
        let error = failure(&send(&transport, &[event(1)]).await).error;
        assert!(error.to_string().contains(text), "{error}");
        assert!(send(&transport, &[event(1)]).await.is_delivered(), "once the broker consents");
    }
}

#[tokio::test]
async fn whatever_a_broker_sends_ends_in_an_answer() {
    let broker = Broker::start();
    let transport = builder(&broker).build().expect("a transport");
    for bytes in [
        &b"\x40\x01\0"[..],
        b"\x40\xff\xff\xff\xff\xff",
        b"\x30\xff\xff\xff\x7f",
        b"\xf0\0",
        b"\x20\x03\0\0\0",
        b"\x32\x07\0\x01a\0\x01\0x",
        b"\xe0\x01\x8b",
        b"\xe0\x02\x8b\x05",
        b"\x40",
        b"",
    ] {
        // Both times that the message is sent.
        let last = Answer::Last(bytes.to_vec());
        broker.state().forgets = true;
        broker.state().script = [last].into();
        assert!(send(&transport, &[event(1)]).await.is_delivered(), "{bytes:?}");
        broker.state().came.clear();
    }
}

#[tokio::test]
async fn what_ends_each_connection_fails_in_doubt_and_may_be_for_its_content() {
    let broker = Broker::start();
    broker.state().script = [Answer::CloseEachTime].into();
    let transport = builder(&broker).build().expect("a transport");
    let failed = failure(&send(&transport, &[event(1)]).await);
    let found = (failed.disposition, failed.maybe_delivered, failed.maybe_rejected, failed.error.kind());
    assert_eq!(found, (RETRY, true, true, ErrorKind::Interrupted), "{failed:?}");
    assert_eq!(broker.state().came.len(), 2, "once, and once again");
    assert!(send(&transport, &[event(2)]).await.is_delivered());
}

#[tokio::test]
async fn a_broker_that_ends_the_connection_over_a_large_message_says_so() {
    let broker = Broker::start();
    broker.state().script = [Answer::Last(b"\xe0\x01\x95".to_vec())].into();
    let transport = builder(&broker).build().expect("a transport");
    let failed = failure(&send(&transport, &[event(1)]).await);
    assert_eq!(failed.disposition, Disposition::TooLarge, "{failed:?}");
}

#[tokio::test]
async fn a_silent_broker_is_a_timeout_in_doubt() {
    let broker = Broker::start();
    broker.state().script = [Answer::Silence].into();
    let transport = builder(&broker).timeout(Duration::from_secs(5)).build().expect("a transport");
    let failed = failure(&send(&transport, &[event(1)]).await);
    let found = (failed.disposition, failed.maybe_delivered, failed.maybe_rejected, failed.error.kind());
    assert_eq!(found, (RETRY, true, true, ErrorKind::Timeout), "{failed:?}");
    assert!(send(&transport, &[event(2)]).await.is_delivered());
}

#[tokio::test]
async fn a_broker_that_is_away_is_a_retry_without_doubt() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", free.local_addr().expect("an address"));
    drop(free);
    let transport = MqttTransport::builder().server(url).topic("jkool").build().expect("a transport");
    assert_eq!(marks(&send(&transport, &events(3)).await), "rrr");
    assert_eq!(failure(&send(&transport, &[event(1)]).await).error.kind(), ErrorKind::Connect);
    transport.close().await.expect("nothing was written");
}

#[tokio::test]
async fn a_broker_that_takes_connections_and_says_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    let builder = MqttTransport::builder().server(url).topic("jkool");
    let transport = builder.connect_timeout(Duration::from_millis(500)).build().expect("a transport");
    let failed = failure(&send(&transport, &[event(1)]).await);
    assert_eq!((failed.error.kind(), failed.maybe_delivered), (ErrorKind::Timeout, false), "{failed:?}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_by_pings() {
    let broker = Broker::start();
    let transport = builder(&broker).keep_alive(Duration::from_secs(1)).build().expect("a transport");
    assert!(send(&transport, &[event(1)]).await.is_delivered());
    tokio::time::timeout(LONG, async {
        while broker.state().pings < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("pings");
    assert!(send(&transport, &[event(2)]).await.is_delivered());
    assert_eq!(broker.state().connects.len(), 1);
}

#[tokio::test]
async fn an_idle_connection_that_ended_is_replaced() {
    let broker = Broker::start();
    let transport = builder(&broker).build().expect("a transport");
    for number in 0..5 {
        assert!(send(&transport, &[event(number)]).await.is_delivered());
        broker.cut();
    }
    assert_eq!(broker.accepted().len(), 5);
}

/// Sends a hundred events and gives the send up while they are under way.
async fn cancelled_send(broker: &Broker, transport: &MqttTransport) {
    broker.state().holds_back = true;
    let batch = events(100);
    let mut send = Box::pin(transport.send(&batch));
    while broker.state().came.len() < 100 {
        poll_fn(|cx| {
            assert!(send.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn close_waits_for_the_messages_of_cancelled_sends() {
    let broker = Broker::start();
    let transport = builder(&broker).build().expect("a transport");
    cancelled_send(&broker, &transport).await;
    broker.cut();
    broker.release();
    transport.close().await.expect("an orderly end");
    assert_eq!((transport.stats().delivered, broker.accepted().len()), (100, 200));
    drop(broker.wait_until("a farewell", |state| state.farewells == 1));
}

#[tokio::test]
async fn a_dropped_transport_throws_nothing_away() {
    let broker = Broker::start();
    let transport = builder(&broker).build().expect("a transport");
    cancelled_send(&broker, &transport).await;
    broker.cut();
    drop(transport);
    broker.release();
    tokio::time::timeout(LONG, async {
        while broker.state().farewells == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all are acknowledged, and then it ends");
    assert_eq!(over(&broker.state().came, 1).len(), 100);
}

#[test]
fn a_runtime_that_ended_is_followed_by_the_next() {
    let broker = Broker::start();
    let transport = builder(&broker).build().expect("a transport");
    for number in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        assert!(runtime.block_on(send(&transport, &[event(number)])).is_delivered());
    }
}
