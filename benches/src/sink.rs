//! A hand on the sink, which is another process.

use serde::Deserialize;
use std::io::{Read, Write};
use std::net::TcpStream;

/// What the sink has counted since it was reset.
#[derive(Debug, Deserialize)]
pub struct Counts {
    pub requests: u64,
    pub bytes: u64,
    pub markers: u64,
    pub connections: u64,
    pub cpu_us: u64,
}

pub fn reset(port: u16) {
    ask(port, "POST /reset");
}

pub fn counts(port: u16) -> Counts {
    serde_json::from_str(&ask(port, "GET /stats")).expect("the sink's counts")
}

fn ask(port: u16, what: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a sink on that port");
    let request = format!("{what} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request to the sink");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the sink's answer");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned()).expect("a body")
}
