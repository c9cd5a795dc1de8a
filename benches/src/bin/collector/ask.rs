//! Asking: the store itself, and whole pages over HTTP. The middle of seven times.

use crate::events::Data;
use jkool_benches::event::now_us;
use jkool_collector::{Collector, Filter, MetricName, Query, Reader, StoreError};
use jkool_model::Timestamp;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const DEMO: &[&str] = &[
    "",
    "severity=>=ERROR",
    "severity=FATAL",
    "operation=pay",
    "source=SERVER=host-3",
    "operation=pay&severity=>=WARNING&source=APPL=app-1",
    "text=order",
    "text=\"processed in 17\"",
    "text=123456",
    "text=order&severity=CRITICAL",
    "corrid=order-1000",
    "since=15m&until=10m&severity=ERROR",
];

const BUSY: &[&str] = &[
    "",
    "severity=>=ERROR",
    "severity=FATAL",
    "operation=/api/v1/tenant-7/users/7",
    "source=SERVER=pod-3",
    "source=SERVER=pod-3&severity=ERROR",
    "text=token",
    "text=\"took 17 ms\"",
    "text=user*",
    "corrid=req-1000",
    "where=user=user42",
    "where=elapsed-time-usec>99ms",
    "where=properties.attr7>990",
    "where=user^=user4&where=!severity=INFO",
    "where=snapshots.App/metric-7/p0<0.1",
];

const PAGES: &[&str] = &[
    "/",
    "/?text=order&severity=%3E%3DERROR",
    "/charts",
    "/map",
    "/activities",
    "/errors",
    "/dashboards/overview",
    "/dashboards/processes",
    "/dashboards/business",
    "/api/events?limit=100&severity=%3E%3DERROR",
    "/api/series?buckets=60",
    "/api/aggregate?by=SERVER&measure=p50(elapsed-time-usec)&measure=p95(elapsed-time-usec)&measure=p99(elapsed-time-usec)",
    "/api/aggregate?by=time&measure=avg(elapsed-time-usec)",
    "/api/aggregate?by=operation",
    "/api/facets",
    "/api/stats",
];

const STATEMENTS: &[&str] = &[
    "get number of events group by severity",
    "get number of events bucketed by minute group by severity show as areachart",
    "get avg(elapsedtime), p95(elapsedtime), number of events group by operation sort by p95(elapsedtime) desc limit 20",
    "get events where severity >= 'ERROR' sort by elapsedtime desc limit 20",
];

pub(crate) fn run(data: Data, collector: &Collector) {
    let now = Timestamp::from_usec(now_us() as i64);
    let ask = |what: &str, ask: &dyn Fn(&Reader<'_>) -> Result<usize, StoreError>| {
        line(what, || collector.store().read_now(ask).expect("an answer"));
    };
    let (filters, narrow, metric) = match data {
        Data::Demo => (DEMO, ["operation=pay", "text=order"], ("Order", "Payment", "order-no")),
        Data::Busy => (BUSY, ["source=SERVER=pod-3", "text=token"], ("App", "metric-7", "p0")),
    };
    for text in filters {
        let filter = Filter::take(&mut Query::parse(text)).expect("a filter");
        ask(&format!("the youngest 100, `{text}`"), &|reader| Ok(reader.find(&filter, 100, None, now)?.len()));
    }
    for text in ["", narrow[0], narrow[1]] {
        let filter = Filter::take(&mut Query::parse(text)).expect("a filter");
        ask(&format!("by time and severity, `{text}`"), &|reader| Ok(reader.histogram(&filter, 60, now)?.len()));
    }
    let all = Filter::default();
    let (category, snapshot, property) = metric;
    let metric = MetricName { category: category.into(), snapshot: snapshot.into(), property: property.into() };
    ask("a metric by time", &|reader| Ok(reader.metric(&metric, &all, 60, now)?.len()));
    ask("top operations", &|reader| Ok(reader.top_operations(&all, 10, now)?.len()));
    ask("top sources", &|reader| Ok(reader.top_sources(&all, 10, now)?.len()));
    ask("who sent to whom", &|reader| Ok(reader.flows(&all, now)?.len()));
    ask("what belongs to an event", &|reader| {
        let one = reader.find(&all, 1, None, now)?.remove(0);
        Ok(reader.related(&one, 100)?.len())
    });
    for path in PAGES {
        line(&format!("`GET {path}`, bytes"), || get(collector, path));
    }
    for statement in STATEMENTS {
        let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
        line(&format!("`{statement}`, bytes"), || get(collector, &format!("/jkool-service/jkql?jk_query={encoded}")));
    }
}

fn line(what: &str, ask: impl Fn() -> usize) {
    let mut times: Vec<(Duration, usize)> = (0..7)
        .map(|_| {
            let start = Instant::now();
            let found = ask();
            (start.elapsed(), found)
        })
        .collect();
    times.sort();
    let (time, found) = times[3];
    println!("| {what} | {found} | {:.2} |", time.as_secs_f64() * 1e3);
}

/// The length of an answer.
fn get(collector: &Collector, path: &str) -> usize {
    let address = collector.address();
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..answer.len().min(300)])
    );
    answer.len()
}
