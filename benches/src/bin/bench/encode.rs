//! Encoding: from the full event to its JSON, in all ways by turns, so that noise meets all alike.

use jkool_benches::event::{ENCODERS, Sample};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

const EVENTS: u64 = 64;

pub(crate) fn run(batches: usize) {
    let samples: Vec<Sample> = (0..EVENTS).map(|i| Sample::new(100_000 + i, 1_800_000_000_000_000 + i)).collect();
    let mut out = Vec::new();
    let mut times = vec![Vec::with_capacity(batches); ENCODERS.len()];
    let mut bytes = vec![0; ENCODERS.len()];
    for batch in 0..batches {
        for turn in 0..ENCODERS.len() {
            // Each comes after each other one equally often.
            let of = (turn + batch) % ENCODERS.len();
            out.clear();
            let start = Instant::now();
            for sample in &samples {
                (ENCODERS[of].encode)(black_box(sample), &mut out);
            }
            times[of].push(start.elapsed());
            bytes[of] = black_box(&out).len();
        }
    }
    for ((encoder, mut times), bytes) in ENCODERS.iter().zip(times).zip(bytes) {
        times.sort_unstable();
        let median = times[times.len() / 2].as_nanos() as f64 / EVENTS as f64;
        let result = json!({
            "workload": "encode", "row": encoder.name, "ns": median, "bytes": bytes as f64 / EVENTS as f64,
        });
        println!("{result}");
    }
}
