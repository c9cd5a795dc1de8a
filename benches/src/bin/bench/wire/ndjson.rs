//! Batches as NDJSON, one request at a time: the limit of a client with one connection.

use super::{Job, Row, Watch, reqwest, runtime};
use crate::delivers::Delivers;
use jkool_benches::event::{Encode, append, full, full_by_hand, small};
use jkool_benches::raw_http::RawHttp;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "limit:ndjson64",
        delivers: Delivers::Everything,
        about: "64 full events per POST, written by hand to 1 TcpStream, waits for each answer",
        events: 200_000,
        run: |job, _| raw(job, 64, full),
    },
    Row {
        name: "limit:ndjson512",
        delivers: Delivers::Everything,
        about: "the same, 512",
        events: 200_000,
        run: |job, _| raw(job, 512, full),
    },
    Row {
        name: "limit:ndjson512-hand",
        delivers: Delivers::Everything,
        about: "the same, encoded by hand",
        events: 200_000,
        run: |job, _| raw(job, 512, full_by_hand),
    },
    Row {
        name: "limit:ndjson512-reqwest",
        delivers: Delivers::Everything,
        about: "limit:ndjson512 with reqwest (async)",
        events: 200_000,
        run: with_reqwest,
    },
    Row {
        name: "limit:ndjson512-small",
        delivers: Delivers::Everything,
        about: "limit:ndjson512 with the small event",
        events: 200_000,
        run: |job, _| raw(job, 512, small),
    },
    Row {
        name: "limit:ndjson512-pre",
        delivers: Delivers::Everything,
        about: "limit:ndjson512, encoded before the clock starts (transport alone)",
        events: 200_000,
        run: encoded_before,
    },
];

/// Encodes batch by batch; `ship` gets each, and gives back a buffer for the next.
pub(super) fn batches(events: u64, size: u64, encode: Encode, mut ship: impl FnMut(Vec<u8>) -> Vec<u8>) {
    let (mut message, mut body) = (String::new(), Vec::with_capacity(size as usize * 1000));
    for i in 0..events {
        append(&mut body, &mut message, i, encode);
        body.push(b'\n');
        if (i + 1) % size == 0 || i + 1 == events {
            body = ship(body);
            body.clear();
        }
    }
}

/// All batches of full events, in memory.
pub(super) fn encoded(events: u64) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    batches(events, 512, full, |body| {
        all.push(body.clone());
        body
    });
    all
}

fn raw(job: &Job, size: u64, encode: Encode) {
    let mut http = RawHttp::connect(job.port);
    batches(job.events, size, encode, |body| {
        http.post(&body);
        body
    });
}

fn encoded_before(job: &Job, watch: &mut Watch) {
    let bodies = encoded(job.events);
    watch.restart();
    let mut http = RawHttp::connect(job.port);
    bodies.iter().for_each(|body| http.post(body));
}

fn with_reqwest(job: &Job, _: &mut Watch) {
    let runtime = runtime();
    let client = reqwest::client();
    let url = format!("http://127.0.0.1:{}/jkool", job.port);
    batches(job.events, 512, full, |body| {
        runtime.block_on(reqwest::post(&client, &url, body));
        Vec::with_capacity(512 * 1000)
    });
}
