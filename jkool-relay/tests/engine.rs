//! The relay between a source that does as it is told, and a transport that fails as it is told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Script, Server, TestSource, client, event, records};
use jkool_client::Spool;
use jkool_relay::{Next, Position, Relay, RelayError, Revoked, SourceError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Nobody stops the relay: it ends with its source.
async fn never() {
    std::future::pending().await
}

/// The partition moves to another relay, which waits for the returned answer.
fn revoke(script: &Script, partition: u64) -> oneshot::Receiver<Vec<Position>> {
    let (done, answer) = oneshot::channel();
    script.next(Next::Revoked(Revoked { partitions: vec![partition], done }));
    answer
}

#[tokio::test]
async fn what_is_delivered_is_committed_in_each_partition() {
    let (source, script) = TestSource::new();
    let server = Server::new();
    script.records(1, 0..1_000);
    script.records(2, 0..10);
    script.end();
    let report = Relay::builder(source, client(&server)).build().unwrap().run(never()).await.unwrap();
    assert!(report.is_drained());
    assert_eq!((report.received, report.settled, report.dead_letters), (1_010, 1_010, 0));
    assert_eq!(script.committed(), [(1, 1_000), (2, 10)].into());
    assert_eq!(server.numbers().len(), 1_010);
    assert!(script.is_closed());
}

#[tokio::test]
async fn order_is_kept_with_one_send_under_way() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..2_000);
    let relay = Relay::builder(source, client(&server).in_flight(1)).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.received(&status, 2_000).await;
        server.come_up();
        script.settled(&status, 2_000).await;
    };
    relay.run(stop).await.unwrap();
    assert_eq!(server.numbers(), (0..2_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_committed_that_did_not_get_through() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..100);
    let relay = Relay::builder(source, client(&server)).drain_timeout(Duration::from_millis(50)).build().unwrap();
    let status = relay.status();
    let report = relay.run(script.received(&status, 100)).await.unwrap();
    assert_eq!((report.received, report.settled, report.left), (100, 0, 100));
    assert!(!report.is_drained());
    assert!(script.committed().is_empty());
}

#[tokio::test]
async fn what_is_in_the_spool_at_the_end_is_committed_and_delivered_by_the_next() {
    let folder = common::Folder::new("spool");
    let server = Server::away();
    let (source, script) = TestSource::new();
    script.records(1, 0..100);
    let spooling = || client(&server).spool(Spool::new(folder.path()));
    let relay = Relay::builder(source, spooling()).drain_timeout(Duration::from_millis(50)).build().unwrap();
    let status = relay.status();
    let report = relay.run(script.received(&status, 100)).await.unwrap();
    assert_eq!((report.settled, report.left), (100, 0));
    assert_eq!(script.committed(), [(1, 100)].into());
    server.come_up();
    let (source, script) = TestSource::new();
    script.end();
    Relay::builder(source, spooling()).build().unwrap().run(never()).await.unwrap();
    let mut arrived = server.numbers();
    arrived.sort_unstable();
    assert_eq!(arrived, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_record_is_a_dead_letter_and_holds_up_no_other() {
    let (source, script) = TestSource::new();
    let (server, dead) = (Server::new(), Server::new());
    let mut all = records(1, 0..10);
    all[3].body = b"no \"JSON".to_vec();
    script.next(Next::Records(all));
    script.end();
    let relay = Relay::builder(source, client(&server)).dead_letters(dead.clone()).build().unwrap();
    let report = relay.run(never()).await.unwrap();
    assert_eq!((report.settled, report.dead_letters), (10, 1));
    assert_eq!(script.committed(), [(1, 10)].into());
    assert_eq!(server.numbers(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    let letters = dead.bodies();
    let letter: serde_json::Value = serde_json::from_str(&letters[0]).unwrap();
    assert_eq!((letters.len(), letter["record"].as_str()), (1, Some("no \"JSON")));
    assert_eq!(letter["from"], "test, partition 1, before 4");
}

#[tokio::test]
async fn an_event_that_the_server_refuses_is_a_dead_letter() {
    let (source, script) = TestSource::new();
    let (server, dead) = (Server::refusing("number 7\""), Server::new());
    script.records(1, 0..500);
    script.end();
    let relay = Relay::builder(source, client(&server)).dead_letters(dead.clone()).build().unwrap();
    let report = relay.run(never()).await.unwrap();
    assert_eq!((report.settled, report.left, report.dead_letters), (500, 0, 1));
    assert_eq!(script.committed(), [(1, 500)].into());
    let letter: serde_json::Value = serde_json::from_str(&dead.bodies()[0]).unwrap();
    assert_eq!(letter["entity"]["msg-text"], "number 7");
    assert!(letter["error"].is_string() && letter["reason"].is_string());
}

#[tokio::test]
async fn nothing_is_committed_before_its_dead_letter_has_arrived() {
    let (source, script) = TestSource::new();
    let (server, dead) = (Server::new(), Server::away());
    script.next(Next::Records([event(1, 0), common::bad(1, 1), event(1, 2)].to_vec()));
    let relay = Relay::builder(source, client(&server)).dead_letters(dead.clone());
    let relay = relay.drain_timeout(Duration::from_millis(50)).build().unwrap();
    let status = relay.status();
    let report = relay.run(script.settled(&status, 1)).await.unwrap();
    assert_eq!((report.settled, report.left), (1, 2));
    assert_eq!(script.committed(), [(1, 1)].into());
}

#[tokio::test]
async fn a_source_is_paused_while_enough_is_under_way() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..10);
    let relay = Relay::builder(source, client(&server)).max_in_flight(10).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.until(|| script.is_paused()).await;
        assert_eq!(status.in_flight(), 10);
        server.come_up();
        script.until(|| !script.is_paused()).await;
        script.records(1, 10..20);
        script.settled(&status, 20).await;
    };
    let report = relay.run(stop).await.unwrap();
    assert!(report.is_drained());
    assert_eq!(script.committed(), [(1, 20)].into());
}

#[tokio::test]
async fn a_partition_that_goes_waits_for_what_is_under_way() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..10);
    let mut answered = revoke(&script, 1);
    script.records(2, 0..10);
    let relay = Relay::builder(source, client(&server)).revoke_timeout(Duration::from_secs(3600)).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.received(&status, 20).await;
        assert!(answered.try_recv().is_err());
        server.come_up();
        let positions = answered.await.unwrap();
        // What was committed before needs no commit at the end.
        assert!(positions.iter().all(|position| (position.partition, position.offset) == (1, 10)));
        assert!(positions.len() == 1 || script.committed()[&1] == 10);
        script.settled(&status, 20).await;
    };
    relay.run(stop).await.unwrap();
}

#[tokio::test]
async fn a_partition_goes_at_last_and_what_was_under_way_is_not_committed() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..10);
    let answered = revoke(&script, 1);
    let relay = Relay::builder(source, client(&server)).revoke_timeout(Duration::from_millis(20)).build().unwrap();
    let status = relay.status();
    let stop = async {
        assert!(answered.await.unwrap().is_empty());
        assert_eq!(status.in_flight(), 0);
        server.come_up();
    };
    let report = relay.run(stop).await.unwrap();
    assert_eq!((report.settled, report.left), (0, 0));
    assert!(script.committed().is_empty());
}

#[tokio::test]
async fn a_partition_that_is_lost_is_released_at_once() {
    let (source, script) = TestSource::new();
    let server = Server::away();
    script.records(1, 0..10);
    drop(revoke(&script, 1));
    script.records(2, 0..10);
    let relay = Relay::builder(source, client(&server)).revoke_timeout(Duration::from_secs(3600)).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.received(&status, 20).await;
        script.until(|| status.in_flight() == 10).await;
        server.come_up();
        script.settled(&status, 10).await;
    };
    relay.run(stop).await.unwrap();
    assert_eq!(script.committed(), [(2, 10)].into());
}

#[tokio::test]
async fn a_commit_that_fails_is_made_again() {
    let (source, script) = TestSource::new();
    let server = Server::new();
    script.fail_commits(1);
    script.records(1, 0..10);
    let relay = Relay::builder(source, client(&server)).commit_interval(Duration::from_millis(10)).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.until(|| script.committed() == [(1, 10)].into()).await;
        assert!(status.to_open_metrics().contains("jkool_relay_commits_failed_total 1\n"));
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
}

#[tokio::test]
async fn a_commit_that_fails_at_the_end_is_made_again() {
    let (source, script) = TestSource::new();
    script.stays_in_the_group();
    script.records(1, 0..10);
    let relay =
        Relay::builder(source, client(&Server::new())).commit_interval(Duration::from_millis(10)).build().unwrap();
    let status = relay.status();
    let stop = async {
        script.fail_commits(5);
        script.settled(&status, 10).await;
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    assert_eq!(script.committed(), [(1, 10)].into());
}

#[tokio::test]
async fn a_source_that_fails_ends_the_relay_when_all_is_committed() {
    let (source, script) = TestSource::new();
    let server = Server::new();
    script.records(1, 0..10);
    script.fail(SourceError::new("the group is gone"));
    let ended = Relay::builder(source, client(&server)).build().unwrap().run(never()).await;
    assert!(matches!(ended, Err(RelayError::Source(error)) if error.to_string() == "the group is gone"));
    assert_eq!(script.committed(), [(1, 10)].into());
}

#[tokio::test]
async fn what_is_told_of_the_source_reaches_people() {
    let (source, script) = TestSource::new();
    let (told, heard) = std::sync::mpsc::channel();
    script.next(Next::Notice("a file can't be read".into()));
    script.end();
    let relay = Relay::builder(source, client(&Server::new()));
    let relay = relay.on_notice(move |text| drop(told.send(text.to_owned()))).build().unwrap();
    relay.run(never()).await.unwrap();
    assert_eq!(heard.recv(), Ok("a file can't be read".to_owned()));
}

/// A program may hold the relay's client by its status longer than the relay runs.
#[tokio::test]
async fn the_status_outlives_the_relay() {
    let (source, script) = TestSource::new();
    script.records(1, 0..5);
    script.end();
    let relay = Relay::builder(source, client(&Server::new())).build().unwrap();
    let status = relay.status();
    relay.run(never()).await.unwrap();
    assert_eq!((status.received(), status.settled(), status.in_flight()), (5, 5, 0));
    let text = status.to_open_metrics();
    assert!(text.contains("jkool_relay_records_settled_total 5\n") && text.ends_with("# EOF\n"));
}
