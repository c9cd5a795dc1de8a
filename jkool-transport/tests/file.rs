//! Files of lines: rolling, damage, kill -9; and standard output.
#![cfg(feature = "file")]
#![allow(clippy::expect_used, reason = "a test ends there, as it should")]

mod common;

use common::folder::{Folder, names};
use common::{LONG, bodies, event, events, failure};
use jkool_transport::{Disposition, ErrorKind, FileTransport, Kind, Payload, StdoutTransport, Transport};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn read(path: &Path) -> String {
    if path.extension().is_none_or(|end| end != "gz") {
        return fs::read_to_string(path).expect("the file");
    }
    let mut text = String::new();
    #[cfg(feature = "file-gzip")]
    flate2::read::GzDecoder::new(fs::File::open(path).expect("the file")).read_to_string(&mut text).expect("gzip");
    #[cfg(not(feature = "file-gzip"))]
    fs::File::open(path).expect("the file").read_to_string(&mut text).expect("no gzip");
    text
}

#[tokio::test]
async fn a_file_rolls_by_its_size() {
    let folder = Folder::new();
    let path = folder.path("events.jsonl");
    let transport = FileTransport::builder(&path).max_size(60).build().expect("a file");
    for number in 0..7 {
        assert!(transport.send(&[event(number)]).await.is_delivered());
    }
    assert_eq!(folder.names(), ["events.000001.jsonl", "events.000002.jsonl", "events.000003.jsonl", "events.jsonl"]);
    let all: String = folder.names().iter().map(|name| read(&folder.path(name))).collect();
    assert_eq!(all.lines().collect::<Vec<_>>(), bodies(&events(7)));
    // The next process goes on with the number and the file.
    drop(transport);
    let transport = FileTransport::builder(&path).max_size(60).keep(2).build().expect("a file");
    assert!(transport.send(&events(2)).await.is_delivered());
    transport.close().await.expect("an orderly end");
    assert_eq!(folder.names(), ["events.000003.jsonl", "events.000004.jsonl", "events.jsonl"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_rolls_by_its_age() {
    let folder = Folder::new();
    let transport =
        FileTransport::builder(folder.path("events")).max_age(Duration::from_secs(60)).build().expect("a file");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!(folder.names(), ["events"]);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(transport.send(&[event(3)]).await.is_delivered());
    assert_eq!(folder.names(), ["events", "events.000001"]);
    assert_eq!(read(&folder.path("events")).lines().count(), 1);
}

#[cfg(feature = "file-gzip")]
#[tokio::test]
async fn what_has_rolled_is_compressed() {
    let folder = Folder::new();
    let transport = FileTransport::builder(folder.path("e.jsonl")).max_size(60).gzip(true).build().expect("a file");
    for number in 0..5 {
        assert!(transport.send(&[event(number)]).await.is_delivered());
    }
    transport.close().await.expect("an orderly end");
    assert_eq!(folder.names(), ["e.000001.jsonl.gz", "e.000002.jsonl.gz", "e.jsonl"]);
    let all: String = folder.names().iter().map(|name| read(&folder.path(name))).collect();
    assert_eq!(all.lines().collect::<Vec<_>>(), bodies(&events(5)));
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_what_is_no_jsonl_is_left_alone() {
    let folder = Folder::new();
    let path = folder.path("events.jsonl");
    fs::write(&path, "{\"operation\":\"a\"}\n{\"operation\":\"to").expect("a file");
    let transport = FileTransport::builder(&path).sync(true).build().expect("a file");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    assert_eq!(read(&path), "{\"operation\":\"a\"}\n{\"operation\":\"op-1\"}\n");
    let other = folder.path("letter.txt");
    fs::write(&other, "Dear reader").expect("a file");
    let error = FileTransport::builder(&other).build().expect_err("it is a letter");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("letter.txt: the file does not end with a JSON line"), "{error}");
    assert_eq!(read(&other), "Dear reader");
}

#[cfg(unix)]
#[tokio::test]
async fn one_process_writes_a_file_and_follows_its_name() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.path("events.jsonl");
    let transport = FileTransport::builder(&path).build().expect("a file");
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    let error = FileTransport::builder(&path).build().expect_err("it is in use");
    assert!(error.to_string().ends_with("the file is in use by another process"), "{error}");
    assert!(transport.send(&[event(1)]).await.is_delivered());
    fs::rename(&path, folder.path("moved")).expect("moved by somebody");
    assert!(transport.send(&[event(2)]).await.is_delivered());
    assert_eq!(read(&path).trim_end(), bodies(&[event(2)])[0]);
    fs::remove_dir_all(folder.path("")).expect("removed by somebody");
    let failure = failure(&transport.send(&[event(3)]).await);
    assert_eq!((failure.disposition, failure.maybe_delivered), (Disposition::Misconfigured, false));
}

/// Confirmed lines are there, once and in order, however often the process is killed while it writes.
#[cfg(unix)]
#[test]
fn what_was_confirmed_survives_kill_9() {
    const FOLDER: &str = "JKOOL_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return write_until_killed(Path::new(&folder));
    }
    let folder = Folder::new();
    let mut confirmed = 0;
    for _ in 0..5 {
        let mut child = Command::new(std::env::current_exe().expect("the test program"))
            .args(["what_was_confirmed_survives_kill_9", "--exact", "--nocapture"])
            .env(FOLDER, folder.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        // Kept until it is killed, lest it ends by a closed pipe.
        let mut told = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let numbers = told.by_ref().filter_map(|line| line.strip_prefix("confirmed ")?.parse::<usize>().ok());
        let last = numbers.take(40).last().expect("something confirmed");
        child.kill().expect("kill -9");
        child.wait().expect("its end");
        assert!(last > confirmed, "it goes on where the one before was killed");
        confirmed = last;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        // Opening cuts off what is torn.
        FileTransport::builder(folder.path("events.jsonl")).build().expect("a file").close().await.expect("an end");
    });
    let files = folder.names().into_iter().filter(|name| !name.ends_with(".part"));
    let text: String = files.map(|name| read(&folder.path(&name))).collect();
    let numbers: Vec<usize> = text
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            json["n"].as_u64().expect("a number") as usize
        })
        .collect();
    assert!(numbers.len() >= confirmed, "{} of {confirmed}", numbers.len());
    assert!(numbers.into_iter().eq(0..text.lines().count()), "each once and in order");
}

/// Writes numbered events on from the last one that is in the folder, and tells which are confirmed.
#[cfg(unix)]
#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn write_until_killed(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let write = async {
        let transport = FileTransport::builder(folder.join("events.jsonl")).max_size(100_000).build().expect("a file");
        let count = |name: &String| read(&folder.join(name)).lines().count();
        let mut number: usize = names(folder).iter().map(count).sum();
        loop {
            let event = |n| Payload::new(Kind::Event, format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(200)));
            let batch: Vec<_> = (number..number + 100).map(event).collect();
            assert!(transport.send(&batch).await.is_delivered());
            number += 100;
            println!("confirmed {number}");
        }
    };
    runtime.block_on(async { drop(tokio::time::timeout(LONG, write).await) });
}

#[test]
fn lines_on_standard_output_are_whole() {
    const MARK: &str = "JKOOL_TEST_STDOUT";
    if std::env::var_os(MARK).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        return runtime.block_on(async {
            let transport = StdoutTransport::new();
            assert!(transport.send(&events(1_000)).await.is_delivered());
            assert!(transport.send(&[]).await.is_delivered());
            transport.close().await.expect("an orderly end");
            assert_eq!(failure(&transport.send(&[event(1)]).await).error.kind(), ErrorKind::Closed);
        });
    }
    let output = Command::new(std::env::current_exe().expect("the test program"))
        .args(["lines_on_standard_output_are_whole", "--exact", "--nocapture"])
        .env(MARK, "1")
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains(&(bodies(&events(1_000)).join("\n") + "\n")) && text.contains("1 passed"), "{text}");
}
