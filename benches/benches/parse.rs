//! From text to the model.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jkool_benches::event::{SOURCE, Sample};
use jkool_model::{Event, SourceFqn};

fn main() {
    divan::main();
}

#[divan::bench]
fn full_event(bencher: Bencher<'_, '_>) {
    let event = Sample::new(123_456, 1_800_000_000_000_000).event;
    let json = serde_json::to_string(&event).expect("memory");
    let parse = || serde_json::from_str::<Event>(black_box(&json)).expect("an event");
    bencher.counter(BytesCount::of_str(&json)).bench_local(parse);
}

#[divan::bench]
fn source_name(bencher: Bencher<'_, '_>) {
    let parse = || black_box(SOURCE).parse::<SourceFqn>().expect("a source name");
    bencher.counter(BytesCount::of_str(SOURCE)).bench_local(parse);
}
