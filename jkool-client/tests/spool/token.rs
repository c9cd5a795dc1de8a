//! The token is nowhere on disk.
#![cfg(feature = "http")]

use crate::common::PATIENCE;
use crate::spools::{TempDir, assert_arrived, emit, leave, spooling, until};
use jkool_client::transport::MemoryTransport;
use jkool_client::{LossReason, RetryPolicy, SpoolMode};
use mockito::{Matcher, Server};
use std::time::Duration;

const TOKEN: &str = "canary-7f3a";

#[test]
fn the_token_is_in_no_file_whatever_the_server_says() {
    for mode in [SpoolMode::Overflow, SpoolMode::WriteAhead] {
        // Errors are kept with what was refused, and this server repeats the token in all that it says.
        // With 400 for what says so, something else gives the proof.
        for status in [400, 401, 503] {
            let mut server = Server::new();
            let answer =
                server.mock("POST", "/event").with_status(status).with_body(TOKEN).with_header("X-Echo", TOKEN);
            let asked = answer.expect_at_least(1).create();
            let fine = Matcher::Regex("fine".into());
            let _fine = server.mock("POST", "/event").match_body(fine).with_status(202).create();
            let dir = TempDir::new();
            let retry = RetryPolicy::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
            let client = jkool_client::Client::builder()
                .url(server.url())
                .token(TOKEN)
                .source("APPL=test".parse().unwrap())
                .spool(dir.quick().mode(mode))
                .retry(retry)
                .in_flight(1)
                .notices(false)
                .build()
                .unwrap();
            emit(&client, 0..20);
            until(&client, || asked.matched());
            assert!(client.flush_durable(PATIENCE).pending() == 0);
            if status == 400 {
                until(&client, || {
                    client.event("op").message("fine").emit();
                    client.stats().dropped(LossReason::Rejected) == 20
                });
                assert_eq!(client.flush(PATIENCE).pending(), 0);
            }
            let report = leave(&client, Duration::from_millis(200));
            assert_eq!(report.spooled(), if status == 400 { 0 } else { 20 }, "{report}");

            let files = dir.files();
            assert!(!files.is_empty());
            for file in files {
                let bytes = std::fs::read(&file).unwrap();
                assert!(!bytes.windows(6).any(|window| window == b"canary"), "{file:?}");
                assert!(!file.to_str().unwrap().contains("canary"));
            }
            if status != 400 {
                // What is there is enough to deliver it.
                let memory = MemoryTransport::new();
                let next = spooling(memory.clone(), dir.quick()).build().unwrap();
                assert!(next.flush(PATIENCE).is_delivered());
                assert_arrived(&memory, 0..20);
            }
        }
    }
}
