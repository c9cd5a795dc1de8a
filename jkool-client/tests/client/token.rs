//! A token that is refused and replaced, and what health says meanwhile.
#![cfg(feature = "http")]

use crate::common::{PATIENCE, assert_balanced, client as memory_client, failure};
use jkool_client::transport::{Disposition, MemoryTransport, Step};
use jkool_client::{BuildError, Client, ClientBuilder, Condition};
use mockito::{Server, ServerGuard};
use std::time::Duration;

const OLD: &str = "canary-01d";
const NEW: &str = "canary-2e3";

/// A server that takes the new token only.
fn server() -> ServerGuard {
    let mut server = Server::new();
    server.mock("POST", "/event").match_header("x-api-key", OLD).match_header("token", OLD).with_status(401).create();
    server.mock("POST", "/event").match_header("x-api-key", NEW).match_header("token", NEW).with_status(202).create();
    server
}

/// With the usual waits: after a refusal the next try by itself comes after 24 seconds at the soonest.
fn client(server: &Server) -> ClientBuilder {
    Client::builder().url(server.url()).source("APPL=test".parse().unwrap()).notices(false)
}

/// Waits until nothing gets through any more.
fn wait_for_trouble(client: &Client) -> Condition {
    loop {
        // Its deadline is the pause between two looks.
        assert!(!client.flush(Duration::from_millis(10)).is_delivered());
        match client.health().condition {
            Condition::Running => {}
            trouble => return trouble,
        }
    }
}

#[test]
fn a_new_token_is_tried_at_once() {
    let server = server();
    let client = client(&server).token(OLD).build().unwrap();
    for _ in 0..50 {
        client.event("op").emit();
    }
    // The first refusals could be those of one bad server of many.
    let error = loop {
        if let Condition::Paused { error, .. } = wait_for_trouble(&client) {
            break error;
        }
    };
    assert_eq!(client.stats().in_memory(), 50);
    assert_eq!(error.to_string(), "the server answered 401 Unauthorized: the token is missing or was rejected");
    assert!(client.health().last_success.is_none());

    client.set_token(NEW).unwrap();
    assert!(client.flush(Duration::from_secs(90)).is_delivered());
    assert!(matches!(client.health().condition, Condition::Running));
    assert!(client.health().last_success.is_some());
    assert_balanced(&client.stats());
}

#[test]
fn a_changed_token_file_is_found() {
    let server = server();
    let path = std::env::temp_dir().join(format!("jkool-token-watch-{}", std::process::id()));
    std::fs::write(&path, OLD).unwrap();
    let client = client(&server).token_file(&path).build().unwrap();
    client.event("op").emit();
    wait_for_trouble(&client);
    std::fs::write(&path, format!("{NEW}\n")).unwrap();
    let report = client.flush(Duration::from_secs(90));
    std::fs::remove_file(&path).unwrap();
    assert!(report.is_delivered(), "{report}");
}

/// Secret stores change the file first, and servers take the old token for a while.
#[test]
fn a_token_file_that_changes_while_all_goes_well_is_read_when_the_old_token_is_refused() {
    let mut server = Server::new();
    let old = server.mock("POST", "/event").match_header("token", OLD).with_status(202).expect(2).create();
    let path = std::env::temp_dir().join(format!("jkool-token-rotated-{}", std::process::id()));
    std::fs::write(&path, OLD).unwrap();
    let client = client(&server).token_file(&path).build().unwrap();
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    std::fs::write(&path, NEW).unwrap();
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    old.assert();
    old.remove();
    let refused = server.mock("POST", "/event").match_header("token", OLD).with_status(401);
    let refused = refused.expect_at_least(1).create();
    let new = server.mock("POST", "/event").match_header("token", NEW).with_status(202).expect(50).create();
    for _ in 0..50 {
        client.event("op").emit();
    }
    let report = client.flush(Duration::from_secs(90));
    std::fs::remove_file(&path).unwrap();
    assert!(report.is_delivered(), "{report}");
    refused.assert();
    new.assert();
}

#[test]
fn what_is_no_token_changes_nothing() {
    let server = server();
    let client = client(&server).token(NEW).build().unwrap();
    for wrong in ["", "two words", "line\nbreak"] {
        let error = client.set_token(wrong).unwrap_err();
        assert!(error.to_string().starts_with("the token from set_token: the token"), "{error}");
    }
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
}

#[test]
fn another_transport_has_no_token() {
    let client = memory_client(&MemoryTransport::new()).build().unwrap();
    let error = client.set_token(NEW).unwrap_err();
    assert!(matches!(error, BuildError::Setting { setting: "set_token", .. }), "{error}");
}

#[test]
fn a_token_does_not_go_over_plain_http_to_another_machine() {
    // Never contacted: the look-up of the name fails, and nothing is emitted.
    let client = Client::builder().url("http://collector.invalid").notices(false).build().unwrap();
    let error = client.set_token(NEW).unwrap_err();
    assert!(error.to_string().contains("plain http") && !error.to_string().contains(NEW), "{error}");
}

#[test]
fn health_tells_what_may_pass_from_what_a_person_must_mend() {
    let memory = MemoryTransport::new();
    let client = memory_client(&memory).retry(jkool_client::RetryPolicy::default()).build().unwrap();
    assert!(matches!(client.health().condition, Condition::Running));
    memory.push(Step::Fail(failure(Disposition::Retry { after: Some(PATIENCE) })));
    client.event("op").emit();
    wait_for_trouble(&client);
    let health = client.health();
    assert!(matches!(&health.condition, Condition::BackingOff { error, .. } if error.to_string() == "scripted"));
    assert_eq!(health.stats.in_memory(), 1);
    let report = client.shutdown(Duration::ZERO);
    assert_eq!(report.dropped(), 1);
    assert!(matches!(client.health().condition, Condition::Ended));
}
