//! The other end: an HTTP/1.1 server, and a raw TCP one, that read all they get and count it.
//!
//!     sink --port 7001 [--tcp-port 7002] [--delay-ms 10] [--threads 1]
//!
//! `GET /stats` answers the counts, `POST /reset` sets them to zero, and any other `POST` is counted when its body is
//! complete; `--delay-ms` holds back the answer. A body that is packed by gzip or snappy is unpacked for its markers, but
//! counts by the bytes that travelled. Over TCP it counts until the other side has said all, and then answers.

mod counter;

use bytes::Bytes;
use counter::Counter;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use jkool_benches::usage::Cpu;
use std::convert::Infallible;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static MARKERS: AtomicU64 = AtomicU64::new(0);
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
/// The CPU time of this process at the last reset.
static CPU_US: AtomicU64 = AtomicU64::new(0);

fn counts() -> String {
    let cpu_us = Cpu::of_process().total_us() - CPU_US.load(Relaxed);
    let [requests, bytes, markers, connections] =
        [&REQUESTS, &BYTES, &MARKERS, &CONNECTIONS].map(|count| count.load(Relaxed));
    serde_json::json!({
        "requests": requests, "bytes": bytes, "markers": markers, "connections": connections, "cpu_us": cpu_us,
    })
    .to_string()
}

fn reset() {
    for count in [&REQUESTS, &BYTES, &MARKERS, &CONNECTIONS] {
        count.store(0, Relaxed);
    }
    CPU_US.store(Cpu::of_process().total_us(), Relaxed);
}

/// Adds what came with a body or a connection to the totals.
fn commit(counter: &Counter) {
    BYTES.fetch_add(counter.bytes, Relaxed);
    MARKERS.fetch_add(counter.markers, Relaxed);
}

async fn answer(request: Request<Incoming>, delay: Duration) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_get = request.method() == Method::GET;
    let body = if is_get {
        counts().into()
    } else if request.uri().path() == "/reset" {
        reset();
        Bytes::new()
    } else {
        // An empty message of protobuf is a whole answer of OTLP.
        let protobuf = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/x-protobuf");
        commit(&count(request).await);
        REQUESTS.fetch_add(1, Relaxed);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        Bytes::from_static(if protobuf { b"" } else { b"{}" })
    };
    Ok(Response::new(body.into()))
}

async fn count(request: Request<Incoming>) -> Counter {
    let encoding = request.headers().get(CONTENT_ENCODING).cloned();
    let mut body = request.into_body();
    let mut counter = Counter::default();
    let mut packed = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        match encoding {
            None => counter.feed(data),
            Some(_) => packed.extend_from_slice(data),
        }
    }
    if let Some(encoding) = encoding {
        counter.feed(&unpack(encoding.as_bytes(), &packed));
        counter.bytes = packed.len() as u64;
    }
    counter
}

/// What can't be unpacked holds no marker, and is missing at the end.
fn unpack(encoding: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let result = match encoding {
        b"gzip" => flate2::read::GzDecoder::new(packed).read_to_end(&mut unpacked).map(|_| ()),
        b"snappy" => snap::raw::Decoder::new().decompress_vec(packed).map(|all| unpacked = all).map_err(Into::into),
        other => Err(std::io::Error::other(String::from_utf8_lossy(other))),
    };
    if let Err(error) = result {
        eprintln!("sink: a body that can't be unpacked: {error}");
    }
    unpacked
}

async fn serve_tcp(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        CONNECTIONS.fetch_add(1, Relaxed);
        tokio::spawn(async move {
            let mut chunk = vec![0; 256 << 10];
            let mut counter = Counter::default();
            while let Ok(len @ 1..) = stream.read(&mut chunk).await {
                counter.feed(&chunk[..len]);
            }
            commit(&counter);
            let answer = format!("{}\n", counter.bytes);
            stream.write_all(answer.as_bytes()).await.unwrap_or_else(|error| eprintln!("sink: {error}"));
        });
    }
}

async fn serve_http(listener: TcpListener, delay: Duration) {
    while let Ok((stream, _)) = listener.accept().await {
        CONNECTIONS.fetch_add(1, Relaxed);
        tokio::spawn(serve_connection(stream, delay));
    }
}

async fn serve_connection(stream: TcpStream, delay: Duration) {
    stream.set_nodelay(true).unwrap_or_else(|error| eprintln!("sink: {error}"));
    let service = service_fn(|request| answer(request, delay));
    let mut http = hyper::server::conn::http1::Builder::new();
    // Clients go away as they like.
    http.pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await.unwrap_or_default();
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments.get(at + 1)?.parse::<u64>().expect("a number"))
    };
    let port = option("--port").expect("--port") as u16;
    let tcp_port = option("--tcp-port").map(|port| port as u16);
    let delay = Duration::from_millis(option("--delay-ms").unwrap_or(0));
    let runtime = match option("--threads") {
        None | Some(1) => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        Some(threads) => {
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads as usize).enable_all().build()
        }
    };
    runtime.expect("a runtime").block_on(async {
        let listen = |port: u16| TcpListener::bind(("127.0.0.1", port));
        let listener = listen(port).await.expect("the port");
        if let Some(port) = tcp_port {
            tokio::spawn(serve_tcp(listen(port).await.expect("the TCP port")));
        }
        // Whoever waits for the sink reads this line.
        println!("listening on 127.0.0.1:{port}");
        serve_http(listener, delay).await;
    });
}
