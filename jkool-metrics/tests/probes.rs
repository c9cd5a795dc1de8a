//! What is looked at when an interval ends, beside what is recorded.
#![cfg(all(feature = "process", feature = "tokio"))]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_metrics::client::Client;
use jkool_metrics::model::Snapshot;
use jkool_metrics::transport::{Kind, MemoryTransport};
use std::time::Duration;

#[test]
fn the_process_and_its_runtimes_are_told_with_each_interval() {
    let memory = MemoryTransport::new();
    let client = Client::builder().transport(memory.clone()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let builder = jkool_metrics::builder().client(client).every(Duration::from_secs(3_600)).process();
    let (_recorder, guard) = builder.tokio_runtime("orders", runtime.handle()).build().unwrap();
    guard.send_now();
    assert!(guard.shutdown(Duration::from_secs(30)).is_delivered());
    let snapshots: Vec<Snapshot> = memory.decode(Kind::Snapshot).unwrap();
    let mut names: Vec<&str> = snapshots.iter().map(|snapshot| &*snapshot.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["process", "process", "tokio", "tokio"]);
    assert!(snapshots.iter().all(|snapshot| snapshot.category == "System"));
    #[cfg(target_os = "linux")]
    {
        // No thread has begun since.
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let threads =
            status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap().trim().parse::<i64>().unwrap();
        let process = snapshots.iter().find(|snapshot| snapshot.name == "process").unwrap();
        let told =
            process.properties.iter().find(|property| property.name == "threads").unwrap().value.as_i64().unwrap();
        assert!((threads..=threads + 8).contains(&told), "{told} told, {threads} now");
    }
}
