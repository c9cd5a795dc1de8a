//! From the full event to its JSON.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jkool_benches::event::{ENCODERS, Encoder, Sample};

fn main() {
    divan::main();
}

#[divan::bench(args = ENCODERS)]
fn full_event(bencher: Bencher<'_, '_>, encoder: &Encoder) {
    let sample = Sample::new(123_456, 1_800_000_000_000_000);
    let mut out = Vec::new();
    (encoder.encode)(&sample, &mut out);
    bencher.counter(BytesCount::new(out.len())).bench_local(|| {
        out.clear();
        (encoder.encode)(black_box(&sample), &mut out);
    });
}
