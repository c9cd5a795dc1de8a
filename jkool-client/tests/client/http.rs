//! The client over real HTTP on this machine.
#![cfg(feature = "http")]

use crate::common::{PATIENCE, assert_balanced};
use jkool_client::model::Snapshot;
use jkool_client::{Client, LossReason, RetryPolicy};
use mockito::{Matcher, Server};
use std::time::Duration;

const CANARY: &str = "canary-9b2d71";

fn client(server: &Server) -> jkool_client::ClientBuilder {
    let quick = RetryPolicy::default()
        .initial(Duration::from_millis(1))
        .probe(Duration::from_millis(1), Duration::from_millis(5));
    Client::builder().url(server.url()).token(CANARY).source("APPL=test".parse().unwrap()).retry(quick).notices(false)
}

#[test]
fn each_kind_goes_to_its_path_with_the_token() {
    let mut server = Server::new();
    let mocks: Vec<_> = ["/event", "/activity", "/snapshot", "/log", "/dataset"]
        .into_iter()
        .map(|path| {
            let mock = server.mock("POST", path).match_header("x-api-key", CANARY).match_header("token", CANARY);
            mock.match_header("content-type", "application/json").with_status(202).expect(1).create()
        })
        .collect();
    let client = client(&server).build().unwrap();
    client.event("op").emit();
    client.activity("act").emit();
    client.snapshot("cpu").property("load", 0.5).emit();
    client.event("audit").log_type(jkool_client::model::LogType::Audit).emit();
    client.emit(Snapshot::builder("data").property("n", 1).dataset().build());
    let report = client.flush(PATIENCE);
    assert!(report.is_delivered(), "{report}");
    for mock in mocks {
        mock.assert();
    }
}

#[test]
fn a_refused_token_keeps_everything_until_it_is_taken() {
    let mut server = Server::new();
    let refused = server.mock("POST", "/event").with_status(401).with_body(CANARY).expect_at_least(1).create();
    let client = client(&server).build().unwrap();
    for _ in 0..20 {
        client.event("op").emit();
    }
    assert_eq!(client.flush(Duration::from_millis(50)).pending(), 20);
    refused.assert();
    refused.remove();
    let taken = server.mock("POST", "/event").with_status(200).expect(20).create();
    assert!(client.flush(PATIENCE).is_delivered());
    taken.assert();
    assert_balanced(&client.stats());
}

#[test]
fn a_rejected_event_is_counted_and_the_others_arrive() {
    let mut server = Server::new();
    let poison = server
        .mock("POST", "/event")
        .match_body(Matcher::PartialJsonString(r#"{"operation":"poison"}"#.into()))
        .with_status(400)
        .expect_at_least(4)
        .create();
    let good = server
        .mock("POST", "/event")
        .match_body(Matcher::PartialJsonString(r#"{"operation":"good"}"#.into()))
        .with_status(202)
        .expect(49)
        .create();
    let client = client(&server).in_flight(1).build().unwrap();
    for number in 0..50 {
        client.event(if number == 4 { "poison" } else { "good" }).emit();
    }
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert_eq!(client.stats().delivered(), 49);
    assert_eq!(client.stats().dropped(LossReason::Rejected), 1);
    poison.assert();
    good.assert();
}

#[test]
fn a_server_that_is_down_is_waited_for() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let quick = RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(20));
    let client = Client::builder().url(format!("http://{address}")).retry(quick).notices(false).build().unwrap();
    client.event("op").emit();
    assert_eq!(client.flush(Duration::from_millis(20)).pending(), 1);
    let options = mockito::ServerOpts { host: "127.0.0.1", port: address.port(), ..Default::default() };
    let mut server = Server::new_with_opts(options);
    server.mock("POST", "/event").with_status(202).create();
    // Whoever connects between the first and the second bind of the port is refused and tries again.
    assert!(client.flush(PATIENCE).is_delivered());
}

#[test]
fn batches_go_out_line_by_line() {
    let mut server = Server::new();
    let lines = Matcher::Regex(r#"\A(\{[^\n]*"operation":"op"[^\n]*\}\n){50}\z"#.into());
    let batch = server.mock("POST", "/event").match_body(lines).with_status(202).expect(2).create();
    let client = client(&server).http(|http| http.batches(50)).flush_interval(PATIENCE).build().unwrap();
    for _ in 0..100 {
        client.event("op").emit();
    }
    assert!(client.flush(PATIENCE).is_delivered());
    batch.assert();
}

#[test]
fn nothing_that_can_be_printed_shows_the_token() {
    let mut server = Server::new();
    // A server that echoes the token in each of its answers.
    server.mock("POST", Matcher::Any).with_status(400).with_body(CANARY).with_header("x-echo", CANARY).create();
    let builder = client(&server).http(|http| http.batches(2));
    let mut printed = format!("{builder:?}");
    let client = builder.build().unwrap();
    let draft = client.event("op");
    printed += &format!("{draft:?}");
    draft.emit();
    let report = client.flush(Duration::from_millis(300));
    printed += &format!("{client:?} {:?} {} {report:?} {report}", client.stats(), client.stats());
    assert_eq!(report.pending(), 1);
    assert!(!printed.contains(CANARY), "{printed}");
}
