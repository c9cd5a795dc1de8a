//! Settings that are wrong are refused with a text that names them, and no other is.
#![cfg(feature = "http")]

use crate::common::server::Server;
use crate::common::tls::{Authority, Identity};
use crate::common::{event, failure};
use jkool_transport::{DEFAULT_URL, ErrorKind, HttpTransport, HttpTransportBuilder, Token, Transport};
use std::path::PathBuf;
use std::time::Duration;

fn builder(url: &str) -> HttpTransportBuilder {
    HttpTransport::builder(url)
        .token(Token::new("canary-5ec7e7").expect("a token"))
        .ca_certificate_pem(Authority::new().pem())
}

/// The error's text; it never shows the token, nor a password or query of an url.
fn error(builder: HttpTransportBuilder) -> String {
    let error = builder.build().expect_err("a wrong setting");
    assert_eq!(error.kind(), ErrorKind::Config);
    let mut text = format!("{error:?}");
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        text += &format!(" {error} {error:?}");
        next = error.source();
    }
    assert!(!text.contains("canary-5ec7e7") && !text.contains("passw0rd"), "{text}");
    error.to_string()
}

#[test]
fn a_wrong_url() {
    for (url, expected) in [
        ("", "url: must start with https:// or http://"),
        ("passw0rd", "url: must start with https:// or http://"),
        ("stream.meshiq.com", "url: must start with https:// or http://"),
        ("/event", "url: must start with https:// or http://"),
        ("127.0.0.1:8080", "url: must start with https:// or http://"),
        ("localhost:8080", "url: must start with https:// or http://"),
        ("ftp://passw0rd.example", "url: must start with https:// or http://"),
        ("file:///passw0rd", "url: must start with https:// or http://"),
        ("mailto:a@b", "url: must start with https:// or http://"),
        ("https://", "url: empty host"),
        ("https://:443", "url: empty host"),
        ("https://host:99999", "url: invalid port number"),
        ("https://[::1", "url: invalid IPv6 address"),
        ("https://host name", "url: contains white space or a control character"),
        ("https://host/passw0rd\r\nX-Evil: 1", "url: contains white space or a control character"),
        (" https://host", "url: contains white space or a control character"),
        ("https://host\n", "url: contains white space or a control character"),
        ("https://passw0rd@host", "url: must not contain a user name or password; set the token instead"),
        ("https://u:passw0rd@host", "url: must not contain a user name or password; set the token instead"),
        ("https://:passw0rd@host", "url: must not contain a user name or password; set the token instead"),
        ("https://host/#passw0rd", "url: must not contain a fragment (#...)"),
    ] {
        assert_eq!(error(builder(url)), expected, "{url}");
    }
}

#[test]
fn a_token_over_plain_http() {
    let refused = "url: plain http would expose the token; use https, or allow_plaintext_token";
    for url in ["http://stream.meshiq.com", "http://10.0.0.1:8080", "HTTP://Collector", "http://localhost.example.com"]
    {
        assert_eq!(error(builder(url)), refused, "{url}");
        assert_eq!(error(builder(url).no_proxy()), refused, "{url}");
        builder(url).allow_plaintext_token(true).build().expect("asked for");
        HttpTransport::builder(url).build().expect("no token");
    }
    for url in ["http://localhost", "http://127.0.0.1:8080/in", "http://[::1]", "http://a.localhost"] {
        builder(url).build().expect(url);
        assert_eq!(error(builder(url).proxy("http://proxy.example:3128")), refused, "the proxy is another machine");
        builder(url).proxy("http://localhost:3128").build().expect(url);
    }
}

#[test]
fn a_wrong_proxy() {
    for (proxy, expected) in [
        ("", "proxy: must start with https:// or http://"),
        ("proxy:3128", "proxy: must start with https:// or http://"),
        ("socks5://passw0rd.example", "proxy: must start with https:// or http://"),
        ("http://u:passw0rd@", "proxy: empty host"),
        ("http://u:passw0rd\n@proxy", "proxy: contains white space or a control character"),
    ] {
        assert_eq!(error(builder(DEFAULT_URL).proxy(proxy)), expected, "{proxy}");
    }
    builder(DEFAULT_URL).proxy("http://u:passw0rd@proxy:3128").build().expect("a proxy");
    builder(DEFAULT_URL).proxy("nonsense").no_proxy().build().expect("the last call counts");
}

#[test]
fn wrong_numbers() {
    assert_eq!(error(builder(DEFAULT_URL).batches(0)), "batches: must be at least 1 payload");
    assert_eq!(error(builder(DEFAULT_URL).timeout(Duration::ZERO)), "timeout: must be longer than zero");
    assert_eq!(
        error(builder(DEFAULT_URL).connect_timeout(Duration::ZERO)),
        "connect_timeout: must be longer than zero"
    );
}

#[tokio::test]
async fn large_numbers() {
    let server = Server::start();
    let builder = builder(&server.url()).timeout(Duration::MAX).connect_timeout(Duration::MAX).batches(usize::MAX);
    assert!(builder.build().expect("a transport").send(&[event(1), event(2)]).await.is_delivered());
}

#[test]
fn wrong_certificates() {
    let broken = "-----BEGIN CERTIFICATE-----\npassw0rd\n-----END CERTIFICATE-----\n";
    let ca = |pem: &str| error(builder(DEFAULT_URL).ca_certificate_pem(pem));
    assert_eq!(ca(""), "ca_certificate_pem: contains no certificate in PEM format");
    assert_eq!(ca("passw0rd"), "ca_certificate_pem: contains no certificate in PEM format");
    assert_eq!(ca(&Identity::self_signed("a").key_pem()), "ca_certificate_pem: contains no certificate in PEM format");
    assert_eq!(ca("-----BEGIN CERTIFICATE-----\npassw0rd"), "ca_certificate_pem: the certificate is not valid PEM");
    assert!(ca(broken).starts_with("ca_certificate_pem: "), "{}", ca(broken));
    assert!(ca(&(Authority::new().pem() + broken)).starts_with("ca_certificate_pem: "));

    let (one, other) = (Identity::self_signed("one"), Identity::self_signed("other"));
    let identity = |chain: &str, key: &str| error(builder(DEFAULT_URL).client_identity_pem(chain, key));
    assert_eq!(identity("", &one.key_pem()), "client_identity_pem: contains no certificate in PEM format");
    let no_key = "client_identity_pem: the second argument contains no private key in PEM format";
    assert_eq!(identity(&one.pem(), ""), no_key);
    assert_eq!(identity(&one.pem(), &one.pem()), no_key);
    assert_eq!(identity(&one.pem(), "-----BEGIN PRIVATE KEY-----\npassw0rd"), no_key);
    let wrong_key = identity(&one.pem(), &other.key_pem());
    assert!(wrong_key.starts_with("client_identity_pem: "), "{wrong_key}");
    builder(DEFAULT_URL).client_identity_pem(one.pem(), one.key_pem()).build().expect("a pair");
}

#[test]
fn certificates_in_files_that_are_of_no_use() {
    let file = |name: &str, content: &str| {
        let path = std::env::temp_dir().join(format!("jkool-config-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("writing to the temporary folder");
        path
    };
    let identity = Identity::self_signed("one");
    let (good, key) = (file("good.pem", &identity.pem()), file("key.pem", &identity.key_pem()));
    let (empty, other) = (file("empty.pem", ""), file("other.pem", &Identity::self_signed("other").key_pem()));
    let damaged = file("damaged.pem", "-----BEGIN CERTIFICATE-----\npassw0rd");
    let ca = |path: &PathBuf| error(builder(DEFAULT_URL).ca_certificate_file(path));
    assert_eq!(ca(&empty), format!("ca_certificate_file {empty:?}: contains no certificate in PEM format"));
    assert_eq!(ca(&key), format!("ca_certificate_file {key:?}: contains no certificate in PEM format"));
    assert_eq!(ca(&damaged), format!("ca_certificate_file {damaged:?}: the certificate is not valid PEM"));
    let missing = ca(&"/no/such/ca".into());
    assert!(missing.starts_with("ca_certificate_file \"/no/such/ca\": cannot be read: "), "{missing}");

    let pair = |chain: &PathBuf, key: &PathBuf| error(builder(DEFAULT_URL).client_identity_files(chain, key));
    assert_eq!(pair(&key, &key), format!("client_identity_files {key:?}: contains no certificate in PEM format"));
    assert_eq!(
        pair(&good, &good),
        format!("client_identity_files {good:?}: the file contains no private key in PEM format")
    );
    let missing = pair(&good, &"/no/such/key".into());
    assert!(missing.starts_with("client_identity_files \"/no/such/key\": cannot be read: "), "{missing}");
    let wrong = pair(&good, &other);
    assert!(wrong.starts_with(&format!("client_identity_files {good:?} and {other:?}: ")), "{wrong}");
    builder(DEFAULT_URL).client_identity_files(&good, &key).build().expect("a pair");
    // The last call counts.
    builder(DEFAULT_URL).client_identity_pem("", "").client_identity_files(&good, &key).build().expect("a pair");
    for path in [good, key, empty, other, damaged] {
        std::fs::remove_file(path).expect("removing it");
    }
}

#[tokio::test]
async fn a_ready_client_brings_its_own_settings() {
    let ready = || reqwest::Client::builder().tls_backend_preconfigured(tls()).no_proxy().build().expect("a client");
    let refused = "has no effect together with http_client";
    let plain = || HttpTransport::builder("http://127.0.0.1").http_client(ready());
    for (builder, name) in [
        (plain().timeout(Duration::from_secs(1)), "timeout"),
        (plain().connect_timeout(Duration::from_secs(1)), "connect_timeout"),
        (plain().proxy("http://127.0.0.1"), "proxy or no_proxy"),
        (plain().no_proxy(), "proxy or no_proxy"),
        (plain().ca_certificate_pem(Authority::new().pem()), "ca_certificate_pem"),
        (plain().client_identity_pem("", ""), "client_identity_pem"),
        (plain().ca_certificate_file(""), "ca_certificate_file"),
        (plain().client_identity_files("", ""), "client_identity_files"),
    ] {
        assert_eq!(error(builder), format!("{name}: {refused}"));
    }
    assert!(error(builder("http://collector.example").http_client(ready())).starts_with("url: plain http"));

    let server = Server::start();
    let token = Token::new("canary-5ec7e7").expect("a token");
    let transport =
        HttpTransport::builder(server.url()).token(token).http_client(ready()).build().expect("a transport");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    assert_eq!(server.requests()[0].header("token"), Some("canary-5ec7e7"));
    transport.close().await.expect("an orderly end");
    assert_eq!(failure(&transport.send(&[event(1)]).await).error.kind(), ErrorKind::Closed);
}

fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.expect("versions").with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}

/// Nothing here is for the whole process.
#[test]
fn no_provider_is_installed_for_the_process() {
    builder(DEFAULT_URL).build().expect("a transport");
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
