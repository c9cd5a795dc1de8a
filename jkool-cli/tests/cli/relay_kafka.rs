//! `jkool relay` from a real Kafka, which `.ci/kafka` starts. `KAFKA_BROKERS` holds its addresses, `KAFKA_BROKER` a command that takes
//! `kill`, `start` and `topic`, `KAFKA_NODES` how many brokers there are; `SOAK_SECONDS` how long they are killed and started;
//! `KAFKA_SECURE` the address by TLS and SASL, and `KAFKA_FOLDER` the folder with `ca.pem` and `password`.
#![cfg(all(unix, feature = "kafka"))]
#![allow(clippy::disallowed_methods, reason = "a test's deadlines")]

use crate::common::{Ran, TempFile, collector, eventually, jkool, numbers, run};
use crate::relay::{Folder, start, wait_for_metric};
use crate::running::Running;
use jkool_client::{Admission, Client};
use jkool_collector::Collector;
use jkool_kafka::{KafkaTransport, RecordKey};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many orders are kept in order, enough to reach all partitions of a topic.
const KEYS: u64 = 32;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name}, as .ci/kafka sets it"))
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What the broker's script is asked for.
fn broker(step: &str, arguments: &str) {
    let command = format!("{} {arguments}", variable("KAFKA_BROKER").replace("{}", step));
    let status = Command::new("bash").args(["-c", &command]).status().unwrap();
    assert!(status.success(), "{command}: {status}");
}

/// A topic that no other test has.
fn new_topic(name: &str, partitions: u32) -> String {
    let topic = format!("{name}-{}", std::process::id());
    broker("topic", &format!("{topic} {partitions}"));
    topic
}

fn relay(topic: &str, collector: &Collector) -> Running {
    let from = format!("kafka://{}/{topic}?group={topic}&session.timeout.ms=6000", variable("KAFKA_BROKERS"));
    Running::start(&mut jkool(&["relay", "--from", &from, "--to", &collector.url()]))
}

/// Waits until all have arrived.
fn wait_for(collector: &Collector, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let arrived = numbers(collector);
        if arrived.len() as u64 == count {
            return;
        }
        let missing: Vec<_> = (0..count).filter(|number| !arrived.contains(number)).take(20).collect();
        assert!(Instant::now() < deadline, "{} of {count} have arrived; missing {missing:?}", arrived.len());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// How many records a relay says that it has relayed.
fn relayed(ran: &Ran) -> u64 {
    let line = ran.err.lines().find(|line| line.contains(" relayed in ")).unwrap();
    line.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

fn producer(topic: &str) -> Client {
    let transport =
        KafkaTransport::builder().brokers(variable("KAFKA_BROKERS")).topic(topic).key(RecordKey::Correlator);
    let client = Client::builder().transport(transport.build().unwrap()).source("APPL=Test".parse().unwrap());
    client.queue_events(1_000_000).queue_bytes(1 << 30).build().unwrap()
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn relays_share_a_topic_and_lose_nothing_when_one_and_brokers_are_killed() {
    let (seconds, nodes) = (number("SOAK_SECONDS", 20), number("KAFKA_NODES", 1));
    let (topic, collector) = (new_topic("chaos", 6), collector());
    let (first, second) = (relay(&topic, &collector), relay(&topic, &collector));
    let (client, over) = (producer(&topic), AtomicBool::new(false));
    // Both are at work before anything is killed.
    let emit = |number: u64| {
        let event = client.event("Order").message(number.to_string()).correlator(format!("key-{}", number % KEYS));
        assert_eq!(event.emit(), Admission::Accepted);
    };
    (0..500).for_each(emit);
    wait_for(&collector, 500);
    let mut count = 500;
    let third = std::thread::scope(|scope| {
        let (began, over) = (Instant::now(), &over);
        scope.spawn(move || {
            for node in (1..=nodes).cycle() {
                broker("kill", &node.to_string());
                broker("start", &node.to_string());
                std::thread::sleep(Duration::from_secs(5));
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let (mut first, mut third) = (Some(first), None);
        while began.elapsed() < Duration::from_secs(seconds) {
            for _ in 0..20 {
                emit(count);
                count += 1;
            }
            std::thread::sleep(Duration::from_millis(20));
            if third.is_none() && began.elapsed() > Duration::from_secs(seconds / 2) {
                drop(first.take());
                third = Some(relay(&topic, &collector));
            }
        }
        over.store(true, Ordering::Relaxed);
        third.unwrap()
    });
    let report = client.flush(Duration::from_secs(120));
    assert!(report.is_delivered(), "{report}");
    wait_for(&collector, count);
    // A relay that lost its partitions while the broker was away reads again what it couldn't commit. When the next event of each key
    // arrives, that is over.
    (count..count + KEYS).for_each(emit);
    count += KEYS;
    wait_for(&collector, count);
    let ends = [second.terminate(), third.terminate()];
    ends.iter().for_each(|ran| assert_eq!(ran.code, 0, "{}", ran.err));
    let by_the_two: u64 = ends.iter().map(relayed).sum();
    println!("{count} events, {by_the_two} relayed by the two that were not killed");
    // Everything is committed: a relay that comes now finds only what is new, in whatever partition.
    let last = relay(&topic, &collector);
    (count..count + KEYS).for_each(emit);
    wait_for(&collector, count + KEYS);
    let last = last.terminate();
    let again = relayed(&last) - KEYS;
    assert!(last.code == 0 && again == 0, "{again} again: {}", last.err);
    assert_eq!(numbers(&collector).len() as u64, count + KEYS);
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn a_partition_that_goes_to_another_relay_is_relayed_once() {
    const COUNT: u64 = 3_000;
    let (topic, collector) = (new_topic("handover", 6), collector());
    let first = relay(&topic, &collector);
    let client = producer(&topic);
    let emit = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            let event = client.event("Order").message(number.to_string()).correlator(format!("key-{}", number % KEYS));
            assert_eq!(event.emit(), Admission::Accepted);
        }
        assert!(client.flush(Duration::from_secs(60)).is_delivered());
    };
    emit(0..COUNT / 3);
    wait_for(&collector, COUNT / 3);
    let second = relay(&topic, &collector);
    // It joins while there is work.
    for number in 0..COUNT / 3 {
        emit(COUNT / 3 + number..COUNT / 3 + number + 1);
    }
    wait_for(&collector, COUNT / 3 * 2);
    let first = first.terminate();
    emit(COUNT / 3 * 2..COUNT);
    wait_for(&collector, COUNT);
    let second = second.terminate();
    assert_eq!((first.code, second.code), (0, 0), "{}{}", first.err, second.err);
    assert_eq!(relayed(&first) + relayed(&second), COUNT, "{}{}", first.err, second.err);
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn bad_records_go_to_a_topic_of_their_own() {
    let (topic, dead, collector) = (new_topic("bad", 1), new_topic("dead", 1), collector());
    let brokers = variable("KAFKA_BROKERS");
    let transport = KafkaTransport::builder().brokers(&brokers).topic(&topic).build().unwrap();
    let bodies = ["no event", r#"{"operation":"Order","source-fqn":"APPL=Test","msg-text":"0"}"#];
    let payloads = bodies.map(|body| jkool_transport::Payload::new(jkool_transport::Kind::Event, body));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(jkool_transport::Transport::send(&transport, &payloads)).is_delivered());
    let from = format!("kafka://{brokers}/{topic}?group={topic}");
    let to = format!("kafka://{brokers}/{dead}");
    let args = ["relay", "--from", &from, "--to", &collector.url(), "--dead-letters", &to];
    let child = Running::start(&mut jkool(&args));
    wait_for(&collector, 1);
    // The letter, as another relay finds it in its topic, is no event.
    let from = format!("kafka://{brokers}/{dead}?group={dead}");
    let file = TempFile::missing("letters.json");
    let to = format!("file://{}", file.path());
    let args = ["relay", "--from", &from, "--to", &collector.url(), "--dead-letters", &to];
    let reader = Running::start(&mut jkool(&args));
    let letter = eventually("the letter", || {
        let text = std::fs::read_to_string(&file.0).ok()?;
        serde_json::from_str::<serde_json::Value>(&text).ok()
    });
    assert!(letter["record"].as_str().unwrap().contains(r#""record":"no event""#), "{letter}");
    assert_eq!((child.terminate().code, reader.terminate().code), (0, 0));
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn metrics_contain_the_state_of_the_producer() {
    let (topic, folder) = (new_topic("metrics", 1), Folder::new("kafka-metrics"));
    folder.write("events.jsonl", 0..100);
    let to = format!("kafka://{}/{topic}?statistics.interval.ms=100", variable("KAFKA_BROKERS"));
    let (child, line) = start(&["--from", &folder.path(""), "--to", &to, "--metrics", "127.0.0.1:0"], "metrics at");
    wait_for_metric(&line, "jkool_transport_kafka_records_delivered_total 100");
    wait_for_metric(&line, "jkool_transport_kafka_records_waiting 0");
    wait_for_metric(&line, "jkool_transport_kafka_brokers_up 1");
    assert_eq!(child.terminate().code, 0);
}

/// The url of a topic by TLS and SASL.
fn secure(topic: &str, mechanism: &str, password: &str) -> String {
    let (broker, folder) = (variable("KAFKA_SECURE"), variable("KAFKA_FOLDER"));
    let who = format!("security=sasl_tls&mechanism={mechanism}&user=jkool&{password}&ca={folder}/ca.pem");
    format!("kafka://{broker}/{topic}?{who}")
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn a_topic_is_written_and_read_by_tls_and_sasl() {
    let (topic, collector) = (new_topic("secure", 1), collector());
    let password_file = format!("{}/password", variable("KAFKA_FOLDER"));
    for (number, mechanism) in ["plain", "scram-sha-256", "scram-sha-512"].into_iter().enumerate() {
        let url = secure(&topic, mechanism, &format!("password_file={password_file}"));
        let sent = run(&["send", &number.to_string(), "--url", &url]);
        assert_eq!(sent.code, 0, "{mechanism}: {}", sent.err);
    }
    let password = std::fs::read_to_string(&password_file).unwrap();
    let from = secure(&topic, "scram-sha-512", "password_env=PASSWORD") + &format!("&group={topic}");
    let mut relay = jkool(&["relay", "--from", &from, "--to", &collector.url()]);
    let relay = Running::start(relay.env("PASSWORD", password.trim()));
    wait_for(&collector, 3);
    let ran = relay.terminate();
    assert_eq!((ran.code, relayed(&ran)), (0, 3), "{}", ran.err);
    assert!(!ran.err.contains(password.trim()), "the password is shown");
}

#[test]
#[ignore = "needs a broker: .ci/kafka"]
fn a_wrong_password_or_authority_is_told() {
    let (topic, collector) = (new_topic("strangers", 1), collector());
    let wrong = TempFile::new("wrong-password", "canary-0\n");
    let url = secure(&topic, "scram-sha-512", &format!("password_file={}&group={topic}", wrong.path()));
    // The system's authorities know nothing of the broker's.
    let stranger = url.replace(&format!("&ca={}/ca.pem", variable("KAFKA_FOLDER")), "");
    for (url, said) in [(url, "Authentication"), (stranger, "SSL")] {
        let mut relay = Running::start(&mut jkool(&["relay", "--from", &url, "--to", &collector.url()]));
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(relay.stderr.take().unwrap()));
        let told = lines.find(|line| line.as_ref().unwrap().contains(said));
        assert!(told.is_some(), "{said}");
    }
}
