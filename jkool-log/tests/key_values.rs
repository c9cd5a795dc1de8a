//! Key-values: a record whose key-values are plain takes a shorter way, and nobody can tell.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_log::builder;
use jkool_log::model::{Event, Property, Value};
use jkool_log::transport::{Kind, MemoryTransport};
use log::{LevelFilter, Log, Record, error, info};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(90);

/// The events of some records. With a hook, which wants to see events, all of them go the long way.
fn events(hooked: bool, log: fn(&dyn Log)) -> Vec<Event> {
    log::set_max_level(LevelFilter::Trace);
    let memory = MemoryTransport::new();
    let settings = builder().transport(memory.clone()).property("env", "prod").level(LevelFilter::Trace);
    let hook = move |client: jkool_log::client::ClientBuilder| match hooked {
        true => client.before_send(Some),
        false => client,
    };
    let (logger, guard) = settings.configure(hook).build().unwrap();
    log(&logger);
    assert!(guard.shutdown(LONG).is_delivered());
    let mut events = memory.decode::<Event>(Kind::Event).unwrap();
    for event in &mut events {
        assert!(event.time.is_some() && event.tracking_id.is_some());
        (event.time, event.tracking_id) = (None, None);
    }
    events
}

#[derive(Serialize)]
struct Order {
    no: u32,
    items: Vec<&'static str>,
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a Display that does")
    }
}

fn everything(logger: &dyn Log) {
    let error = "x".parse::<i32>().unwrap_err();
    let order = Order { no: 7, items: vec!["bolt", "nut"] };
    info!(logger: logger, "no key-values");
    info!(logger: logger, text = "a \"b\" \u{1}", yes = true, int = -7, big = u64::MAX, float = 0.1; "scalars");
    info!(logger: logger, none = None::<i32>, character = 'c', nan = f64::NAN, wide = i128::MIN; "others");
    info!(logger: logger, order:serde, list:? = [1, 2]; "structures");
    info!(logger: logger, cause:err = error; "an error that is no exception");
    error!(logger: logger, err:err = error, items = 3; "an error that is one");
    info!(logger: logger, before = 1, shown:% = Panics, behind = 2; "one panics");
    info!(logger: logger, env = "test", line = "mine"; "names that the client adds");
    info!(logger: logger, twice = 1, twice = 2; "a name twice");
    info!(logger: logger, items = 3, corrid = "order-7", user = "bob"; "decoration and properties");
    info!(logger: logger, text = "x".repeat(100_000).as_str(); "much");
    // Made by hand, nobody knows where.
    logger.log(&Record::builder().args(format_args!("by hand")).key_values(&[("items", 3)]).build());
}

#[test]
fn the_short_way_and_the_long_way_lead_to_the_same_events() {
    let (short, long) = (events(false, everything), events(true, everything));
    assert_eq!(short.len(), 12);
    for (short, long) in short.iter().zip(&long) {
        // A number that is none is not equal to itself.
        assert_eq!(format!("{short:#?}"), format!("{long:#?}"));
    }
}

#[test]
fn key_values_become_typed_properties_before_the_place_in_the_code_and_the_clients() {
    let events = events(false, |logger| info!(logger: logger, items = 3, customer = "acme"; "m"));
    let names: Vec<_> = events[0].properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["items", "customer", "module", "file", "line", "env"]);
    assert_eq!(events[0].properties[0], Property::new("items", 3_i64));
    assert_eq!(events[0].properties[1].value, Value::Text("acme".into()));
}
