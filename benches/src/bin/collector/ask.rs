//! Asking.

use jkool_benches::event::now_us;
use jkool_collector::{Filter, MetricName, Query, Reader, Store, StoreError};
use jkool_model::Timestamp;
use std::time::Instant;

pub(crate) fn run(store: &Store) {
    let now = Timestamp::from_usec(now_us() as i64);
    let find = |text: &str| {
        let filter = Filter::take(&mut Query::parse(text)).expect("a filter");
        time(store, &format!("find {text}"), |reader| reader.find(&filter, 100, None, now).map(|found| found.len()));
    };
    for text in ["", "severity=>=ERROR", "severity=CRITICAL", "operation=pay", "operation=nothing", "source=SERVER=host-3", "source=DATACENTER=DC1", "text=order", "text=123456", "text=\"processed in 17\"", "corrid=order-1000", "operation=pay&severity=CRITICAL", "source=SERVER=host-3&severity=ERROR&operation=ship","text=order&severity=CRITICAL", "text=order&severity=FATAL", "text=processed&operation=pay&source=SERVER=host-3", "severity=FATAL", "operation=pay&source=SERVER=host-1", "until=1h&severity=ERROR", "since=5m&operation=pay&source=SERVER=host-1", "corrid=order-1000&text=order", "kind=activity"] { find(text); }
    let all = Filter::default();
    for text in ["", "severity=>=ERROR", "operation=pay", "source=DATACENTER=DC1", "text=order", "text=123456", "since=15m", "corrid=order-1000"] {
        let filter = Filter::take(&mut Query::parse(text)).expect("a filter");
        time(store, &format!("histogram {text}"), |reader| reader.histogram(&filter, 60, now).map(|found| found.len()));
        time(store, &format!("top operations {text}"), |reader| reader.top_operations(&filter, 10, now).map(|found| found.len()));
    }
    time(store, "top sources", |reader| reader.top_sources(&all, 10, now).map(|found| found.len()));
    let amount = MetricName { category: "Order".into(), snapshot: "Payment".into(), property: "order-no".into() };
    time(store, "metric", |reader| reader.metric(&amount, &all, 60, now).map(|found| found.len()));
    time(store, "flows", |reader| reader.flows(&all, now).map(|found| found.len()));
    time(store, "sizes", |reader| reader.sizes().map(|found| found.events as usize));
    time(store, "related", |reader| {
        let one = reader.find(&all, 1, None, now)?.remove(0);
        reader.related(&one, 100).map(|found| found.len())
    });
}

fn time(store: &Store, what: &str, ask: impl Fn(&Reader<'_>) -> Result<usize, StoreError>) {
    let mut times: Vec<_> = (0..7).map(|_| {
        let start = Instant::now();
        let found = store.read_now(&ask).expect("an answer");
        (start.elapsed(), found)
    }).collect();
    let first = times[0].0;
    times.sort();
    println!("| {what} | {} | {:.2} ms | {:.2} ms |", times[3].1, times[3].0.as_secs_f64() * 1e3, first.as_secs_f64() * 1e3);
}
