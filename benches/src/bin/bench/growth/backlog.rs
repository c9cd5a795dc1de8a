//! More events that an earlier process has left in the spool: from the start of a client until it has delivered them.

use super::{Cost, scaled, table};
use async_trait::async_trait;
use jkool_benches::jkool::{PATIENCE, client, finish, lossless};
use jkool_benches::null_transport::NullTransport;
use jkool_benches::usage::Cpu;
use jkool_client::transport::{Disposition, ErrorKind, Failure, Payload, Receipt, Transport, TransportError};
use jkool_client::{Spool, SpoolMode};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(super) fn run(scale: f64) {
    let case = |(to, events): (&str, u64)| (to.to_owned(), cost(scaled(events, scale)));
    table("backlog in the spool", [("1 k", 1_000), ("100 k", 100_000), ("1 M", 1_000_000)].into_iter().map(case));
}

fn cost(events: u64) -> Cost {
    let folder = std::env::temp_dir().join(format!("jkool-benches-{}", std::process::id()));
    fill(&folder, events);
    let cost = drain(&folder, events);
    std::fs::remove_dir_all(folder).expect("the spool's folder");
    cost
}

fn spool(folder: &Path) -> Spool {
    Spool::new(folder).mode(SpoolMode::WriteAhead).max_bytes(8 << 30).sync(false)
}

fn fill(folder: &Path, events: u64) {
    // One send at a time: those that have failed stay in memory, and several could fill it.
    let client = lossless(client()).transport(Unreachable).spool(spool(folder)).in_flight(1).notices(false);
    let client = client.build().expect("a client");
    for i in 0..events {
        client.event("orders").message(format!("order {i} processed in {} ms", i & 63)).emit();
    }
    let report = client.flush_durable(PATIENCE);
    assert!(report.is_durable(), "{report}");
    let report = client.shutdown(Duration::ZERO);
    assert!(report.is_durable(), "{report}");
}

fn drain(folder: &Path, events: u64) -> Cost {
    let (cpu, start) = (Cpu::of_process(), Instant::now());
    let client = lossless(client()).transport(NullTransport).spool(spool(folder)).build().expect("a client");
    // A flush waits only for what has been taken over already.
    while client.stats().delivered() < events {
        assert!(start.elapsed() < PATIENCE, "{}", client.stats());
        sleep(Duration::from_micros(100));
    }
    let wall = start.elapsed();
    let cpu_us = (Cpu::of_process() - cpu).total_us();
    finish(&client);
    assert_eq!(client.stats().delivered(), events);
    Cost { events, calls: None, wall, cpu_us }
}

/// A server that is down.
#[derive(Debug)]
struct Unreachable;

#[async_trait]
impl Transport for Unreachable {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let error = TransportError::new(ErrorKind::Connect, "nobody is there");
        Receipt::failed(batch.len(), Failure::new(Disposition::Retry { after: None }, error))
    }

    fn max_batch(&self) -> usize {
        512
    }

    async fn close(&self) -> Result<(), TransportError> {
        Ok(())
    }
}
