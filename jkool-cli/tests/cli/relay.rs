//! `jkool relay`, with real processes.
#![cfg(unix)]

use crate::common::{Nobody, collector, eventually, jkool, numbers, run, run_with, stored};
use crate::running::Running;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ChildStderr;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jkool-relay-cli-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, numbers: Range<u32>) {
        fs::write(self.path(name), lines(numbers)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn lines(numbers: Range<u32>) -> String {
    let line = |number| format!("{{\"operation\":\"Order\",\"source-fqn\":\"APPL=Test\",\"msg-text\":\"{number}\"}}\n");
    numbers.map(line).collect()
}

/// Starts a relay, whose notes can be read.
fn spawn(args: &[&str]) -> (Running, BufReader<ChildStderr>) {
    let mut child = Running::start(&mut jkool(&[&["relay"], args].concat()));
    let notes = BufReader::new(child.stderr.take().unwrap());
    (child, notes)
}

/// Reads notes up to the one that holds `text`.
fn note(notes: &mut BufReader<ChildStderr>, text: &str) -> String {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(notes.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    line
}

/// Starts a relay, and reads its notes up to the one that holds `text`.
pub(crate) fn start(args: &[&str], text: &str) -> (Running, String) {
    let (child, mut notes) = spawn(args);
    let line = note(&mut notes, text);
    // It must never wait for a reader.
    std::thread::spawn(move || drop(notes.read_to_end(&mut Vec::new())));
    (child, line)
}

/// Waits until the metrics hold a line, at the address that a note has told.
pub(crate) fn wait_for_metric(note: &str, line: &str) {
    let address = note.trim().rsplit("//").next().unwrap().split('/').next().unwrap();
    eventually(line, || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().any(|found| found == line).then_some(())
    });
}

#[test]
fn a_relay_that_is_killed_loses_nothing_and_repeats_the_same_ids() {
    const COUNT: u32 = 2_000;
    let (collector, folder) = (collector(), Folder::new("killed"));
    folder.write("events.000001.jsonl", 0..COUNT / 2);
    folder.write("events.jsonl", COUNT / 2..COUNT);
    let url = collector.url();
    let from = folder.path("");
    let args = ["--from", &from, "--to", &url, "--batch", "10", "--in-flight", "2"];
    let (child, _) = start(&args, "relaying from");
    eventually("the first events", || (!stored(&collector).is_empty()).then_some(()));
    drop(child);
    let (child, _) = start(&args, "relaying from");
    eventually("all events", || (numbers(&collector).len() as u32 == COUNT).then_some(()));
    let ran = child.terminate();
    assert_eq!(ran.code, 0, "{}", ran.err);
    // What came twice has the same id, so that it is stored once.
    assert_eq!(stored(&collector).len() as u32, COUNT);
    let (child, _) = start(&args, "relaying from");
    assert_eq!(child.terminate().code, 0);
    assert_eq!(stored(&collector).len() as u32, COUNT);
}

#[test]
fn what_is_read_when_it_is_told_to_stop_is_delivered() {
    let collector = collector();
    let args = ["--from", "tcp://127.0.0.1:0", "--to", &collector.url(), "--batch", "10", "--metrics", "127.0.0.1:0"];
    let (child, mut notes) = spawn(&args);
    let listens = note(&mut notes, "listening on");
    let metrics = note(&mut notes, "metrics at");
    let address = listens.trim().rsplit("//").next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(lines(0..5_000).as_bytes()).unwrap();
    wait_for_metric(&metrics, "jkool_relay_records_received_total 5000");
    assert_eq!(child.terminate().code, 0);
    assert_eq!(numbers(&collector).len(), 5_000);
}

#[test]
fn metrics_are_told_and_bad_records_go_to_their_file() {
    let (collector, folder) = (collector(), Folder::new("letters"));
    fs::write(folder.path("events.jsonl"), lines(0..3) + "no event\n" + &lines(3..5)).unwrap();
    let dead = folder.path("dead.json");
    let (from, to) = (folder.path(""), format!("file://{dead}"));
    let args = ["--from", &from, "--to", &collector.url(), "--dead-letters", &to, "--metrics", "127.0.0.1:0"];
    let (child, line) = start(&args, "metrics at");
    wait_for_metric(&line, "jkool_relay_records_settled_total 6");
    wait_for_metric(&line, "jkool_relay_dead_letters_total 1");
    assert_eq!(child.terminate().code, 0);
    assert_eq!(numbers(&collector), (0..5).collect());
    let letter: serde_json::Value = serde_json::from_str(&fs::read_to_string(dead).unwrap()).unwrap();
    assert_eq!(letter["record"], "no event");
}

#[test]
fn what_can_not_be_delivered_waits_in_the_spool_or_in_the_folder() {
    let (folder, nobody) = (Folder::new("waits"), Nobody::new());
    fs::create_dir(folder.path("in")).unwrap();
    folder.write("in/events.jsonl", 0..10);
    let (from, spool) = (folder.path("in"), folder.path("spool"));
    let url = nobody.url();
    let base = ["--from", &from, "--to", &url, "--drain", "100ms", "--metrics", "127.0.0.1:0"];
    for (arguments, code) in [(&[][..], 1), (&["--spool", &spool], 0)] {
        let (child, line) = start(&[&base[..], arguments].concat(), "metrics at");
        wait_for_metric(&line, "jkool_relay_records_received_total 10");
        assert_eq!(child.terminate().code, code, "{arguments:?}");
    }
    let collector = collector();
    let url = collector.url();
    let (child, _) = start(&["--from", &from, "--to", &url, "--spool", &spool], "relaying from");
    eventually("all events", || (numbers(&collector) == (0..10).collect()).then_some(()));
    assert_eq!(child.terminate().code, 0);
    assert_eq!(stored(&collector).len(), 10);
}

#[test]
fn events_go_to_files_and_to_standard_output_too_and_can_be_sent_from_there() {
    let (collector, folder) = (collector(), Folder::new("elsewhere"));
    folder.write("events.jsonl", 0..3);
    let file = folder.path("out.jsonl");
    let sent = run(&["send", "--file", &folder.path("events.jsonl"), "--url", &format!("file://{file}")]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let printed = run(&["send", "--file", &file, "--url", "stdout:"]);
    assert_eq!((printed.code, printed.out.lines().count()), (0, 3), "{}", printed.err);
    let sent = run_with(&["send", "--url", &collector.url()], &printed.out);
    assert_eq!(sent.code, 0, "{}", sent.err);
    assert_eq!(numbers(&collector), (0..3).collect());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("usage");
    let path = folder.path("");
    for args in [
        &["--from", "ftp://x"][..],
        &["--from", &path, "--to", "ftp://x"],
        &["--from", &path, "--dead-letters", "http://127.0.0.1:1"],
        &["--from", "tcp://127.0.0.1:0", "--positions", "x"],
        &["--from", &path, "--in-flight", "0"],
        &["--from", "https://127.0.0.1:0"],
        &["--from", "https://127.0.0.1:0?certificate=/missing.pem&certificate_key=/missing.pem"],
        &["--from", "http://127.0.0.1:0?token_file=/missing"],
    ] {
        let ran = run(&[&["relay"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
    }
    assert_eq!(run(&["relay", "--from", &folder.path("missing")]).code, 3);
}

#[test]
fn requests_are_relayed_and_need_the_token() {
    const COUNT: u32 = 1_000;
    let (collector, folder) = (collector(), Folder::new("http"));
    fs::write(folder.path("token"), "canary-17\n").unwrap();
    let from = format!("http://127.0.0.1:0?token_file={}", folder.path("token"));
    let (child, listens) = start(&["--from", &from, "--to", &collector.url()], "listening on");
    let url = format!("http://{}", listens.trim().rsplit("//").next().unwrap());
    folder.write("events.jsonl", 0..COUNT);
    let send = |token: &str| {
        let args = ["send", "--url", &url, "--token-file", token, "--file", &folder.path("events.jsonl")];
        run(&args)
    };
    let sent = send(&folder.path("token"));
    assert_eq!(sent.code, 0, "{}", sent.err);
    // What the sender was told is true at once.
    assert_eq!(numbers(&collector).len() as u32, COUNT);
    fs::write(folder.path("wrong"), "canary-18\n").unwrap();
    let refused = send(&folder.path("wrong"));
    assert_ne!(refused.code, 0, "{}", refused.err);
    assert_eq!(child.terminate().code, 0);
    assert_eq!(stored(&collector).len() as u32, COUNT);
}

#[test]
fn requests_and_lines_are_relayed_over_tls() {
    const COUNT: u32 = 500;
    let (collector, folder) = (collector(), Folder::new("tls"));
    let rcgen::CertifiedKey { cert, key_pair } = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
    fs::write(folder.path("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.path("key.pem"), key_pair.serialize_pem()).unwrap();
    fs::write(folder.path("tokens"), "# for the shop\ncanary-17\ncanary-18\n").unwrap();
    fs::write(folder.path("token"), "canary-18\n").unwrap();
    let (cert, token) = (folder.path("cert.pem"), folder.path("token"));
    let tls = format!("certificate={cert}&certificate_key={}", folder.path("key.pem"));
    for (part, scheme, own) in
        [(0, "https", format!("&token_file={}", folder.path("tokens"))), (1, "tls", String::new())]
    {
        let from = format!("{scheme}://127.0.0.1:0?{tls}{own}");
        let (child, listens) = start(&["--from", &from, "--to", &collector.url()], "listening on");
        let address = listens.trim().strip_prefix(&format!("listening on {scheme}://")).unwrap();
        let (url, events) = (format!("{scheme}://{address}"), format!("events-{part}.jsonl"));
        folder.write(&events, part * COUNT..(part + 1) * COUNT);
        // A client that says nothing holds up no other.
        let _silent = TcpStream::connect(address).unwrap();
        let args = ["send", "--url", &url, "--ca-cert", &cert, "--token-file", &token, "--file", &folder.path(&events)];
        let sent = run(&args);
        assert_eq!(sent.code, 0, "{scheme}: {}", sent.err);
        let count = (part + 1) * COUNT;
        eventually("all events", || (numbers(&collector).len() as u32 == count).then_some(()));
        let ran = child.terminate();
        assert_eq!(ran.code, 0, "{scheme}: {}", ran.err);
    }
}
