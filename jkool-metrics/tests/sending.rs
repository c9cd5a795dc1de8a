//! From the macros of `metrics` to what is sent.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_metrics::client::Client;
use jkool_metrics::model::{Event, Severity, Snapshot, SourceFqn};
use jkool_metrics::transport::{Kind, MemoryTransport};
use jkool_metrics::{Guard, InstallError, Recorder};
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, histogram, with_local_recorder};
use std::time::Duration;

const NEVER: Duration = Duration::from_secs(3600);
const TIMEOUT: Duration = Duration::from_secs(90);

fn started(
    settings: impl FnOnce(jkool_metrics::Builder) -> jkool_metrics::Builder,
) -> (MemoryTransport, Recorder, Guard) {
    let memory = MemoryTransport::new();
    let source: SourceFqn = "APPL=shop".parse().unwrap();
    let client = Client::builder().transport(memory.clone()).source(source).in_flight(1).build().unwrap();
    let (recorder, guard) = settings(jkool_metrics::builder().client(client).every(NEVER)).build().unwrap();
    (memory, recorder, guard)
}

fn sent(memory: &MemoryTransport, name: &str) -> Vec<Snapshot> {
    let mut sent: Vec<Snapshot> = memory.decode(Kind::Snapshot).unwrap();
    sent.retain(|snapshot| snapshot.name == *name);
    sent
}

fn value(snapshot: &Snapshot, name: &str) -> Option<String> {
    Some(snapshot.properties.iter().find(|property| property.name == *name)?.value.to_string())
}

#[test]
fn the_last_interval_is_sent_when_the_guard_goes() {
    let (memory, recorder, guard) = started(|builder| builder.category("Shop"));
    with_local_recorder(&recorder, || counter!("orders", "country" => "de").increment(7));
    let client = guard.client().clone();
    drop(guard);
    assert!(client.flush(TIMEOUT).is_delivered());
    let orders = sent(&memory, "orders");
    assert_eq!((&*orders[0].category, orders[0].source.as_ref().unwrap().as_str()), ("Shop", "APPL=shop"));
    assert_eq!((value(&orders[0], "value"), value(&orders[0], "country")), (Some("7".into()), Some("de".into())));
    orders[0].validate().unwrap();

    // Nothing more is sent then, and nothing breaks.
    with_local_recorder(&recorder, || counter!("orders", "country" => "de").increment(1));
    assert!(client.flush(TIMEOUT).is_delivered());
    assert_eq!(sent(&memory, "orders").len(), 1);
}

#[test]
fn intervals_end_by_themselves() {
    let memory = MemoryTransport::new();
    let client = Client::builder().transport(memory.clone()).flush_interval(Duration::from_millis(1)).build().unwrap();
    let builder = jkool_metrics::builder().client(client.clone()).every(Duration::from_millis(10));
    let (recorder, _guard) = builder.build().unwrap();
    with_local_recorder(&recorder, || gauge!("stock").set(3));
    // However slow the machine is, they come.
    let three = (0..10_000).any(|_| {
        std::thread::park_timeout(Duration::from_millis(1));
        client.stats().accepted() >= 3
    });
    assert!(three);
}

#[test]
fn descriptions_and_units_arrive() {
    let (memory, recorder, guard) = started(|builder| builder);
    with_local_recorder(&recorder, || {
        describe_counter!("read", Unit::Bytes, "What was read");
        describe_gauge!("line", Unit::BitsPerSecond, "");
        counter!("read").increment(1);
        gauge!("line").set(2.5);
        histogram!("nothing").record(f64::NAN);
    });
    assert!(guard.shutdown(TIMEOUT).is_delivered());
    let read = &sent(&memory, "read")[0];
    assert_eq!(
        (read.properties[0].value_type.as_str(), value(read, "description").unwrap()),
        ("size.byte", "What was read".into())
    );
    let line = &sent(&memory, "line")[0];
    assert_eq!((value(line, "unit"), value(line, "description")), (Some("bits_per_second".into()), None));
    assert_eq!(value(&sent(&memory, "nothing")[0], "refused"), Some("1".into()));
}

#[test]
fn labels_without_end_are_told_by_an_event_once() {
    let (memory, recorder, guard) = started(|builder| builder.max_series_per_name(10));
    for _ in 0..3 {
        with_local_recorder(&recorder, || {
            (0..50).for_each(|user: u32| counter!("hits", "user" => user.to_string()).increment(1))
        });
        guard.send_now();
    }
    assert_eq!((guard.stats().series, guard.stats().refused), (11, 120));
    assert!(guard.shutdown(TIMEOUT).is_delivered());
    let events: Vec<Event> = memory.decode(Kind::Event).unwrap();
    let told: Vec<_> = events.iter().filter(|event| event.operation == "metrics refused").collect();
    assert_eq!((told.len(), told[0].severity), (1, Severity::Warning));
    assert!(told[0].message.contains("40 new ones"), "{}", told[0].message);
    // Each was counted, wherever that was.
    let last: Vec<_> = sent(&memory, "hits").split_off(33);
    let sum: u64 = last.iter().map(|hits| value(hits, "value").unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!((last.len(), sum), (11, 150));
}

#[test]
fn the_client_tells_of_itself_when_it_is_asked_to() {
    let (memory, recorder, guard) = started(|builder| builder.client_stats(true));
    with_local_recorder(&recorder, || gauge!("stock").set(1));
    assert!(guard.shutdown(TIMEOUT).is_delivered());
    let own = &sent(&memory, "jkool-client")[0];
    assert_eq!(
        (&*own.category, value(own, "accepted"), value(own, "series")),
        ("jKool", Some("1".into()), Some("1".into()))
    );
    assert_eq!((value(own, "dropped"), value(own, "series-refused")), (Some("0".into()), Some("0".into())));
}

#[test]
fn a_program_has_one_recorder_and_a_second_is_refused() {
    let install = || {
        let client = Client::builder().transport(MemoryTransport::new()).build().unwrap();
        jkool_metrics::builder().client(client).install()
    };
    let guard = install().unwrap();
    assert!(matches!(install(), Err(InstallError::AlreadyInstalled)));
    counter!("orders").increment(1);
    assert_eq!(guard.stats().series, 1);
}
