//! `jkool send` to a real mosquitto, and `jkool relay` from it: `.ci/mqtt` installs one.
#![cfg(unix)]

#[allow(dead_code, unreachable_pub, clippy::expect_used, reason = "it is jkool-mqtt's, of which this uses a part")]
#[path = "../../../jkool-mqtt/tests/common/mosquitto.rs"]
mod mosquitto;
mod payloads {
    /// How long the broker is waited for.
    pub(super) const LONG: std::time::Duration = std::time::Duration::from_secs(120);
}

use crate::common::{TempFile, collector, eventually, jkool, numbers, run};
use crate::running::Running;
use jkool_client::{Admission, Client};
use jkool_collector::Collector;
use jkool_mqtt::MqttTransport;
use mosquitto::Mosquitto;
use std::time::Duration;

fn relay(broker: &Mosquitto, collector: &Collector) -> Running {
    let from = format!("{}/jkool/#?client_id=relay", broker.url());
    let args = ["relay", "--from", &from, "--to", &collector.url(), "--max-in-flight", "50"];
    Running::start(&mut jkool(&args))
}

/// Waits until a relay has subscribed: a broker keeps nothing for who has not yet. Sends event 0.
fn subscribed(broker: &Mosquitto, collector: &Collector) {
    let to = format!("{}/jkool/orders", broker.url());
    eventually("a first event", || {
        let sent = run(&["send", "0", "--url", &to]);
        assert_eq!(sent.code, 0, "{}", sent.err);
        numbers(collector).contains(&0).then_some(())
    });
}

#[test]
#[ignore = "needs mosquitto: .ci/mqtt"]
fn a_relay_that_is_killed_is_followed_by_one_that_gets_what_was_left() {
    const COUNT: u32 = 2_000;
    let (broker, collector) = (Mosquitto::start("killed", ""), collector());
    let relay = || relay(&broker, &collector);
    let to = format!("{}/jkool/orders", broker.url());
    let first = relay();
    subscribed(&broker, &collector);
    let lines: String = (1..COUNT).map(|n| format!("{{\"operation\":\"Order\",\"msg-text\":\"{n}\"}}\n")).collect();
    let file = TempFile::new("orders.jsonl", &lines);
    let mut sender = Running::start(&mut jkool(&["send", "--url", &to, "--file", file.path()]));
    eventually("some of the orders", || (numbers(&collector).len() > 100).then_some(()));
    drop(first);
    let second = relay();
    assert_eq!(sender.wait_with_output().code, 0);
    eventually("all orders", || (numbers(&collector).len() as u32 == COUNT).then_some(()));
    assert_eq!(second.terminate().code, 0);
}

#[test]
#[ignore = "needs mosquitto: .ci/mqtt"]
fn ten_restarts_of_the_broker_and_a_kill_of_the_relay_lose_nothing() {
    const RESTARTS: u32 = 10;
    const PART: u32 = 1_000;
    let (broker, collector) = (Mosquitto::start("restarts", ""), collector());
    let mut running = relay(&broker, &collector);
    subscribed(&broker, &collector);
    let transport = MqttTransport::builder().server(broker.url()).topic("jkool/orders").build().unwrap();
    let client = Client::builder().transport(transport).source("APPL=Test".parse().unwrap());
    let client = client.queue_events(100_000).queue_bytes(1 << 28).build().unwrap();
    for part in 0..=RESTARTS {
        for number in part * PART + 1..=(part + 1) * PART {
            let event = client.event("Order").message(number.to_string());
            assert_eq!(event.emit(), Admission::Accepted);
        }
        if part < RESTARTS {
            // In the middle of it, on both sides.
            let some = (part * PART + PART / 10) as usize;
            eventually("some of the orders", || (numbers(&collector).len() > some).then_some(()));
            if part == RESTARTS / 2 {
                drop(running);
                running = relay(&broker, &collector);
            }
            broker.restart();
        }
    }
    let report = client.flush(Duration::from_secs(100));
    assert!(report.is_delivered(), "{report}");
    let all = ((RESTARTS + 1) * PART + 1) as usize;
    eventually("all orders", || (numbers(&collector).len() == all).then_some(()));
    assert_eq!(running.terminate().code, 0);
}
