//! How many events a second go from a topic through a relay to a server that keeps nothing:
//! `KAFKA_BROKERS=.. cargo bench --features relay --bench relay`. It needs a topic `TOPIC` (`bench` unless it is set) with six partitions,
//! and fills it with `EVENTS` (1,000,000) of about 500 bytes, unless it holds them.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::disallowed_methods, reason = "a benchmark")]

use jkool_client::{Client, OverflowPolicy};
use jkool_kafka::{KafkaSource, KafkaTransport, RecordKey};
use jkool_relay::Relay;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Answers every request, and keeps nothing of it.
fn null_sink() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    url
}

fn serve(mut stream: TcpStream) -> Option<()> {
    let (mut buffer, mut held) = (vec![0; 1 << 16], Vec::new());
    loop {
        // The head, then as much as it says.
        let end = loop {
            if let Some(end) = held.windows(4).position(|part: &[u8]| part == b"\r\n\r\n") {
                break end + 4;
            }
            held.extend_from_slice(&buffer[..stream.read(&mut buffer).ok().filter(|read| *read > 0)?]);
        };
        let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
        let length = head.split("content-length:").nth(1)?.split("\r\n").next()?.trim().parse::<usize>().ok()?;
        let mut left = (end + length).saturating_sub(held.len());
        held.drain(..(end + length).min(held.len()));
        while left > 0 {
            let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
            held.extend_from_slice(&buffer[left.min(read)..read]);
            left -= left.min(read);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

fn fill(brokers: &str, topic: &str, events: u64) {
    let transport = KafkaTransport::builder().brokers(brokers).topic(topic).key(RecordKey::Correlator);
    let client = Client::builder()
        .transport(transport.build().expect("a transport"))
        .source("APPL=Bench#SERVER=web-1".parse().expect("a source"))
        .overflow(OverflowPolicy::Block(Duration::from_secs(60)))
        .build()
        .expect("a client");
    let began = Instant::now();
    for number in 0..events {
        let event = client.event("ProcessOrder").message(format!("Order {number} was processed for a customer"));
        event.correlator(format!("order-{number}")).location("Atlanta, Ga").property("amount", 42.5).emit();
    }
    let report = client.flush(Duration::from_secs(600));
    assert!(report.is_delivered(), "{report}");
    println!("produced: {:.0} events a second", events as f64 / began.elapsed().as_secs_f64());
}

/// What the process takes in memory, at most, in KiB.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.map_or_else(String::new, |line| line["VmHWM:".len()..].trim().to_owned())
}

fn main() {
    let (brokers, topic) = (variable("KAFKA_BROKERS", "127.0.0.1:9092"), variable("TOPIC", "bench"));
    let events: u64 = variable("EVENTS", "1000000").parse().expect("a number");
    if std::env::var_os("FILL").is_some() {
        return fill(&brokers, &topic, events);
    }
    let group = format!("bench-{}", std::process::id());
    let source = KafkaSource::builder().brokers(&brokers).topic(&topic).group(group).start().expect("a source");
    let url = null_sink();
    let client = Client::builder().url(url).token("bench").http(|http| http.batches(512));
    let relay = Relay::builder(source, client).build().expect("a relay");
    let status = relay.status();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut began = None;
    let stop = async {
        while status.settled() < events {
            if began.is_none() && status.received() > 0 {
                began = Some(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = began.map_or(Duration::ZERO, |began| began.elapsed());
        println!("relayed: {:.0} events a second, {} of memory at most", events as f64 / took.as_secs_f64(), peak());
    };
    runtime.block_on(relay.run(stop)).expect("a relay that ends well");
}
