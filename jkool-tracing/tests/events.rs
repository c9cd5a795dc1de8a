//! What an event of tracing becomes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{said, start};
use jkool_tracing::client::LossReason;
use jkool_tracing::model::{CompCode, DataType, OpType, Property, Severity, Value};
use std::error::Error;
use std::fmt;
use tracing::level_filters::LevelFilter;
use tracing::{Level, error, info, info_span, warn};

#[test]
fn message_level_and_target_are_told() {
    let (streamed, _default) = start(|builder| builder);
    warn!(target: "orders", "Order {} is late", "A-100");
    info!("plain");
    tracing::trace!("fine");
    let [late, plain, fine] = streamed.events().try_into().unwrap();
    assert_eq!((&*late.operation, &*late.message, late.severity), ("orders", "Order A-100 is late", Severity::Warning));
    assert_eq!((&*plain.operation, &*plain.message, plain.severity), (module_path!(), "plain", Severity::Info));
    assert_eq!((fine.severity, fine.op_type), (Severity::Trace, OpType::Event));
    assert!(plain.parent_id.is_none() && plain.correlators.is_empty() && plain.properties.is_empty());
    assert!(plain.time.is_some() && plain.tid.is_some() && plain.tracking_id.is_some());
}

#[test]
fn the_place_in_the_code_and_a_name_are_properties() {
    let (streamed, _default) = start(|builder| builder.code_location(true));
    let line = i64::from(line!() + 1);
    tracing::event!(name: "order.late", Level::INFO, "m");
    let expected = [
        ("event", "order.late".to_owned()),
        ("module", module_path!().to_owned()),
        ("file", file!().to_owned()),
        ("line", line.to_string()),
    ];
    assert_eq!(said(&streamed.event().properties), expected);
}

#[test]
fn fields_decorate_by_the_keys_that_the_log_adapter_knows() {
    let (streamed, _default) = start(|builder| builder);
    info!(
        corrid = "order-42",
        location = "Atlanta, Ga",
        resource = "QUEUE.IN",
        reason_code = 2033,
        comp_code = "WARNING",
        severity = "NOTICE",
        op_type = "SEND",
        operation = "place",
        tag = "retail",
        start_time = 1_700_000_000_000_000_i64,
        elapsed_usec = 250,
        pid = "unknown",
        "m"
    );
    let event = streamed.event();
    assert_eq!(
        (event.correlators, &*event.location, &*event.resource),
        (vec!["order-42".into()], "Atlanta, Ga", "QUEUE.IN")
    );
    assert_eq!((event.reason_code, event.comp_code), (Some(2033), Some(CompCode::Warning)));
    assert_eq!((event.severity, event.op_type, &*event.operation), (Severity::Notice, OpType::Send, "place"));
    assert_eq!((event.tags, event.end_time.unwrap().as_usec()), (vec!["retail".into()], 1_700_000_000_000_250));
    // Nothing is lost: what is no process number is a property.
    assert_eq!(event.properties, [Property::new("pid", "unknown")]);
}

/// An error with a cause.
#[derive(Debug)]
struct NoAmount(std::num::ParseIntError);

impl fmt::Display for NoAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no amount")
    }
}

impl Error for NoAmount {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_comes_with_its_causes() {
    let (streamed, _default) = start(|builder| builder);
    let cause = NoAmount("x".parse::<i32>().unwrap_err());
    error!(error = &cause as &dyn Error, "refused");
    let event = streamed.event();
    assert_eq!(event.exception, "no amount: invalid digit found in string");
    assert!(event.properties.is_empty());
}

#[test]
fn every_kind_of_value_keeps_its_type() {
    let (streamed, _default) = start(|builder| builder);
    let bytes: &[u8] = &[0x00, 0xab, 0x7f];
    info!(
        small = -7_i8,
        long = i64::MIN,
        large = u64::MAX,
        huge = u128::MAX,
        deep = i128::MIN,
        fits = 5_u128,
        rate = 0.5,
        yes = true,
        text = "t",
        bytes,
        shown = %"s",
        looked = ?Some(1),
        r#type = "word",
        nothing = tracing::field::Empty,
        "m"
    );
    let event = streamed.event();
    let (big, text) = (
        |int| (Value::BigInt(int), DataType::BigInt),
        |text: &'static str| (Value::Text(text.into()), DataType::String),
    );
    let long = |int| (Value::Int(int), DataType::Long);
    let expected = [
        ("small", long(-7)),
        ("long", long(i64::MIN)),
        ("large", big(u64::MAX.into())),
        ("huge", (Value::Text(u128::MAX.to_string().into()), DataType::BigInt)),
        ("deep", big(i128::MIN)),
        ("fits", long(5)),
        ("rate", (Value::Double(0.5), DataType::Double)),
        ("yes", (Value::Bool(true), DataType::Bool)),
        ("text", text("t")),
        ("bytes", text("00ab7f")),
        ("shown", text("s")),
        ("looked", text("Some(1)")),
        ("type", text("word")),
    ];
    let found: Vec<_> = event.properties.into_iter().map(|p| (p.name, (p.value, p.data_type))).collect();
    assert_eq!(found, expected.map(|(name, value)| (name.into(), value)));
}

#[test]
fn an_event_belongs_to_the_span_it_happens_in() {
    let (streamed, _default) = start(|builder| builder);
    info_span!("outer", corrid = "order-42", city = "Atlanta").in_scope(|| {
        info_span!("inner", corrid = "basket-9").in_scope(|| info!(corrid = "own", "in both"));
    });
    let (event, inner) = (streamed.event(), streamed.named("inner"));
    assert_eq!(event.parent_id, inner.tracking_id);
    let trace = streamed.named("outer").correlators[1].clone();
    assert_eq!(event.correlators, ["own".into(), trace, "basket-9".into(), "order-42".into()]);
    assert!(event.properties.is_empty(), "fields are not inherited unless asked for");
    assert_eq!(inner.id_set, [event.tracking_id.unwrap().to_string()]);
}

#[test]
fn fields_of_the_spans_around_are_inherited_when_asked_for() {
    let (streamed, _default) = start(|builder| builder.inherit_fields(true).code_location(true));
    info_span!("outer", a = "outer", b = "outer", c = "outer").in_scope(|| {
        info_span!("inner", a = "inner", b = "inner").in_scope(|| info!(a = "own", "m"));
    });
    let properties = streamed.event().properties;
    let of = |name| common::value(&properties, name).unwrap().to_string();
    assert_eq!([of("a"), of("b"), of("c")], ["own", "inner", "outer"]);
    let mut names: Vec<_> = properties.iter().map(|property| &*property.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c", "file", "line", "module"]);
}

#[test]
fn a_parent_may_be_named_or_denied() {
    let (streamed, _default) = start(|builder| builder);
    let named = info_span!("named");
    info_span!("current").in_scope(|| {
        info!(parent: &named, "explicit");
        info!(parent: None, "absent");
    });
    drop(named);
    let [explicit, absent] = streamed.events().try_into().unwrap();
    assert_eq!(explicit.parent_id, streamed.named("named").tracking_id);
    assert_eq!((absent.parent_id, absent.correlators.len()), (None, 0));
}

#[test]
fn a_level_limits_the_events() {
    let (streamed, _default) = start(|builder| builder.event_level(LevelFilter::WARN));
    info!("no");
    warn!("yes");
    assert_eq!(streamed.event().message, "yes");
}

#[test]
fn what_is_logged_after_the_end_is_counted() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("open at the end");
    assert!(streamed.guard.client().shutdown(common::PATIENCE).is_delivered());
    info!("too late");
    drop(span);
    assert!(streamed.events().is_empty());
    assert_eq!(streamed.dropped(LossReason::AfterShutdown), 2);
}
