//! Records from places where a program is about to end: destructors while a panic unwinds, the end of a thread, a panic hook.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::client::LossReason;
use jkool_log::model::Event;
use jkool_log::transport::{Kind, MemoryTransport};
use jkool_log::{Guard, Logger, builder};
use log::{LevelFilter, error, info};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn start() -> (MemoryTransport, Arc<Logger>, Guard) {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let settings =
        builder().transport(memory.clone()).configure(|client| client.in_flight(1).notices(false).loss_events(false));
    let (logger, guard) = settings.shutdown_timeout(PATIENCE).build().unwrap();
    (memory, Arc::new(logger), guard)
}

/// The messages that arrived, thread by thread: each thread's are in order, and there is none among threads.
fn arrived(memory: &MemoryTransport) -> Vec<Vec<String>> {
    let mut threads = BTreeMap::<_, Vec<_>>::new();
    for event in memory.decode::<Event>(Kind::Event).unwrap() {
        threads.entry(event.tid).or_default().push(event.message.to_string());
    }
    let mut messages: Vec<_> = threads.into_values().collect();
    messages.sort();
    messages
}

/// Ends it, and compares all that arrived of each thread.
#[track_caller]
fn assert_arrived(memory: &MemoryTransport, guard: Guard, expected: &[&[&str]]) {
    let client = guard.client().clone();
    assert!(guard.shutdown(PATIENCE).is_delivered());
    assert_eq!(arrived(memory), expected);
    let stats = client.stats();
    let events = expected.iter().map(|thread| thread.len() as u64).sum();
    assert_eq!(stats.accepted(), stats.delivered() + stats.in_memory() + stats.dropped_total());
    assert_eq!((stats.accepted(), stats.delivered()), (events, events));
}

/// Logs when it is dropped.
struct LastWords(Arc<Logger>, &'static str);

impl Drop for LastWords {
    fn drop(&mut self) {
        info!(logger: self.0, panicking = std::thread::panicking(); "{}", self.1);
    }
}

thread_local! {
    static SLOT: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

#[test]
fn while_a_panic_unwinds() {
    let (memory, logger, guard) = start();
    let words = LastWords(Arc::clone(&logger), "last words");
    let thread = std::thread::spawn(move || {
        info!(logger: logger, "before");
        let _words = words;
        resume_unwind(Box::new("on purpose"));
    });
    thread.join().unwrap_err();
    assert_arrived(&memory, guard, &[&["before", "last words"]]);
}

#[test]
fn at_the_end_of_a_thread() {
    let (memory, logger, guard) = start();
    for log_first in [true, false] {
        let logger = Arc::clone(&logger);
        // What the logger keeps for the thread is made before the slot, or after it.
        let thread = std::thread::spawn(move || {
            if log_first {
                info!(logger: logger, "first");
            }
            SLOT.set(Some(LastWords(Arc::clone(&logger), "at the end")));
            if !log_first {
                info!(logger: logger, "second");
            }
        });
        thread.join().unwrap();
    }
    // Here nothing was logged before the thread's end.
    let words = LastWords(Arc::clone(&logger), "at once");
    std::thread::spawn(move || SLOT.set(Some(words))).join().unwrap();
    assert_arrived(&memory, guard, &[&["at once"], &["first", "at the end"], &["second", "at the end"]]);
}

/// Panics when it is formatted.
struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("{SIGN}")
    }
}

/// A panic that says this is for the hook of the test below.
const SIGN: &str = "for this hook";

#[test]
fn in_a_panic_hook() {
    let (memory, logger, guard) = start();
    let before = std::panic::take_hook();
    let hooked = Arc::clone(&logger);
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<String>().is_some_and(|message| message == SIGN) {
            error!(logger: hooked, "a panic");
        } else {
            before(info);
        }
    }));
    std::thread::spawn(|| panic!("{SIGN}")).join().unwrap_err();
    // This one panics while a record is made, and the hook's would be made within.
    info!(logger: logger, "{Panics}");
    drop(std::panic::take_hook());
    let client = guard.client().clone();
    assert!(guard.shutdown(PATIENCE).is_delivered());
    assert_eq!(arrived(&memory), [["[panicked]"], ["a panic"]]);
    let stats = client.stats();
    assert_eq!((stats.accepted(), stats.delivered(), stats.dropped(LossReason::Recursion)), (3, 2, 1));
    assert_eq!(stats.in_memory(), 0);
}

#[test]
fn the_guard_can_end_with_a_thread_or_a_panic() {
    thread_local! {
        static GUARD: RefCell<Option<Guard>> = const { RefCell::new(None) };
    }
    for panics in [false, true] {
        let (memory, logger, guard) = start();
        let client = guard.client().clone();
        let thread = std::thread::spawn(move || {
            info!(logger: logger, "a record");
            GUARD.set(Some(guard));
            if panics {
                resume_unwind(Box::new("on purpose"));
            }
        });
        assert_eq!(thread.join().is_err(), panics);
        assert_eq!(memory.len(), 1);
        let stats = client.stats();
        assert_eq!((stats.accepted(), stats.delivered(), stats.in_memory()), (1, 1, 0));
    }
}
