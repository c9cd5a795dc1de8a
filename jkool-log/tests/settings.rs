//! Settings: which exclude each other, and what each does to the events.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::client::{BuildError, Client};
use jkool_log::model::{Event, OpType};
use jkool_log::transport::{Kind, MemoryTransport};
use jkool_log::{Builder, InstallError, builder};
use log::{LevelFilter, debug, error, info, trace};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

fn client() -> Client {
    Client::builder().transport(MemoryTransport::new()).build().unwrap()
}

#[test]
fn a_ready_client_takes_no_settings() {
    type Set = fn(Builder) -> Builder;
    let settings: [(&str, Set); 9] = [
        ("token", |builder| builder.token("t")),
        ("token_file", |builder| builder.token_file("f")),
        ("url", |builder| builder.url("http://localhost")),
        ("source", |builder| builder.source("APPL=a".parse().unwrap())),
        ("property", |builder| builder.property("a", 1)),
        ("user", |builder| builder.user("bob")),
        ("location", |builder| builder.location("here")),
        ("transport", |builder| builder.transport(MemoryTransport::new())),
        ("configure", |builder| builder.configure(|client| client.in_flight(1))),
    ];
    for (name, set) in settings {
        match set(builder()).client(client()).build() {
            Err(InstallError::Setting { setting, .. }) => assert_eq!(setting, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(builder().client(client()).level(LevelFilter::Off).shutdown_timeout(LONG).build().is_ok());
}

#[test]
fn what_the_client_refuses_is_told() {
    let refused = builder().transport(MemoryTransport::new()).configure(|client| client.in_flight(0)).build();
    match refused {
        Err(InstallError::Client(BuildError::Setting { setting, .. })) => assert_eq!(setting, "in_flight"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_level_beside_needs_a_logger_beside() {
    let refused = builder().transport(MemoryTransport::new()).beside_level(LevelFilter::Info).build();
    assert!(matches!(refused, Err(InstallError::Setting { setting: "beside_level", .. })), "{refused:?}");
}

#[test]
fn a_malformed_filter_starts_nothing() {
    let refused = builder().transport(MemoryTransport::new()).filter("info,my_app=loud").build();
    match refused {
        Err(InstallError::Filter { from, directive, .. }) => {
            assert_eq!((&*from, &*directive), ("filter", "my_app=loud"))
        }
        other => panic!("{other:?}"),
    }
}

/// The events of what `log` logs.
fn logged(builder: Builder, log: impl FnOnce(&jkool_log::Logger)) -> Vec<Event> {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let (logger, guard) = builder.transport(memory.clone()).build().unwrap();
    log(&logger);
    assert!(guard.shutdown(LONG).is_delivered());
    memory.decode(Kind::Event).unwrap()
}

fn messages(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| &*event.message).collect()
}

#[test]
fn the_filter_decides_by_target_and_level() {
    let events = logged(builder().filter("info,my_app::db=debug,hyper=off").configure(|c| c.in_flight(1)), |logger| {
        debug!(logger: logger, "no");
        info!(logger: logger, "info");
        debug!(logger: logger, target: "my_app::db::pool", "pool");
        trace!(logger: logger, target: "my_app::db::pool", "no");
        error!(logger: logger, target: "hyper::client", "no");
    });
    assert_eq!(messages(&events), ["info", "pool"]);
}

#[test]
fn a_text_in_the_filter_is_looked_for() {
    let events = logged(builder().filter("info/order"), |logger| {
        info!(logger: logger, "an {} came", "order");
        info!(logger: logger, "a customer came");
    });
    assert_eq!(messages(&events), ["an order came"]);
}

#[test]
fn the_kind_of_operation_and_the_code_location_can_be_chosen() {
    let events =
        logged(builder().op_type(OpType::Receive).code_location(false).configure(|c| c.in_flight(1)), |logger| {
            info!(logger: logger, "m");
            info!(logger: logger, op_type = "SEND"; "m");
        });
    assert_eq!((events[0].op_type, events[0].properties.len()), (OpType::Receive, 0));
    assert_eq!(events[1].op_type, OpType::Send);
}

#[test]
fn the_guard_flushes_and_reports() {
    let memory = MemoryTransport::new();
    log::set_max_level(LevelFilter::Trace);
    let (logger, guard) = builder().transport(memory.clone()).build().unwrap();
    info!(logger: logger, "one");
    assert_eq!(guard.flush(LONG).delivered(), 1);
    info!(logger: logger, "two");
    let report = guard.shutdown(LONG);
    assert_eq!((report.delivered(), report.pending(), memory.len()), (1, 0, 2));
}
