//! Logging while logging, panicking while logging, and logging where little is left to log with.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::client::{Client, LossReason};
use jkool_log::model::Event;
use jkool_log::transport::{Kind, MemoryTransport};
use jkool_log::{Guard, Logger, builder};
use log::{LevelFilter, Log, info, warn};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

fn start(filter: &str) -> (MemoryTransport, Arc<Logger>, Guard) {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    // An event about what was lost would come at a time of its own.
    let settings = builder().transport(memory.clone()).configure(|client| client.loss_events(false));
    let (logger, guard) = settings.filter(filter).build().unwrap();
    (memory, Arc::new(logger), guard)
}

fn messages(memory: &MemoryTransport) -> Vec<String> {
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    events.into_iter().map(|event| event.message.into_owned()).collect()
}

fn dropped_by_recursion(client: &Client) -> u64 {
    let stats = client.stats();
    assert_eq!(stats.accepted(), stats.delivered() + stats.in_memory() + stats.dropped_total());
    stats.dropped(LossReason::Recursion)
}

/// Logs itself whenever it is formatted: without an end, if nobody stops it.
struct Endless<'l>(&'l dyn Log);

#[expect(clippy::recursive_format_impl, reason = "this is what has to end")]
impl fmt::Display for Endless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(logger: self.0, "{self}");
        f.write_str("formatted")
    }
}

#[test]
fn a_display_that_logs_itself_ends_and_is_counted() {
    for filter in ["info", "info/formatted"] {
        let (memory, logger, guard) = start(filter);
        info!(logger: logger, "{}", Endless(&*logger));
        info!(logger: logger, value:% = Endless(&*logger); "plain");
        assert!(guard.flush(LONG).is_delivered());
        assert_eq!(messages(&memory).iter().filter(|message| *message == "formatted").count(), 1, "{filter}");
        // `plain` does not pass where another text is looked for, and its value is not formatted then.
        let (count, events) = if filter == "info" { (2, 2) } else { (1, 1) };
        assert_eq!((dropped_by_recursion(guard.client()), memory.len()), (count, events), "{filter}");
    }
}

/// Panics whenever it is formatted.
struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("this Display does")
    }
}

#[test]
fn a_panic_does_not_reach_the_program_nor_stop_what_follows() {
    for filter in ["info", "info/[panicked]"] {
        let (memory, logger, guard) = start(filter);
        warn!(logger: logger, "{}", Panics);
        warn!(logger: logger, a = 1, b:% = Panics, c = 3; "{}", Panics);
        assert!(guard.flush(LONG).is_delivered());
        assert_eq!(messages(&memory), ["[panicked]", "[panicked]"]);
        let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
        assert!(events.iter().any(|event| event.properties.iter().any(|property| property.name == "c")));
        assert_eq!(dropped_by_recursion(guard.client()), 0);
    }
}

/// Logs when it is dropped.
struct Last(Arc<Logger>);

impl Drop for Last {
    fn drop(&mut self) {
        info!(logger: self.0, thread:? = std::thread::current().id(); "{}", "dropped");
    }
}

thread_local! {
    static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
fn a_record_of_a_thread_at_its_end_arrives() {
    let (memory, logger, guard) = start("info");
    let on_thread = Arc::clone(&logger);
    let thread = std::thread::spawn(move || {
        // The one is there before this thread logs for the first time, the other after it.
        EARLY.set(Some(Last(Arc::clone(&on_thread))));
        info!(logger: on_thread, "alive");
        LATE.set(Some(Last(Arc::clone(&on_thread))));
        drop(Last(on_thread));
    });
    thread.join().unwrap();
    assert!(guard.shutdown(LONG).is_delivered());
    let mut messages = messages(&memory);
    messages.sort_unstable();
    assert_eq!(messages, ["alive", "dropped", "dropped", "dropped"]);
}

#[test]
fn a_record_while_unwinding_arrives() {
    let (memory, logger, guard) = start("info");
    let on_thread = Arc::clone(&logger);
    let thread = std::thread::spawn(move || {
        let _last = Last(on_thread);
        panic!("as planned");
    });
    assert!(thread.join().is_err());
    assert!(guard.shutdown(LONG).is_delivered());
    assert_eq!(messages(&memory), ["dropped"]);
}

#[test]
fn a_record_after_the_guard_is_counted() {
    let (memory, logger, guard) = start("info");
    let client = guard.client().clone();
    drop(guard);
    info!(logger: logger, "too late");
    info!(logger: logger, "{}", Panics);
    logger.flush();
    assert!(memory.is_empty());
    assert_eq!((client.stats().accepted(), client.stats().dropped(LossReason::AfterShutdown)), (2, 2));
}

/// Says that it fails, halfway.
struct Fails;

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

impl fmt::Debug for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fails {}

/// Nothing panics meanwhile: in a program with `panic = "abort"` that would be its end.
#[test]
fn code_that_fails_leaves_what_it_wrote_and_a_mark() {
    let hook = std::panic::take_hook();
    let panics = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (counted, thread) = (Arc::clone(&panics), std::thread::current().id());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == thread {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
        hook(info);
    }));
    let (memory, logger, guard) = start("info");
    info!(logger: logger, display:% = Fails, debug:? = Fails, after = 3; "a {} z", Fails);
    info!(logger: logger, error:err = Fails; "plain");
    assert!(guard.flush(LONG).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    assert_eq!(messages(&memory), ["a half[failed]", "plain"]);
    let properties = &events[0].properties;
    let text = |name: &str| properties.iter().find(|property| property.name == name).unwrap().value.to_string();
    assert_eq!([text("display"), text("debug"), text("after")], ["half[failed]", "half[failed]", "3"]);
    assert_eq!(events[1].exception, "half[failed]");
    assert_eq!(panics.load(std::sync::atomic::Ordering::SeqCst), 0);
}
