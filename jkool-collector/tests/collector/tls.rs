//! TLS, with a certificate that is given.

use crate::socket::{Connection, event, post};
use jkool_client::Client;
use jkool_client::transport::HttpTransport;
use jkool_collector::{Collector, StartError, TestCollector};
use rcgen::{CertificateParams, KeyPair};
use std::path::PathBuf;
use std::time::Duration;

/// A folder with a certificate for 127.0.0.1 and its key.
struct Folder {
    path: PathBuf,
    certificate: String,
}

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jkool-collector-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        std::fs::write(path.join("chain.pem"), &certificate).unwrap();
        std::fs::write(path.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(path.join("other.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
        std::fs::write(path.join("empty.pem"), "nothing").unwrap();
        Self { path, certificate }
    }

    fn start(&self, chain: &str, key: &str) -> Result<TestCollector, StartError> {
        TestCollector::start_with(Collector::builder().tls(self.path.join(chain), self.path.join(key)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[test]
fn a_client_that_trusts_the_certificate_streams_over_tls() {
    let folder = Folder::new("streams");
    let collector = folder.start("chain.pem", "key.pem").unwrap();
    assert!(collector.url().starts_with("https://127.0.0.1:"));
    let transport = HttpTransport::builder(collector.url())
        .token("canary-01".parse().unwrap())
        .ca_certificate_pem(folder.certificate.as_bytes())
        .build()
        .unwrap();
    let client = Client::builder().transport(transport).source("APPL=Shop".parse().unwrap()).build().unwrap();
    client.event("a").emit();
    assert!(client.flush(Duration::from_secs(30)).is_delivered());
    assert_eq!(collector.events()[0].operation, "a");
    // In the clear there is no answer.
    let mut clear = Connection::open(collector.collector().address());
    clear.try_send(post("/event", event("b")));
    while !clear.is_closed() {}
    assert_eq!(collector.entities().len(), 1);
}

#[test]
fn what_can_not_be_used_is_named() {
    let folder = Folder::new("named");
    for (chain, key, named) in [
        ("missing.pem", "key.pem", "missing.pem"),
        ("empty.pem", "key.pem", "empty.pem"),
        ("chain.pem", "empty.pem", "empty.pem"),
        ("chain.pem", "other.pem", "other.pem"),
    ] {
        let error = folder.start(chain, key).unwrap_err();
        assert!(matches!(error, StartError::Tls(_)) && error.to_string().contains(named), "{error}");
    }
}
