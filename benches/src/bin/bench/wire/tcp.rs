//! Lines over raw TCP: what is left without HTTP.

use super::ndjson::encoded;
use super::{Job, Row, Watch};
use crate::delivers::Delivers;
use jkool_benches::event::{append, full};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "limit:tcp",
        delivers: Delivers::Everything,
        about: "full events, a line each, in writes of 64 KiB; waits for the sink's count",
        events: 200_000,
        run: lines,
    },
    Row {
        name: "limit:tcp-pre",
        delivers: Delivers::Everything,
        about: "the same, encoded before the clock starts (transport alone)",
        events: 200_000,
        run: encoded_before,
    },
];

fn lines(job: &Job, _: &mut Watch) {
    let mut stream = connect(job);
    let (mut message, mut lines) = (String::new(), Vec::with_capacity(70_000));
    for i in 0..job.events {
        append(&mut lines, &mut message, i, full);
        lines.push(b'\n');
        if lines.len() >= 64 << 10 {
            stream.write_all(&lines).expect("the sink");
            lines.clear();
        }
    }
    stream.write_all(&lines).expect("the sink");
    finish(stream);
}

fn encoded_before(job: &Job, watch: &mut Watch) {
    let bodies = encoded(job.events);
    watch.restart();
    let mut stream = connect(job);
    for body in &bodies {
        stream.write_all(body).expect("the sink");
    }
    finish(stream);
}

fn connect(job: &Job) -> TcpStream {
    TcpStream::connect(("127.0.0.1", job.tcp_port)).expect("a sink on that port")
}

/// The sink answers when it has read all.
fn finish(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).expect("the sink");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the sink's answer");
    assert!(answer.ends_with('\n'), "{answer}");
}
