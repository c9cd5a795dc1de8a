//! The folder of a spool: one that is no good, damage in it, and what else is kept there.
#![cfg(unix)]

use crate::child::printed_by_child;
use crate::common::{PATIENCE, assert_accounts, assert_balanced, failure, messages};
use crate::spools::{TempDir, assert_arrived, emit, leave, spooling, until};
use crate::transports::{Gate, Judge};
use jkool_client::transport::{Disposition, MemoryTransport, Outcome, Payload};
use jkool_client::{LossReason, SpoolMode};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_missing_is_made_and_nobody_else_can_read_it() {
    let dir = TempDir::new();
    let spool = dir.spool().join("of/my/program");
    let gate = Gate::shut(&MemoryTransport::new());
    let client = spooling(Arc::clone(&gate), jkool_client::Spool::new(&spool)).build().unwrap();
    assert_eq!(client.health().spool_error, None);
    emit(&client, 0..10);
    assert!(client.flush_durable(PATIENCE).is_durable());
    let files = dir.files();
    assert_eq!(files.len(), 2, "a lock and a segment: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
        assert_eq!(mode(&file.parent().unwrap().to_owned()), 0o700, "{file:?}");
    }
    assert_eq!(mode(&spool), 0o700);
}

#[test]
fn a_file_that_cannot_be_read_lets_the_others_go_first() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    for first in [0, 10, 20] {
        let client = spooling(Gate::shut(&MemoryTransport::new()), dir.quick()).build().unwrap();
        emit(&client, first..first + 10);
        assert!(client.flush_durable(PATIENCE).is_durable());
        assert_eq!(leave(&client, Duration::ZERO).spooled(), first as u64 + 10);
    }
    let gate = Gate::shut(&memory);
    // As many events as a file has.
    let client = spooling(Arc::clone(&gate), dir.quick()).max_batch(10).build().unwrap();
    // The first is under way. Another one is no file for a while.
    client.event("op").message("event 30.").emit();
    gate.wait_for(1);
    let segments = dir.segments();
    assert_eq!(segments.len(), 3, "{segments:?}");
    let holds = |number: usize| {
        let text = format!("event {number}.");
        segments.iter().find(|path| fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()))
    };
    let second = holds(10).unwrap();
    let aside = dir.root().join("aside");
    fs::rename(second, &aside).unwrap();
    fs::create_dir(second).unwrap();
    gate.open();
    until(&client, || client.stats().delivered() == 21);
    let mut arrived = messages(&memory);
    assert_eq!(arrived.pop().as_deref(), Some("event 30."), "what was emitted since goes too");
    assert_eq!(arrived, (0..10).chain(20..30).map(|number| format!("event {number}.")).collect::<Vec<_>>());
    assert!(client.health().spool_error.unwrap().contains("can't read"), "{:?}", client.health());
    assert!(client.flush_durable(Duration::ZERO).is_durable());

    fs::remove_dir(second).unwrap();
    fs::rename(&aside, second).unwrap();
    until(&client, || client.stats().delivered() == 31);
    assert_eq!(client.health().spool_error, None);
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(messages(&memory).len(), 31);
}

/// As Kubernetes does to a volume with an `fsGroup` when it mounts it again.
#[test]
fn a_folder_that_was_given_to_a_group_is_taken_back() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let client = spooling(Gate::shut(&MemoryTransport::new()), dir.quick()).build().unwrap();
    emit(&client, 0..40);
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert_eq!(leave(&client, Duration::ZERO).spooled(), 40);
    drop(client);
    let folders = dir.files().into_iter().map(|file| file.parent().unwrap().to_owned());
    for folder in folders.chain([dir.spool().to_owned()]).collect::<Vec<_>>() {
        fs::set_permissions(folder, Permissions::from_mode(0o2770)).unwrap();
    }
    for file in dir.files() {
        fs::set_permissions(file, Permissions::from_mode(0o660)).unwrap();
    }
    let client = spooling(memory.clone(), dir.quick()).build().unwrap();
    assert_eq!(client.health().spool_error, None);
    assert_eq!(mode(&dir.spool().to_owned()), 0o750);
    let report = client.shutdown(PATIENCE);
    assert!(report.is_delivered(), "{report} {}", client.stats());
    assert_arrived(&memory, 0..40);
}

/// Makes a folder unfit, and fit again.
struct Fault {
    what: &'static str,
    make: fn(&TempDir),
    mend: fn(&TempDir),
}

const FAULTS: [Fault; 4] = [
    Fault {
        what: "is not a folder",
        make: |dir| fs::write(dir.spool(), "").unwrap(),
        mend: |dir| fs::remove_file(dir.spool()).unwrap(),
    },
    Fault {
        what: "can be written to by other users",
        make: |dir| {
            fs::create_dir(dir.spool()).unwrap();
            fs::set_permissions(dir.spool(), Permissions::from_mode(0o777)).unwrap();
        },
        mend: |dir| fs::set_permissions(dir.spool(), Permissions::from_mode(0o755)).unwrap(),
    },
    Fault {
        what: "is a symbolic link",
        make: |dir| {
            fs::create_dir(dir.root().join("elsewhere")).unwrap();
            symlink("elsewhere", dir.spool()).unwrap();
        },
        mend: |dir| fs::remove_file(dir.spool()).unwrap(),
    },
    // Where nothing can be made, whoever tries.
    Fault {
        what: "can't open: Not a directory",
        make: |dir| fs::write(dir.root().join("parent"), "").unwrap(),
        mend: |dir| fs::remove_file(dir.root().join("parent")).unwrap(),
    },
];

#[test]
fn a_bad_folder_is_told_of_and_used_as_soon_as_it_is_good() {
    for Fault { what, make, mend } in FAULTS {
        let (dir, memory) = (TempDir::new(), MemoryTransport::new());
        make(&dir);
        let folder = if what.contains("Not a") { dir.root().join("parent/spool") } else { dir.spool().to_owned() };
        let gate = Gate::shut(&memory);
        let builder = spooling(Arc::clone(&gate), jkool_client::Spool::new(&folder).mode(SpoolMode::WriteAhead));
        let client = builder.max_batch(10).build().unwrap();
        let error = client.health().spool_error.unwrap();
        assert!(error.contains(what) && error.contains(folder.to_str().unwrap()), "{error}");
        emit(&client, 0..40);
        gate.pass(1);
        until(&client, || client.stats().delivered() > 0);
        let report = client.flush_durable(Duration::from_millis(20));
        assert!(report.pending() > 0 && report.spooled() == 0, "{report}");
        assert_eq!(client.health().spool_error.as_deref(), Some(error.as_str()));

        mend(&dir);
        until(&client, || client.health().spool_error.is_none());
        assert!(client.flush_durable(PATIENCE).is_durable());
        assert!(client.stats().spooled() > 0, "{}", client.stats());
        gate.open();
        assert!(client.flush(PATIENCE).is_delivered());
        assert_arrived(&memory, 0..40);
        assert_accounts(&client, 40, 40, &[]);
    }
}

#[test]
fn without_a_folder_everything_goes_on_in_memory() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    (FAULTS[0].make)(&dir);
    let gate = Gate::shut(&memory);
    let client = spooling(Arc::clone(&gate), dir.quick()).queue_events(100).build().unwrap();
    emit(&client, 0..130);
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_arrived(&memory, 0..100);
    assert_accounts(&client, 130, 100, &[(LossReason::Overflow, 30)]);
}

#[test]
fn a_bad_folder_is_told_of_once_on_standard_error() {
    if let Some(printed) = printed_by_child("folder::a_bad_folder_is_told_of_once_on_standard_error") {
        let lines: Vec<_> = printed.lines().filter(|line| line.contains("jkool: ")).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].contains("events are kept in memory only") && lines[0].contains("is not a folder"),
            "{lines:?}"
        );
        assert!(lines[1].ends_with("the spool works again"), "{lines:?}");
        return;
    }
    let (dir, gate) = (TempDir::new(), Gate::shut(&MemoryTransport::new()));
    (FAULTS[0].make)(&dir);
    let client = spooling(Arc::clone(&gate), dir.quick()).notices(true).build().unwrap();
    emit(&client, 0..10);
    until(&client, || client.stats().in_memory() == 10);
    assert!(!client.flush_durable(Duration::from_millis(20)).is_durable());
    (FAULTS[0].mend)(&dir);
    until(&client, || client.health().spool_error.is_none());
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert!(leave(&client, Duration::from_millis(100)).is_durable());
}

#[test]
fn what_the_server_refuses_is_kept_as_lines_of_json() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let judge = Judge::of(&memory, |payload: &Payload| match std::str::from_utf8(payload.body()).unwrap() {
        body if body.contains("Pay") || body.contains("group") => Outcome::Failed(failure(Disposition::Rejected)),
        body if body.contains("short") => Outcome::Failed(failure(Disposition::TooLarge)),
        _ => Outcome::Delivered,
    });
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&heard);
    let builder = spooling(judge, dir.quick()).max_batch(1);
    let client = builder.on_dead_letter(move |letter| hook.lock().unwrap().push(letter)).build().unwrap();
    client.event("Pay").message("a \"quoted\"\nline\u{2028}ä").property("amount", 42).emit();
    client.event("op").message("short").emit();
    client.activity("group").emit();
    emit(&client, 0..60);
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert_arrived(&memory, 0..60);
    assert_accounts(&client, 63, 60, &[(LossReason::Rejected, 2), (LossReason::TooLarge, 1)]);

    let path = dir.spool().join("dead-letters.jsonl");
    assert_eq!(mode(&path), 0o600);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    // By this `jkool send` knows them.
    assert!(text.lines().all(|line| line.starts_with(r#"{"error":"#)));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let heard = heard.lock().unwrap();
    assert_eq!((lines.len(), heard.len()), (3, 3));
    for (line, letter) in lines.iter().zip(&*heard) {
        assert_eq!(line["reason"], letter.reason.to_string());
        assert_eq!(line["error"], "scripted");
        assert_eq!(line["kind"], letter.payload.kind().path());
        assert_eq!(line["entity"], serde_json::from_slice::<serde_json::Value>(letter.payload.body()).unwrap());
    }
    let quoted = |line: &&serde_json::Value| line["entity"]["msg-text"] == "a \"quoted\"\nline\u{2028}ä";
    assert_eq!(lines.iter().filter(quoted).count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["kind"] == "activity").count(), 1, "{lines:?}");
}

#[test]
fn what_is_damaged_is_counted_and_set_aside_and_the_rest_arrives() {
    let (dir, memory) = (TempDir::new(), MemoryTransport::new());
    let client = spooling(Gate::shut(&MemoryTransport::new()), dir.quick()).build().unwrap();
    emit(&client, 0..100);
    assert!(client.flush_durable(PATIENCE).is_durable());
    assert_eq!(leave(&client, Duration::ZERO).spooled(), 100);
    let segments = dir.segments();
    let holding = |path: &&PathBuf| find(&fs::read(path).unwrap(), b"event 50.").is_some();
    let path = segments.iter().find(holding).unwrap();
    let mut bytes = fs::read(path).unwrap();
    let at = find(&bytes, b"event 50.").unwrap();
    bytes[at..at + 5].copy_from_slice(b"EVENT");
    fs::write(path, bytes).unwrap();

    let next = spooling(memory.clone(), dir.quick()).build().unwrap();
    let report = next.flush(PATIENCE);
    assert_eq!((report.spooled(), report.pending()), (0, 0), "{report}");
    let mut expected: Vec<_> = (0..100).map(|number| format!("event {number}.")).collect();
    expected.remove(50);
    assert_eq!(messages(&memory), expected);
    assert_eq!(next.stats().recovered(), 100);
    assert_accounts(&next, 0, 99, &[(LossReason::Damaged, 1)]);
    // The record, and not the file.
    let damaged = next.stats().damaged_bytes();
    assert!((100..2000).contains(&damaged), "{damaged}");
    assert!(dir.segments().is_empty());
    let files = dir.files();
    let corrupt: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "corrupt")).collect();
    assert_eq!((corrupt.len(), find(&fs::read(corrupt[0]).unwrap(), b"EVENT 50.").is_some()), (1, true), "{files:?}");
    assert!(leave(&next, PATIENCE).is_delivered());

    // That was all: it is neither told nor set aside again.
    let last = spooling(MemoryTransport::new(), dir.quick()).build().unwrap();
    assert!(last.flush(PATIENCE).is_delivered());
    assert_eq!((last.stats().recovered(), last.stats().damaged_bytes()), (0, 0));
    assert_balanced(&last.stats());
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
