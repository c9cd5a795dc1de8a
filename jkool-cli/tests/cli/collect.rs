//! `jkool collect`, and how it ends.

use crate::common::{Ran, TempFile, eventually, jkool, run};
use jkool_collector::Store;
use jkool_model::TrackingId;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A collector in a process of its own.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(args: &[&str]) -> Self {
        Self::of(&mut jkool(&[&["collect", "--listen", "127.0.0.1:0"], args].concat()))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        // Read byte by byte, so that the rest is left for whoever wants it.
        let mut out = BufReader::with_capacity(1, child.stdout.as_mut().unwrap());
        out.read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("Collecting at ").unwrap_or_else(|| panic!("{first}")).to_owned();
        Self { child, url }
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(unix)]
#[test]
fn asked_to_stop_it_ends_in_order_and_has_kept_everything() {
    let db = TempFile::missing("stop.db");
    for (count, signal) in [(1, "-TERM"), (2, "-INT")] {
        let mut collector = Process::start(&["--db", db.path(), "--max-age", "36500d", "--max-size", "1GB"]);
        assert_eq!(run(&["send", "hello", "--url", &collector.url]).code, 0);
        assert!(run(&["stats", "--url", &collector.url]).out.starts_with(&format!("events      {count}\n")));
        // A tail that is still open does not keep it.
        let mut tail = jkool(&["tail", "--url", &collector.url]).spawn().unwrap();
        collector.signal(signal);
        assert_eq!(collector.child.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        collector.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        let expected = format!(
            "Any token is accepted, and none is required\nStores events in {}, for 36500d at most, 953.7 MiB at most: the oldest are deleted first\n\
             Stopped: 1 stored, 0 duplicates, 0 rejected\n",
            db.path()
        );
        assert_eq!(rest, expected);
        tail.kill().unwrap();
        tail.wait().unwrap();
    }
}

#[test]
fn what_it_can_not_do_it_says() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let ran = run(&["collect", "--listen", &address]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(ran.err.starts_with(&format!("jkool: can't listen on {address}: ")), "{}", ran.err);
    assert!(ran.err.contains("--listen"), "{}", ran.err);
    assert_eq!(run(&["collect", "--listen", "127.0.0.1:0", "--db", "/nowhere/at/all.db"]).code, 3);
    assert_eq!(run(&["collect", "--sync", "system"]).code, 2);
    assert_eq!(run(&["collect", "--max-size", "much"]).code, 2);
}

#[cfg(unix)]
#[test]
fn a_token_that_is_no_utf8_is_an_error_that_says_so() {
    use std::os::unix::ffi::OsStrExt;
    let token = std::ffi::OsStr::from_bytes(b"canary-\xff");
    for args in [
        ["collect", "--listen", "127.0.0.1:0"].as_slice(),
        &["search", "--url", "http://127.0.0.1:1"],
        &["send", "--url", "https://127.0.0.1:1", "hello"],
    ] {
        let ran: crate::common::Ran = jkool(args).env("JKOOL_TOKEN", token).output().unwrap().into();
        assert_eq!(ran.code, 2, "{args:?} {}", ran.err);
        assert!(ran.err.contains("JKOOL_TOKEN") && ran.err.contains("ASCII"), "{args:?} {}", ran.err);
        assert!(!ran.err.contains("canary"), "{args:?} {}", ran.err);
    }
}

#[test]
fn with_tokens_everybody_needs_one() {
    let tokens = TempFile::new("tokens", "canary-01\ncanary-02\n");
    let mine = TempFile::new("token", "canary-02\n");
    let collector = Process::start(&["--token-file", tokens.path()]);
    for args in [&["send", "hello"][..], &["stats"], &["search"], &["tail"]] {
        let ran: Ran =
            jkool(args).env("JKOOL_URL", &collector.url).env("JKOOL_TOKEN", "canary-03").output().unwrap().into();
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("401") && !ran.err.contains("canary"), "{}", ran.err);
    }
    assert_eq!(run(&["send", "hello", "--url", &collector.url, "--token-file", mine.path()]).code, 0);
    let stats = jkool(&["stats"]).env("JKOOL_URL", &collector.url).env("JKOOL_TOKEN", "canary-01").output().unwrap();
    assert!(String::from_utf8(stats.stdout).unwrap().starts_with("events      1\n"));
    // One of the environment does as well.
    let mut command = jkool(&["collect", "--listen", "127.0.0.1:0"]);
    let collector = Process::of(command.env("JKOOL_TOKEN", "canary-04"));
    assert_eq!(run(&["stats", "--url", &collector.url]).code, 3);
    let stats = jkool(&["stats", "--url", &collector.url]).env("JKOOL_TOKEN", "canary-04").output().unwrap();
    assert_eq!(stats.status.code(), Some(0));
    // Who can be reached from elsewhere needs one.
    let open = run(&["collect", "--listen", "0.0.0.0:0"]);
    assert_eq!(open.code, 3);
    assert!(open.err.contains("set a token"), "{}", open.err);
}

#[test]
fn over_tls_its_certificate_is_checked() {
    let rcgen::CertifiedKey { cert, key_pair } = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let cert = TempFile::new("cert.pem", &cert.pem());
    let key = TempFile::new("key.pem", &key_pair.serialize_pem());
    let collector = Process::start(&["--tls-cert", cert.path(), "--tls-key", key.path()]);
    let url = collector.url.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://localhost:"));
    assert_eq!(run(&["send", "hello", "--url", &url, "--ca-cert", cert.path()]).code, 0);
    assert_eq!(run(&["search", "hello", "--url", &url, "--ca-cert", cert.path()]).code, 0);
    for args in [&["send", "hello"][..], &["search", "hello"]] {
        let ran = run(&[args, &["--url", &url]].concat());
        assert_eq!(ran.code, 3, "{args:?}: {}", ran.err);
    }
    assert_eq!(run(&["collect", "--tls-cert", cert.path()]).code, 2);
}

#[test]
fn lines_over_tcp_are_taken_too() {
    let mut collector = Process::start(&["--listen-tcp", "127.0.0.1:0"]);
    let mut second = String::new();
    BufReader::with_capacity(1, collector.child.stdout.as_mut().unwrap()).read_line(&mut second).unwrap();
    let address = second.trim().strip_prefix("and at tcp://").unwrap_or_else(|| panic!("{second}"));
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"{\"operation\":\"over-tcp\"}\n").unwrap();
    eventually("the line", || {
        (run(&["search", "--operation", "over-tcp", "--url", &collector.url]).code == 0).then_some(())
    });
}

#[test]
fn what_opentelemetry_sends_is_taken_too() {
    let mut collector = Process::start(&["--otlp", "127.0.0.1:0"]);
    let mut second = String::new();
    BufReader::with_capacity(1, collector.child.stdout.as_mut().unwrap()).read_line(&mut second).unwrap();
    let address = second.trim().strip_prefix("and OTLP at http://").unwrap_or_else(|| panic!("{second}"));
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"over-otlp"}]}]}]}"#;
    let head = "POST /v1/logs HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length:";
    write!(stream, "{head} {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 ") && answer.ends_with("{}"), "{answer}");
    assert_eq!(run(&["search", "--operation", "over-otlp", "--url", &collector.url]).code, 0);
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let db = TempFile::new("notes.txt", "notes");
    let ran = run(&["collect", "--listen", "127.0.0.1:0", "--db", db.path()]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains(db.path()), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(db.path()).unwrap(), "notes");
}

#[test]
fn a_second_collector_is_refused_and_told_who_has_it() {
    let db = TempFile::missing("twice.db");
    let first = Process::start(&["--db", db.path()]);
    let second = run(&["collect", "--listen", "127.0.0.1:0", "--db", db.path()]);
    assert_eq!(second.code, 3);
    assert!(second.err.contains(&format!("(process {})", first.child.id())), "{}", second.err);
    assert_eq!(run(&["send", "hello", "--url", &first.url]).code, 0);
}

#[test]
fn a_store_elsewhere_need_not_be_there_for_events_to_be_taken() {
    let db = TempFile::missing("journal");
    for wrong in [
        &["--store", "victorialogs=http://127.0.0.1:1"][..],
        &["--store", "http://127.0.0.1:1", "--db", db.path()],
        &["--store", "victorialogs=http://127.0.0.1:1", "--db", db.path(), "--max-age", "7d"],
    ] {
        assert_eq!(run(&[&["collect"], wrong].concat()).code, 2, "{wrong:?}");
    }
    // Nobody listens there.
    let collector = Process::start(&["--db", db.path(), "--store", "victorialogs=http://127.0.0.1:1"]);
    assert_eq!(run(&["send", "hello", "--url", &collector.url]).code, 0);
    let search = run(&["search", "hello", "--url", &collector.url]);
    assert_ne!(search.code, 0);
    assert!(search.err.contains("VictoriaLogs at 127.0.0.1:1"), "{}", search.err);
}

/// So many events go in one request, and so many requests are under way.
const BATCH: usize = 20;
const SENDERS: usize = 4;

/// Sends events over several connections until no more of them are stored, and gives the ids of all that were. As soon as
/// there are so many, `then` is called.
fn send_until_it_ends(url: &str, so_many: usize, then: impl FnOnce()) -> Vec<String> {
    send_round(url, 0, so_many, then)
}

/// The same, with the number of a round in the ids.
fn send_round(url: &str, round: usize, so_many: usize, then: impl FnOnce()) -> Vec<String> {
    let (acknowledged, more) = (Arc::new(Mutex::new(Vec::new())), Arc::new(tokio::sync::Notify::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    runtime.block_on(async {
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let (acknowledged, more) = (Arc::clone(&acknowledged), Arc::clone(&more));
            let (client, url) = (client.clone(), url.to_owned());
            senders.spawn(async move {
                for request in 0.. {
                    let ids: Vec<String> =
                        (0..BATCH).map(|number| format!("{round}-{sender}-{request}-{number}")).collect();
                    let lines: Vec<String> = ids
                        .iter()
                        .map(|id| format!(r#"{{"operation":"Count","tracking-id":"{id}","msg-text":"{id}"}}"#))
                        .collect();
                    let post = client.post(format!("{url}/event")).header("X-API-Key", "canary-5ec1");
                    match post.header("Content-Type", "application/x-ndjson").body(lines.join("\n")).send().await {
                        Ok(answer) if answer.status().is_success() => {
                            acknowledged.lock().unwrap().extend(ids);
                            more.notify_one();
                        }
                        Ok(answer) => return assert_eq!(answer.status(), 503),
                        // It is dead.
                        Err(_) => return,
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < so_many {
            more.notified().await;
        }
        then();
        while let Some(ended) = senders.join_next().await {
            ended.unwrap();
        }
    });
    std::mem::take(&mut acknowledged.lock().unwrap())
}

fn assert_all_are_there(db: &TempFile, acknowledged: &[String]) {
    // It is asked thousands of times at once.
    let store = Store::builder().file(&db.0).patience(std::time::Duration::from_secs(120)).open().unwrap();
    assert_eq!(store.notices(), [] as [String; 0]);
    let lost = store.read_now(|reader| {
        let mut lost = Vec::new();
        for id in acknowledged {
            if reader.with_tracking_id(&TrackingId::from(id.clone()))?.len() != 1 {
                lost.push(id);
            }
        }
        Ok(lost)
    });
    assert_eq!(lost.unwrap(), [] as [&String; 0]);
}

#[test]
fn killed_it_has_everything_that_it_acknowledged() {
    let db = TempFile::missing("kill.db");
    let mut collector = Process::start(&["--db", db.path()]);
    // In the midst of it.
    let acknowledged = send_until_it_ends(&collector.url, 2_000, || collector.child.kill().unwrap());
    collector.child.wait().unwrap();
    assert_all_are_there(&db, &acknowledged);
    // And it goes on from there.
    let again = Process::start(&["--db", db.path()]);
    let stats = run(&["stats", "--json", "--url", &again.url]);
    let stats: serde_json::Value = serde_json::from_str(&stats.out).unwrap();
    assert!(stats["events"].as_u64().unwrap() as usize >= acknowledged.len());
}

/// Again and again, at a moment of its own each time: while it takes in, commits, merges, lets go of what is old, or starts.
#[test]
fn killed_at_any_moment_it_loses_nothing_and_repeats_nothing() {
    let db = TempFile::missing("kills.db");
    let mut acknowledged = Vec::new();
    for round in 0..6_usize {
        let mut collector = Process::start(&["--db", db.path(), "--max-age", "36500d", "--max-size", "64MB"]);
        let many = 100 + round * 200;
        let more = send_round(&collector.url, round, many, || collector.child.kill().unwrap());
        collector.child.wait().unwrap();
        acknowledged.extend(more);
        // One more is killed as soon as it listens, with the journal of the one before.
        let mut starting = Process::start(&["--db", db.path()]);
        starting.child.kill().unwrap();
        starting.child.wait().unwrap();
    }
    assert_all_are_there(&db, &acknowledged);
}

/// The system lets no file grow further: what a full disk does, for one process.
#[cfg(unix)]
#[test]
fn with_no_room_left_it_says_so_and_has_everything_that_it_acknowledged() {
    let db = TempFile::missing("full.db");
    let limited = "ulimit -f 128; trap '' XFSZ; exec \"$0\" \"$@\"";
    let command = jkool(&["collect", "--listen", "127.0.0.1:0", "--db", db.path()]);
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(command.get_program()).args(command.get_args());
    let mut collector = Process::of(shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let acknowledged = send_until_it_ends(&collector.url, BATCH, || ());
    // It still answers, and what is there can be read.
    assert_eq!(run(&["search", "0-0-0-0", "--url", &collector.url]).code, 0);
    collector.signal("-KILL");
    collector.child.wait().unwrap();
    assert_all_are_there(&db, &acknowledged);
}
