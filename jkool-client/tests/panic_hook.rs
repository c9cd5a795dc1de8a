//! Panics as events. A hook is the whole process's, so one test runs after the other.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[cfg(unix)]
#[path = "common/spools.rs"]
mod spools;
#[path = "common/transports.rs"]
mod transports;

use common::{PATIENCE, client};
use jkool_client::model::{CompCode, Event, Severity, Value};
use jkool_client::panic_hook;
use jkool_client::transport::{Kind, MemoryTransport};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use transports::Gate;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    // A test that failed before is no reason for this one to.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The events that tell of a panic with that message.
fn told(memory: &MemoryTransport, message: &str) -> Vec<Event> {
    let mut events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    events.retain(|event| event.message == message);
    events
}

#[test]
fn a_panic_is_an_event_that_is_delivered_when_the_hook_before_is_called() {
    let _alone = alone();
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let before = std::panic::take_hook();
    let (seen, delivered) = (memory.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&delivered);
    std::panic::set_hook(Box::new(move |info| {
        counted.fetch_add(told(&seen, "out of paper").len(), Ordering::Relaxed);
        before(info);
    }));
    panic_hook(&client).flush_timeout(PATIENCE).install();

    let line = line!() + 1;
    let thread = std::thread::Builder::new().name("printer".into()).spawn(|| panic!("out of {}", "paper")).unwrap();
    thread.join().unwrap_err();
    assert_eq!(delivered.load(Ordering::Relaxed), 1);
    let event = told(&memory, "out of paper").remove(0);
    assert_eq!((&*event.operation, &*event.exception), ("panic", "out of paper"));
    assert_eq!((event.severity, event.comp_code), (Severity::Fatal, Some(CompCode::Error)));
    let of =
        |name: &str| event.properties.iter().find(|property| property.name == name).map(|property| &property.value);
    assert_eq!(of("file"), Some(&Value::Text(file!().into())));
    assert_eq!((of("line"), of("thread")), (Some(&Value::Int(line.into())), Some(&Value::Text("printer".into()))));
    let wanted = ["RUST_LIB_BACKTRACE", "RUST_BACKTRACE"].into_iter().find_map(std::env::var_os);
    assert_eq!(of("backtrace").is_some(), wanted.is_some_and(|wanted| wanted != "0"));
}

#[test]
fn its_severity_and_its_wait_are_settings() {
    let _alone = alone();
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = jkool_client::Client::builder().transport(Arc::clone(&gate)).notices(false).build().unwrap();
    panic_hook(&client).severity(Severity::Warning).flush_timeout(Duration::from_millis(1)).install();
    // The server does not answer: the hook gives up.
    std::thread::spawn(|| panic!("caught anyway")).join().unwrap_err();
    gate.open();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(told(&memory, "caught anyway")[0].severity, Severity::Warning);
}

#[test]
fn a_hook_does_not_keep_its_client() {
    let _alone = alone();
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    panic_hook(&client).install();
    client.event("last").message("last").emit();
    drop(client);
    assert_eq!(told(&memory, "last").len(), 1, "the last clone waits for what is queued");
    std::thread::spawn(|| panic!("nobody is told")).join().unwrap_err();
    assert!(told(&memory, "nobody is told").is_empty());
}

#[test]
fn what_panics_on_the_delivery_thread_is_not_told_by_it() {
    let _alone = alone();
    let memory = MemoryTransport::new();
    let client = client(&memory).before_send(|_| panic!("in a hook of the client")).build().unwrap();
    panic_hook(&client).flush_timeout(PATIENCE).install();
    client.event("op").emit();
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert!(memory.is_empty());
    assert_eq!(client.stats().dropped(jkool_client::LossReason::HookPanic), client.stats().accepted());
}

#[cfg(unix)]
#[test]
fn a_panic_that_aborts_is_told() {
    let _alone = alone();
    use spools::{TempDir, spooling};
    use std::process::Command;
    const FOLDER: &str = "JKOOL_TEST_ABORT";
    if let Some(folder) = std::env::var_os(FOLDER) {
        // With `panic = "abort"` the process ends where the hooks do: the one before ends it here.
        std::panic::set_hook(Box::new(|_| std::process::abort()));
        let gate = Gate::shut(&MemoryTransport::new());
        let client = spooling(gate, jkool_client::Spool::new(folder)).build().unwrap();
        panic_hook(&client).flush_timeout(PATIENCE).install();
        panic!("the end");
    }
    let dir = TempDir::new();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["a_panic_that_aborts_is_told", "--exact"]).env(FOLDER, dir.spool());
    assert!(!child.output().unwrap().status.success());
    let memory = MemoryTransport::new();
    let next = spooling(memory.clone(), dir.quick()).build().unwrap();
    assert!(next.flush(PATIENCE).is_delivered());
    assert_eq!(told(&memory, "the end").len(), 1);
}
