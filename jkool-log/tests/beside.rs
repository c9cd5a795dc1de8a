//! Two loggers beside each other: each by its own filter, and neither by the other's leave.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::builder;
use jkool_log::client::LossReason;
use jkool_log::model::Event;
use jkool_log::transport::{Kind, MemoryTransport};
use log::{Level, LevelFilter, Log, Metadata, Record, debug, info, trace, warn};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

/// Takes what is at most `level`, formatted.
#[derive(Clone)]
struct Console {
    level: LevelFilter,
    lines: Arc<Mutex<Vec<String>>>,
    flushed: Arc<AtomicUsize>,
}

impl Console {
    fn new(level: LevelFilter) -> Self {
        Self { level, lines: Arc::default(), flushed: Arc::default() }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Log for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        self.lines.lock().unwrap().push(line);
    }

    fn flush(&self) {
        self.flushed.fetch_add(1, Ordering::SeqCst);
    }
}

fn messages(memory: &MemoryTransport) -> Vec<String> {
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    events.into_iter().map(|event| event.message.into_owned()).collect()
}

#[test]
fn each_goes_by_its_own_filter() {
    log::set_max_level(LevelFilter::Trace);
    let (memory, console) = (MemoryTransport::new(), Console::new(LevelFilter::Debug));
    let (logger, guard) = builder()
        .transport(memory.clone())
        .configure(|client| client.in_flight(1))
        .filter("warn,chatty=trace")
        .beside(console.clone())
        .build()
        .unwrap();
    assert_eq!(logger.max_level(), LevelFilter::Trace);
    let enabled = |target, level| logger.enabled(&Metadata::builder().target(target).level(level).build());
    assert!(enabled("x", Level::Debug) && enabled("chatty", Level::Trace) && !enabled("x", Level::Trace));

    warn!(logger: logger, "both");
    debug!(logger: logger, "console");
    trace!(logger: logger, target: "chatty", "jKool");
    trace!(logger: logger, "neither");
    logger.flush();
    assert_eq!(console.lines(), ["both", "console"]);
    assert_eq!(console.flushed.load(Ordering::SeqCst), 1);
    assert_eq!(messages(&memory), ["both", "jKool"]);

    // It outlives the delivery.
    drop(guard);
    info!(logger: logger, "afterwards");
    assert_eq!(console.lines(), ["both", "console", "afterwards"]);
}

#[test]
fn a_known_level_of_the_logger_beside_lowers_the_maximum() {
    let max_level = |beside, level| {
        let console = Console::new(LevelFilter::Trace);
        let (logger, _guard) = builder()
            .transport(MemoryTransport::new())
            .level(level)
            .beside(console.clone())
            .beside_level(beside)
            .build()
            .unwrap();
        debug!(logger: logger, "m");
        (logger.max_level(), console.lines().len())
    };
    log::set_max_level(LevelFilter::Trace);
    assert_eq!(max_level(LevelFilter::Info, LevelFilter::Warn), (LevelFilter::Info, 0));
    assert_eq!(max_level(LevelFilter::Info, LevelFilter::Debug), (LevelFilter::Debug, 0));
    assert_eq!(max_level(LevelFilter::Debug, LevelFilter::Warn), (LevelFilter::Debug, 1));
}

/// Logs whenever it is formatted.
struct Chatty<'l>(&'l dyn Log);

impl fmt::Display for Chatty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        warn!(logger: self.0, "formatting");
        f.write_str("outer")
    }
}

#[test]
fn what_is_logged_while_one_is_at_work_reaches_the_other() {
    log::set_max_level(LevelFilter::Trace);
    let (memory, console) = (MemoryTransport::new(), Console::new(LevelFilter::Trace));
    let (logger, guard) = builder()
        .transport(memory.clone())
        .configure(|client| client.in_flight(1).loss_events(false))
        .beside(console.clone())
        .build()
        .unwrap();
    info!(logger: logger, "{}", Chatty(&logger));
    assert!(guard.flush(LONG).is_delivered());
    assert_eq!(console.lines(), ["formatting", "outer"]);
    assert_eq!(messages(&memory), ["outer", "formatting"]);
    assert_eq!(guard.client().stats().dropped(LossReason::Recursion), 1);
}

/// Panics at everything.
struct Broken;

impl Log for Broken {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        assert!(metadata.level() <= Level::Info, "too fine for me");
        true
    }

    fn log(&self, _: &Record<'_>) {
        panic!("the console is gone")
    }

    fn flush(&self) {
        panic!("the console is still gone")
    }
}

#[test]
fn a_panicking_logger_beside_is_no_reason_to_stop() {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let (logger, _guard) = builder().transport(memory.clone()).beside(Broken).build().unwrap();
    assert!(!logger.enabled(&Metadata::builder().level(Level::Trace).build()));
    info!(logger: logger, "one");
    info!(logger: logger, "two");
    logger.flush();
    assert_eq!(memory.len(), 2);
}
