//! A disk that is full, taken away or read-only under a running client: it goes on in memory, says what is wrong, and uses
//! the disk again when that works again.
#![cfg(all(target_os = "linux", feature = "http"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says when it can't be run")]

use crate::faults::server::{Reply, Server};
use crate::faults::{MARGIN, PATIENCE, client, now, until};
use crate::spooled::{Folder, Number, Received};
use jkool_client::{Admission, Client, LossReason, Spool, SpoolMode};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Uid, geteuid};
use rustix::thread::set_thread_uid;
use std::ffi::CStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MODES: [SpoolMode; 2] = [SpoolMode::WriteAhead, SpoolMode::Overflow];

/// A client of which a server sees what it emits, and the account of that.
struct Subject {
    client: Client,
    server: Server,
    emitted: u32,
}

impl Subject {
    /// Its server answers 503, half of its queue is little, and what is under way is less.
    fn new(spool: Spool, in_flight: usize) -> Self {
        let server = Server::start();
        server.otherwise(Reply::Status(503));
        let builder = client(server.url()).http(|http| http.batches(100)).queue_events(1_000).in_flight(in_flight);
        let builder = builder.spool(spool);
        Self { client: builder.build().unwrap(), server, emitted: 0 }
    }

    /// No call waits for the disk.
    fn emit(&mut self) -> Admission {
        self.emitted += 1;
        let draft = self.client.event("op").message(Number { round: 0, thread: 0, sequence: self.emitted }.message());
        let start = now();
        let admission = draft.emit();
        assert!(start.elapsed() < MARGIN);
        admission
    }

    /// Emits until it comes to that, while what is due is written; the law holds at any time.
    fn emit_until(&mut self, done: impl Fn(&Client) -> bool) {
        let start = now();
        while !done(&self.client) {
            assert!(start.elapsed() < PATIENCE, "it never comes to that: {}", self.client.stats());
            for _ in 0..20 {
                self.emit();
            }
            let _report = self.client.flush(std::time::Duration::from_millis(1));
            self.check_law();
        }
    }

    fn check_law(&self) {
        let stats = self.client.stats();
        let sum = stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total();
        assert_eq!((stats.accepted(), stats.recovered()), (sum, 0), "{stats}");
        assert_eq!(stats.accepted(), u64::from(self.emitted), "{stats}");
    }

    /// The server is well again: everything arrives, once, that was not dropped for one of these reasons.
    fn recover(&self, reasons: &[LossReason]) {
        self.server.otherwise(Reply::Status(202));
        until(&self.client, || self.client.flush(PATIENCE).is_delivered());
        self.check_law();
        let (stats, received) = (self.client.stats(), Received::of(&self.server.requests()));
        let dropped: u64 = reasons.iter().map(|reason| stats.dropped(*reason)).sum();
        assert_eq!((stats.dropped_total(), stats.spooled(), stats.in_memory()), (dropped, 0, 0), "{stats}");
        assert_eq!((received.taken.len() as u64, received.repeats), (stats.delivered(), 0));
    }
}

fn error(client: &Client) -> Option<String> {
    client.health().spool_error
}

/// A small file system in memory.
struct SmallDisk(Folder);

impl SmallDisk {
    /// None where one may not mount.
    fn new(name: &str, options: &CStr) -> Option<Self> {
        let folder = Folder::new(name);
        std::fs::create_dir(folder.path()).unwrap();
        let mounted = mount("none", folder.path(), "tmpfs", MountFlags::empty(), options);
        match mounted {
            Ok(()) => Some(Self(folder)),
            Err(error) => {
                println!("skipped, for a file system can't be mounted here: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(self.path(), UnmountFlags::DETACH).unwrap();
    }
}

fn a_full_disk(mode: SpoolMode) {
    let Some(disk) = SmallDisk::new("full", c"size=1m,nr_inodes=5000,mode=0700") else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 512 << 10]).unwrap();
    let mut subject = Subject::new(Spool::new(disk.path().join("spool")).mode(mode), 2);
    subject.emit_until(|client| error(client).is_some());
    let error_text = error(&subject.client).unwrap();
    assert!(error_text.contains("No space left on device"), "{error_text}");
    assert!(subject.client.stats().spooled() > 0);
    // Memory is full too, and still nobody waits.
    subject.emit_until(|client| client.stats().dropped(LossReason::Overflow) > 0);
    // Somebody makes room.
    std::fs::remove_file(ballast).unwrap();
    let before = subject.client.stats().spooled();
    subject.emit_until(|client| error(client).is_none() && client.stats().spooled() > before);
    subject.emit_until(|client| error(client).is_some());
    // And the server does.
    subject.recover(&[LossReason::Overflow]);
    subject.server.otherwise(Reply::Status(503));
    let before = subject.client.stats().spooled();
    subject.emit_until(|client| error(client).is_none() && client.stats().spooled() > before);
    subject.recover(&[LossReason::Overflow]);
    let report = subject.client.shutdown(PATIENCE);
    assert!(report.is_delivered(), "{report}");
    let names: Vec<_> = std::fs::read_dir(disk.path().join("spool")).unwrap().collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_disk_that_the_spool_has_filled_is_emptied_by_the_next_process() {
    let Some(disk) = SmallDisk::new("filled", c"size=1m,nr_inodes=30,mode=0700") else { return };
    let spool = || Spool::new(disk.path().join("spool")).mode(SpoolMode::WriteAhead);
    let mut subject = Subject::new(spool(), 2);
    // Not a file more, nor a folder.
    while std::fs::File::create_new(disk.path().join("probe")).is_ok() {
        std::fs::remove_file(disk.path().join("probe")).unwrap();
        subject.emit();
        assert!(subject.client.flush_durable(PATIENCE).is_durable() || error(&subject.client).is_some());
    }
    let left = subject.client.shutdown(std::time::Duration::ZERO).spooled();
    assert!(left > 10, "{left}");
    drop(subject);
    let next = Subject::new(spool(), 2);
    assert_eq!((next.client.stats().recovered(), error(&next.client)), (left, None));
    next.server.otherwise(Reply::Status(202));
    until(&next.client, || next.client.flush(PATIENCE).is_delivered());
    assert_eq!(next.client.stats().delivered(), left);
    // And it is a spool as any other.
    next.server.otherwise(Reply::Status(503));
    next.client.event("op").emit();
    assert!(next.client.flush_durable(PATIENCE).is_durable());
}

#[test]
fn a_full_disk_with_everything_written_ahead() {
    a_full_disk(SpoolMode::WriteAhead);
}

#[test]
fn a_full_disk_with_what_flows_over() {
    a_full_disk(SpoolMode::Overflow);
}

#[test]
fn a_folder_that_is_removed_under_a_running_client() {
    for mode in MODES {
        let folder = Folder::new("removed");
        let mut subject = Subject::new(Spool::new(folder.path()).mode(mode), 2);
        subject.emit_until(|client| client.stats().spooled() > 2_000);
        // It may be written to meanwhile.
        while std::fs::remove_dir_all(folder.path()).is_err() {}
        // The folder is made anew. Some may have been missed already.
        let stats = subject.client.stats();
        let (left, spooled) = (stats.spooled(), stats.spooled() + stats.dropped(LossReason::Damaged));
        subject.emit_until(|client| client.stats().spooled() > left && error(client).is_none());
        folder.inspect();
        // What was on disk alone is lost, and nothing else.
        subject.recover(&[LossReason::Overflow, LossReason::Damaged]);
        let damaged = subject.client.stats().dropped(LossReason::Damaged);
        assert!((1..=spooled).contains(&damaged), "{damaged} of {spooled}");
        assert!(subject.client.shutdown(PATIENCE).is_delivered());
        folder.assert_empty();
    }
}

/// Sets the mode of a folder and those in it.
fn chmod(folder: &Path, mode: u32) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            chmod(&entry.path(), mode);
        }
    }
}

#[test]
fn a_folder_that_is_read_only_for_a_while() {
    const NOBODY: u32 = 65_534;
    let thread = std::thread::spawn(|| {
        if geteuid().is_root() {
            // To root nothing is read-only. Only this thread and those that it starts are somebody else.
            set_thread_uid(Uid::from_raw(NOBODY)).unwrap();
        }
        MODES.into_iter().for_each(a_read_only_folder);
    });
    thread.join().unwrap();
}

fn a_read_only_folder(mode: SpoolMode) {
    let folder = Folder::new("read-only");
    let mut subject = Subject::new(Spool::new(folder.path()).mode(mode), 2);
    subject.emit_until(|client| client.stats().spooled() > 500);
    chmod(folder.path(), 0o500);
    subject.emit_until(|client| error(client).is_some());
    let error_text = error(&subject.client).unwrap();
    assert!(error_text.contains("Permission denied"), "{error_text}");
    // What is there can be read, and is not lost.
    subject.recover(&[LossReason::Overflow]);
    chmod(folder.path(), 0o700);
    subject.server.otherwise(Reply::Status(503));
    subject.emit_until(|client| error(client).is_none() && client.stats().spooled() > 0);
    subject.recover(&[LossReason::Overflow]);
    assert!(subject.client.shutdown(PATIENCE).is_delivered());
    folder.assert_empty();
}

#[test]
fn memory_that_is_full_of_what_is_under_way_is_relieved() {
    let folder = Folder::new("under-way");
    let mut subject = Subject::new(Spool::new(folder.path()), 10);
    subject.server.otherwise(Reply::Stall);
    // Nothing of it waits in the queue any more.
    subject.emit_until(|client| client.stats().accepted() >= 500);
    until(&subject.client, || subject.server.requests().len() >= 5);
    subject.emit_until(|client| client.stats().spooled() >= 1_000);
    assert_eq!(subject.client.shutdown(std::time::Duration::from_secs(1)).pending(), 0);
}
