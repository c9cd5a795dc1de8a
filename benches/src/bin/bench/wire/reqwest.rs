//! The same with the HTTP client that most would take.

use super::{Job, Row, Watch, runtime};
use crate::delivers::Delivers;
use jkool_benches::event::{append, full};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "limit:reqwest-seq",
        delivers: Delivers::Everything,
        about: "1 full event per POST, reqwest (async, on the caller's thread), waits for each answer",
        events: 100_000,
        run: |job, _| concurrently(job, 1),
    },
    Row {
        name: "limit:reqwest-blocking-seq",
        delivers: Delivers::Everything,
        about: "the same with reqwest::blocking",
        events: 50_000,
        run: blocking,
    },
    Row {
        name: "limit:reqwest-c8",
        delivers: Delivers::Everything,
        about: "reqwest, 8 under way",
        events: 100_000,
        run: |job, _| concurrently(job, 8),
    },
    Row {
        name: "limit:reqwest-c32",
        delivers: Delivers::Everything,
        about: "the same, 32",
        events: 100_000,
        run: |job, _| concurrently(job, 32),
    },
    Row {
        name: "limit:reqwest-c128",
        delivers: Delivers::Everything,
        about: "the same, 128",
        events: 100_000,
        run: |job, _| concurrently(job, 128),
    },
];

/// TLS is not used, so its settings cost nothing: no certificates are read.
pub(super) fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.expect("versions").with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

pub(super) fn client() -> Client {
    let builder = Client::builder().tls_backend_preconfigured(tls()).no_proxy();
    builder.tcp_nodelay(true).pool_max_idle_per_host(256).build().expect("an HTTP client")
}

/// Posts a body and waits for the answer.
pub(super) async fn post(client: &Client, url: &str, body: Vec<u8>) {
    let answer = client.post(url).header(CONTENT_TYPE, "application/json").body(body).send().await.expect("an answer");
    assert!(answer.status().is_success());
    answer.bytes().await.expect("the answer's body");
}

fn concurrently(job: &Job, under_way: usize) {
    runtime().block_on(async {
        let client = client();
        let url: Arc<str> = format!("http://127.0.0.1:{}/jkool", job.port).into();
        let next = Arc::new(AtomicU64::new(0));
        let each = || tokio::spawn(sender(client.clone(), Arc::clone(&url), job.events, Arc::clone(&next)));
        let tasks: Vec<_> = (0..under_way).map(|_| each()).collect();
        for task in tasks {
            task.await.expect("a sender");
        }
    });
}

/// Sends the next event of all, until there are none.
async fn sender(client: Client, url: Arc<str>, events: u64, next: Arc<AtomicU64>) {
    let mut message = String::new();
    loop {
        let i = next.fetch_add(1, Relaxed);
        if i >= events {
            return;
        }
        let mut body = Vec::with_capacity(1024);
        append(&mut body, &mut message, i, full);
        post(&client, &url, body).await;
    }
}

fn blocking(job: &Job, _: &mut Watch) {
    let client = reqwest::blocking::Client::builder().tls_backend_preconfigured(tls()).no_proxy().build();
    let client = client.expect("an HTTP client");
    let url = format!("http://127.0.0.1:{}/jkool", job.port);
    let mut message = String::new();
    for i in 0..job.events {
        let mut body = Vec::with_capacity(1024);
        append(&mut body, &mut message, i, full);
        let request = client.post(&url).header(CONTENT_TYPE, "application/json").body(body);
        let answer = request.send().expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().expect("the answer's body");
    }
}
