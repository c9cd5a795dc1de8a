//! Texts in quotes, ours beside serde_json's: what log lines are made of.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jkool_model::json;

fn main() {
    divan::main();
}

/// A text by its name.
#[derive(Debug)]
struct Sample(&'static str, fn() -> String);

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

const SAMPLES: &[Sample] = &[
    Sample("word", || "ORDERS.QUEUE".into()),
    Sample("message", || "order 4711 of customer acme-corp was processed in 13 ms by worker 7".into()),
    Sample("stack trace", || {
        let frame = "\tat com.example.orders.OrderService.process(OrderService.java:118)\n";
        format!("java.lang.IllegalStateException: \"no stock\"\n{}", frame.repeat(20))
    }),
    Sample("json", || r#"{"order":"A-100","items":[{"no":1,"name":"bolt"},{"no":2,"name":"nut"}]}"#.repeat(10)),
    Sample("windows path", || r"C:\Program Files\Orders\bin\orders.exe".into()),
    Sample("umlauts", || "Die Bestellung für Jürgen Müller in Köln wird übermorgen gelöst".into()),
];

#[divan::bench(args = SAMPLES)]
fn jkool(bencher: Bencher<'_, '_>, sample: &Sample) {
    bench(bencher, sample, json::text);
}

#[divan::bench(args = SAMPLES)]
fn serde_json(bencher: Bencher<'_, '_>, sample: &Sample) {
    bench(bencher, sample, |out, text| serde_json::to_writer(out, text).expect("a text"));
}

fn bench(bencher: Bencher<'_, '_>, sample: &Sample, write: fn(&mut Vec<u8>, &str)) {
    let (text, mut out) = (sample.1(), Vec::new());
    bencher.counter(BytesCount::new(text.len())).bench_local(|| {
        out.clear();
        write(&mut out, black_box(&text));
    });
}
