//! What the transport costs beside librdkafka's own producer, with the same settings and records:
//! `KAFKA_BROKERS=127.0.0.1:9092 TOPIC=bench cargo bench --bench producer`. The topic has to be there; each row of each
//! round writes `RECORDS` (250,000) of some 500 bytes, and so does a round before them that is not counted. `benches/kafka` starts a
//! broker for it.
#![allow(clippy::expect_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use jkool_kafka::KafkaTransport;
use jkool_transport::{Kind, Payload, Transport};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;
/// Sends at once: so many the client has under way by default.
const SENDS: usize = 32;
const BATCH: usize = 2_000;

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Events of 64 operations, which are their keys.
fn payloads() -> Vec<Payload> {
    let payload = |number: usize| {
        let body = format!(
            concat!(
                r#"{{"type":"EVENT","tracking-id":"d8a53d51-5a2c-4f6b-9d0f-{:012x}","operation":"Operation{}","severity":"INFO","#,
                r#""source-fqn":"APPL=WebOrders#SERVER=web-1#NETADDR=10.0.0.7#DATACENTER=DC1#GEOADDR=New York, NY","#,
                r#""time-usec":17960000{:08},"elapsed-time-usec":{},"corrid":["order-{}"],"location":"Atlanta, Ga","#,
                r#""msg-text":"order {} of customer acme-{} was processed in {} ms","pid":4711,"tid":12,"#,
                r#""properties":[{{"name":"amount","type":"double","value":42.5}}]}}"#
            ),
            number,
            number % 64,
            number,
            number % 2_000,
            number / 4,
            number,
            number % 10_000,
            number % 2_000,
        );
        Payload::new(Kind::Event, body).with_key(format!("Operation{}", number % 64))
    };
    (0..BATCH).map(payload).collect()
}

/// CPU time of this process. A tick is 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

fn measure(name: &str, records: u64, run: impl FnOnce()) -> f64 {
    let (begun, before) = (Instant::now(), cpu());
    run();
    let (wall, used) = (begun.elapsed(), cpu() - before);
    let rate = records as f64 / wall.as_secs_f64();
    println!("| {name} | {rate:.0} | {:.2} |", used.as_secs_f64() * 1e6 / records as f64);
    rate
}

struct Count(AtomicU64);

impl ClientContext for Count {}

impl ProducerContext for Count {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        result.as_ref().expect("delivered");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Hands over all records and waits for their reports, which a thread polls for.
fn by_librdkafka(config: &ClientConfig, topic: &str, payloads: &[Payload], records: u64) {
    let producer: BaseProducer<Count> = config.create_with_context(Count(AtomicU64::new(0))).expect("a producer");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while producer.context().0.load(Ordering::Relaxed) < records {
                producer.poll(Duration::from_millis(50));
            }
        });
        for payload in payloads.iter().cycle().take(usize::try_from(records).expect("few")) {
            let key = payload.key().expect("a key");
            let mut record = BaseRecord::to(topic).key(key).payload(payload.body());
            while let Err((error, refused)) = producer.send(record) {
                assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
                std::thread::sleep(Duration::from_millis(1));
                record = refused;
            }
        }
    });
}

fn by_transport(transport: KafkaTransport, payloads: &Arc<[Payload]>, records: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (transport, left) = (Arc::new(transport), Arc::new(Mutex::new(records)));
    let send = || {
        let (transport, left, payloads) = (Arc::clone(&transport), Arc::clone(&left), Arc::clone(payloads));
        async move {
            loop {
                let count = {
                    let mut left = left.lock().expect("no panic");
                    let count = (*left).min(BATCH as u64);
                    *left -= count;
                    count
                };
                if count == 0 {
                    return;
                }
                let receipt = transport.send(&payloads[..count as usize]).await;
                assert!(receipt.is_delivered(), "{receipt:?}");
            }
        }
    };
    runtime.block_on(async {
        let sends: Vec<_> = (0..SENDS).map(|_| tokio::spawn(send())).collect();
        for send in sends {
            send.await.expect("no panic");
        }
    });
}

fn main() {
    let (brokers, topic) = (variable("KAFKA_BROKERS", "127.0.0.1:9092"), variable("TOPIC", "bench"));
    let records: u64 = variable("RECORDS", "250000").parse().expect("RECORDS is a number");
    let payloads: Arc<[Payload]> = payloads().into();
    // What `KafkaTransport` sets.
    let mut config = ClientConfig::new();
    for (name, value) in [
        ("bootstrap.servers", &*brokers),
        ("partitioner", "murmur2_random"),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        ("message.timeout.ms", "30000"),
        ("linger.ms", "5"),
        ("message.max.bytes", "1000000"),
    ] {
        config.set(name, value);
    }
    let size = payloads.iter().map(|payload| payload.body().len()).sum::<usize>() / payloads.len();
    println!("{records} records of {size} B a row\n\n| producer | records/s | CPU µs a record |\n|---|---|---|");
    let round = || {
        let theirs = measure("librdkafka", records, || by_librdkafka(&config, &topic, &payloads, records));
        let transport = KafkaTransport::builder().brokers(&brokers).topic(&topic).build().expect("a transport");
        measure("jkool-kafka", records, || by_transport(transport, &payloads, records)) / theirs
    };
    println!("| not counted: | | |");
    round();
    println!("| counted: | | |");
    let mut ratios: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    ratios.sort_by(f64::total_cmp);
    println!("\njkool-kafka × librdkafka: {:.2} ({:.2}..{:.2})", ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1]);
}
