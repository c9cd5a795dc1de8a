//! Folders and connections as sources, and what the endpoint tells.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Folder, Server, client, json};
use flate2::Compression;
use flate2::write::GzEncoder;
use jkool_relay::{Endpoint, FolderSource, Relay, RelayReport, RelayStatus, Source, TcpSource};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

fn append(path: &Path, numbers: Range<u64>) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    numbers.for_each(|number| writeln!(file, "{}", json(number)).unwrap());
}

/// As `FileTransport` does it.
fn compress(path: &Path) {
    let plain = fs::read(path).unwrap();
    let mut to = GzEncoder::new(File::create(path.with_extension("jsonl.gz")).unwrap(), Compression::fast());
    to.write_all(&plain).unwrap();
    to.finish().unwrap();
    fs::remove_file(path).unwrap();
}

async fn settled(status: &RelayStatus, count: u64) {
    while status.settled() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Relays until so many records are settled.
async fn relay(source: impl Source, server: &Server, count: u64) -> RelayReport {
    let relay = Relay::builder(source, client(server)).build().unwrap();
    let status = relay.status();
    relay.run(settled(&status, count)).await.unwrap()
}

fn all(server: &Server) -> Vec<u64> {
    let mut numbers = server.numbers();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn a_folder_is_read_once_whatever_rolls_and_is_compressed_between_starts() {
    let (folder, server) = (Folder::new("rolls"), Server::new());
    let path = |name: &str| folder.path().join(name);
    append(&path("events.000001.jsonl"), 0..100);
    append(&path("events.jsonl"), 100..150);
    let open = || FolderSource::open(folder.path()).unwrap();
    assert!(relay(open(), &server, 150).await.is_drained());
    assert_eq!(server.numbers(), (0..150).collect::<Vec<_>>());
    append(&path("events.jsonl"), 150..200);
    fs::rename(path("events.jsonl"), path("events.000002.jsonl")).unwrap();
    compress(&path("events.000001.jsonl"));
    compress(&path("events.000002.jsonl"));
    append(&path("events.jsonl"), 200..250);
    assert!(relay(open(), &server, 100).await.is_drained());
    assert_eq!(all(&server), (0..250).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_folder_is_followed_while_its_files_roll() {
    let (folder, server) = (Folder::new("follow"), Server::new());
    let path = |name: &str| folder.path().join(name);
    append(&path("events.jsonl"), 0..10);
    let relay = Relay::builder(FolderSource::open(folder.path()).unwrap(), client(&server)).build().unwrap();
    let status = relay.status();
    let stop = async {
        settled(&status, 10).await;
        append(&path("events.jsonl"), 10..20);
        fs::rename(path("events.jsonl"), path("events.000001.jsonl")).unwrap();
        // A line counts when its end is there.
        fs::write(path("events.jsonl"), json(20)).unwrap();
        settled(&status, 20).await;
        compress(&path("events.000001.jsonl"));
        fs::write(path("events.jsonl"), json(20) + "\n").unwrap();
        append(&path("events.jsonl"), 21..30);
        settled(&status, 30).await;
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    assert_eq!(server.numbers(), (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_not_delivered_is_read_again() {
    let (folder, away, server) = (Folder::new("again"), Server::away(), Server::new());
    append(&folder.path().join("events.jsonl"), 0..50);
    let relay = Relay::builder(FolderSource::open(folder.path()).unwrap(), client(&away));
    let relay = relay.drain_timeout(Duration::from_millis(20)).build().unwrap();
    let status = relay.status();
    let stop = async {
        while status.received() < 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(relay.run(stop).await.unwrap().left, 50);
    assert!(self::relay(FolderSource::open(folder.path()).unwrap(), &server, 50).await.is_drained());
    assert_eq!(server.numbers(), (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_folder_is_refused_that_is_none_or_is_read_by_another_or_has_damaged_positions() {
    let folder = Folder::new("refused");
    let error = |path: &Path| FolderSource::open(path).unwrap_err().to_string();
    assert!(error(&folder.path().join("missing")).contains("can't be read"));
    let first = FolderSource::open(folder.path()).unwrap();
    assert!(error(folder.path()).contains("another relay"));
    drop(first);
    fs::write(folder.path().join(".jkool-relay.json"), "{").unwrap();
    assert!(error(folder.path()).contains("is not a file with positions"));
    let elsewhere = folder.path().join("elsewhere.json");
    assert!(FolderSource::with_positions(folder.path(), elsewhere).is_ok());
}

#[tokio::test]
async fn a_file_that_is_damaged_is_told_and_holds_up_no_other() {
    let (folder, server) = (Folder::new("damaged"), Server::new());
    fs::write(folder.path().join("a.jsonl.gz"), b"\x1f\x8b no gzip").unwrap();
    append(&folder.path().join("b.jsonl"), 0..5);
    let (told, heard) = std::sync::mpsc::channel();
    let relay = Relay::builder(FolderSource::open(folder.path()).unwrap(), client(&server));
    let relay = relay.on_notice(move |text| drop(told.send(text.to_owned()))).build().unwrap();
    let status = relay.status();
    let mut notice = String::new();
    let stop = async {
        settled(&status, 5).await;
        while notice.is_empty() {
            notice = heard.try_recv().unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    relay.run(stop).await.unwrap();
    assert!(notice.contains("a.jsonl.gz can't be read"), "{notice}");
}

#[tokio::test]
async fn lines_over_tcp_arrive_and_a_stop_delivers_what_was_read() {
    let server = Server::new();
    let source = TcpSource::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = source.address();
    let relay = Relay::builder(source, client(&server)).build().unwrap();
    let status = relay.status();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                (writer * 100..writer * 100 + 100).for_each(|number| writeln!(stream, "{}", json(number)).unwrap());
                // The last line has no end.
                if writer == 3 {
                    write!(stream, "{}", json(400)).unwrap();
                }
            })
        })
        .collect();
    let report = relay.run(settled(&status, 401)).await.unwrap();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert!(report.is_drained());
    assert_eq!(all(&server), (0..401).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sender_waits_while_nothing_gets_through() {
    let server = Server::away();
    let source = TcpSource::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = source.address();
    let relay = Relay::builder(source, client(&server)).max_in_flight(100).build().unwrap();
    let status = relay.status();
    const COUNT: u64 = 3_000;
    let long = json(7).replace("number", &"x".repeat(8_000)).replace("id-7", "");
    let writer = std::thread::spawn(move || {
        let mut stream = std::io::BufWriter::new(TcpStream::connect(address).unwrap());
        (0..COUNT).for_each(|_| writeln!(stream, "{long}").unwrap());
    });
    let stop = async {
        while status.received() < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // 24 MB were to be written, which no socket takes.
        assert!(!writer.is_finished() && status.received() == 100);
        server.come_up();
        settled(&status, COUNT).await;
    };
    assert!(relay.run(stop).await.unwrap().is_drained());
    assert_eq!(server.bodies().len() as u64, COUNT);
    writer.join().unwrap();
}

fn get(address: std::net::SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn the_endpoint_tells_counts_and_health() {
    let source = TcpSource::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let relay = Relay::builder(source, client(&Server::new())).build().unwrap();
    let endpoint = Endpoint::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (address, status) = (endpoint.address(), relay.status());
    let asked = tokio::task::spawn_blocking(move || {
        ["GET /metrics", "GET /healthz", "GET /", "POST /metrics"].map(|head| get(address, head))
    });
    let answers = tokio::select! {
        () = endpoint.serve(status) => unreachable!("it serves until it is dropped"),
        answers = asked => answers.unwrap(),
    };
    let codes = answers.each_ref().map(|answer| answer.split(' ').nth(1).unwrap());
    assert_eq!(codes, ["200", "200", "404", "405"]);
    assert!(answers[0].contains("jkool_relay_records_received_total 0\n") && answers[0].ends_with("# EOF\n"));
}
