//! `jkool send --follow`, with real processes and files that roll.
#![cfg(unix)]

use crate::common::{collector, eventually, jkool, numbers, stored};
use crate::running::Running;
use jkool_collector::Collector;
use jkool_model::Entity;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jkool-follow-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn append(&self, name: &str, numbers: std::ops::Range<u32>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        write(&mut file, numbers);
    }

    /// A process that follows all logs in it.
    fn follow(&self, collector: &Collector) -> Running {
        let pattern = self.path("*.log");
        let positions = self.path("positions.json");
        let url = collector.url();
        let args = [
            "send",
            "--follow",
            pattern.to_str().unwrap(),
            "--positions",
            positions.to_str().unwrap(),
            "--url",
            &url,
            "--source",
            "APPL=Test",
        ];
        Running::start(&mut jkool(&args))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn write(file: &mut File, numbers: std::ops::Range<u32>) {
    for number in numbers {
        file.write_all(format!("2026-11-30 03:14:10,123 INFO order number {number}\n").as_bytes()).unwrap();
    }
}

fn wait_for(collector: &Collector, count: u64) {
    eventually("delivery", || numbers(collector).into_iter().eq(0..count).then_some(()));
}

#[test]
fn rotation_by_renaming_and_by_truncation_and_new_files_lose_nothing() {
    let (collector, folder) = (collector(), Folder::new("rotation"));
    folder.append("a.log", 0..100);
    let child = folder.follow(&collector);
    wait_for(&collector, 100);
    // Renamed while its program still writes to it, as logrotate does.
    let mut old = OpenOptions::new().append(true).open(folder.path("a.log")).unwrap();
    fs::rename(folder.path("a.log"), folder.path("a.log.1")).unwrap();
    write(&mut old, 100..200);
    folder.append("a.log", 200..300);
    wait_for(&collector, 300);
    // Copied and truncated: it becomes shorter than what was read of it.
    fs::copy(folder.path("a.log"), folder.path("a.log.2")).unwrap();
    OpenOptions::new().write(true).open(folder.path("a.log")).unwrap().set_len(0).unwrap();
    folder.append("a.log", 300..310);
    folder.append("b.log", 310..400);
    wait_for(&collector, 400);
    let ran = child.terminate();
    assert_eq!((ran.code, stored(&collector).len()), (0, 400), "{}", ran.err);
    assert!(ran.err.starts_with("400 delivered in "), "{}", ran.err);
}

#[test]
fn who_is_killed_goes_on_where_it_was_and_what_was_renamed_meanwhile_is_read_to_its_end() {
    let (collector, folder) = (collector(), Folder::new("kill"));
    for round in 0..4 {
        folder.append("a.log", round * 5_000..(round + 1) * 5_000);
        let child = folder.follow(&collector);
        eventually("the first of them", || numbers(&collector).contains(&u64::from(round * 5_000)).then_some(()));
        drop(child);
        if round == 2 {
            fs::rename(folder.path("a.log"), folder.path("a.log.1")).unwrap();
        }
    }
    let child = folder.follow(&collector);
    wait_for(&collector, 20_000);
    let ran = child.terminate();
    assert_eq!(ran.code, 0, "{}", ran.err);
    // What was in doubt has come again, as the same event with the same id, and is stored once.
    assert_eq!(stored(&collector).len(), 20_000);
    // Nothing is left to do.
    let child = folder.follow(&collector);
    folder.append("a.log", 20_000..20_001);
    wait_for(&collector, 20_001);
    let ran = child.terminate();
    assert!(ran.err.starts_with("1 delivered in "), "{}", ran.err);
}

#[test]
fn syslog_is_taken_over_udp_and_tcp() {
    let collector = collector();
    let args = ["send", "--listen", "syslog://127.0.0.1:0", "--url", &collector.url()];
    let mut child = Running::start(&mut jkool(&args));
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening for syslog on ").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(b"<34>Nov 30 03:14:10 web-1 su: udp", address).unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.write_all(b"<34>Nov 30 03:14:10 web-1 su: lines\n35 <34>Nov 30 03:14:10 web-1 su: count").unwrap();
    eventually("three messages", || (stored(&collector).len() == 3).then_some(()));
    // What is no syslog is an event all the same.
    tcp.write_all(b"nonsense\n").unwrap();
    eventually("the text", || (stored(&collector).len() == 4).then_some(()));
    let ran = child.terminate();
    assert_eq!(ran.code, 0);
    let mut found: Vec<String> = stored(&collector)
        .into_iter()
        .map(|stored| match stored.entity {
            Entity::Event(event) => event.message.into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort();
    assert_eq!(found, ["count", "lines", "nonsense", "udp"]);
}

#[test]
fn a_stack_trace_that_is_written_bit_by_bit_is_one_event_and_two_followers_do_not_share() {
    let (collector, folder) = (collector(), Folder::new("trace"));
    let mut file = File::create(folder.path("a.log")).unwrap();
    file.write_all(b"2026-11-30 03:14:10,123 ERROR no stock\n\tat shop.Order.ta").unwrap();
    let child = folder.follow(&collector);
    eventually("the positions", || folder.path("positions.json").exists().then_some(()));
    let other = folder.follow(&collector).wait_with_output();
    assert_eq!(other.code, 2, "{}", other.err);
    assert!(other.err.contains("another process uses it"), "{}", other.err);
    file.write_all(b"ke(Order.java:5)\n2026-11-30 03:14:11,000 INFO next\n").unwrap();
    eventually("both events", || (stored(&collector).len() == 2).then_some(()));
    let Entity::Event(event) = &stored(&collector)[0].entity else { panic!("an event") };
    assert_eq!(event.exception, "\tat shop.Order.take(Order.java:5)");
    assert_eq!(child.terminate().code, 0);
}
