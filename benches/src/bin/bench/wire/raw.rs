//! One full event a request, with no HTTP client at all: the limit of the sink and the machine.

use super::{Job, Row, Watch, runtime};
use crate::delivers::Delivers;
use jkool_benches::event::{append, full};
use jkool_benches::raw_http::{RawHttp, answer_len, append_request};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "limit:raw-seq",
        delivers: Delivers::Everything,
        about: "1 full event per POST, written by hand to 1 TcpStream, waits for each answer",
        events: 100_000,
        run: one_by_one,
    },
    Row {
        name: "limit:raw-c8",
        delivers: Delivers::Everything,
        about: "the same, 8 tokio TcpStreams with 1 under way on each",
        events: 200_000,
        run: |job, _| connections(job, 8),
    },
    Row {
        name: "limit:raw-c32",
        delivers: Delivers::Everything,
        about: "the same, 32",
        events: 200_000,
        run: |job, _| connections(job, 32),
    },
    Row {
        name: "limit:raw-c128",
        delivers: Delivers::Everything,
        about: "the same, 128",
        events: 200_000,
        run: |job, _| connections(job, 128),
    },
    Row {
        name: "limit:raw-pipe32",
        delivers: Delivers::Everything,
        about: "1 full event per POST, 1 TcpStream, HTTP pipelining 32 deep",
        events: 200_000,
        run: pipelined,
    },
];

fn one_by_one(job: &Job, _: &mut Watch) {
    let mut http = RawHttp::connect(job.port);
    let (mut message, mut body) = (String::new(), Vec::new());
    for i in 0..job.events {
        body.clear();
        append(&mut body, &mut message, i, full);
        http.post(&body);
    }
}

fn pipelined(job: &Job, _: &mut Watch) {
    const DEPTH: u64 = 32;
    let mut http = RawHttp::connect(job.port);
    let (mut message, mut body, mut requests) = (String::new(), Vec::new(), Vec::new());
    let (mut sent, mut answered) = (0, 0);
    while answered < job.events {
        requests.clear();
        while sent < job.events && sent - answered < DEPTH {
            body.clear();
            append(&mut body, &mut message, sent, full);
            append_request(&mut requests, &body);
            sent += 1;
        }
        http.send(&requests);
        for _ in 0..(sent - answered).min(DEPTH / 2) {
            http.receive();
            answered += 1;
        }
    }
}

fn connections(job: &Job, connections: usize) {
    runtime().block_on(async {
        let next = Arc::new(AtomicU64::new(0));
        let each = || tokio::spawn(connection(job.port, job.events, Arc::clone(&next)));
        let tasks: Vec<_> = (0..connections).map(|_| each()).collect();
        for task in tasks {
            task.await.expect("a connection");
        }
    });
}

/// Sends the next event of all, until there are none.
async fn connection(port: u16, events: u64, next: Arc<AtomicU64>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a sink on that port");
    stream.set_nodelay(true).expect("no delay");
    let (mut message, mut body, mut request) = (String::new(), Vec::new(), Vec::new());
    let mut answer = vec![0; 4096];
    loop {
        let i = next.fetch_add(1, Relaxed);
        if i >= events {
            return;
        }
        body.clear();
        request.clear();
        append(&mut body, &mut message, i, full);
        append_request(&mut request, &body);
        stream.write_all(&request).await.expect("a request to the sink");
        let mut filled = 0;
        while answer_len(&answer[..filled]).is_none() {
            let read = stream.read(&mut answer[filled..]).await.expect("the sink's answer");
            assert!(read > 0, "the sink closed the connection");
            filled += read;
        }
    }
}
