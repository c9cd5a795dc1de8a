//! What a span of tracing becomes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{said, start, value};
use jkool_tracing::model::{ActivityStatus, CompCode, Event, OpType, Property, Severity, Snapshot, Value, ValueType};
use jkool_tracing::{SpanExt, Spans};
use std::time::Duration;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Span, debug_span, error, error_span, info, info_span, warn, warn_span};

#[test]
fn a_span_is_an_activity_when_it_closes() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!(target: "orders", "checkout", order = "A-100", location = "Atlanta, Ga", reason_code = 7);
    span.in_scope(|| assert!(streamed.activities().is_empty()));
    drop(span);
    let activity = streamed.activity();
    assert_eq!(
        (&*activity.operation, activity.op_type, activity.severity),
        ("checkout", OpType::Activity, Severity::Info)
    );
    assert_eq!((activity.status, activity.comp_code), (Some(ActivityStatus::End), None));
    assert_eq!((&*activity.location, activity.reason_code), ("Atlanta, Ga", Some(7)));
    assert_eq!(activity.properties, [Property::new("target", "orders"), Property::new("order", "A-100")]);
    let (start, end) = (activity.start_time.unwrap(), activity.end_time.unwrap());
    assert_eq!(activity.elapsed_usec, Some(end.as_usec() - start.as_usec()));
    assert_eq!(activity.time, Some(end));
    assert!(activity.tid.is_some() && activity.parent_id.is_none());
}

#[test]
fn busy_and_idle_are_the_elapsed_time() {
    let (streamed, _default) = start(|builder| builder.busy_and_idle(true));
    let span = info_span!("work");
    for _ in 0..3 {
        span.in_scope(|| std::hint::black_box((0..10_000).sum::<u64>()));
    }
    drop(span);
    let activity = streamed.activity();
    let of = |name| value(&activity.properties, name).and_then(Value::as_i64).unwrap();
    // Each of the two is rounded down.
    let rest = activity.elapsed_usec.unwrap() - of("busy") - of("idle");
    assert!((0..=1).contains(&rest), "{activity:?}");
    let busy = activity.properties.iter().find(|property| property.name == "busy").unwrap();
    assert_eq!(busy.value_type, ValueType::AgeUsec);
}

#[test]
fn the_place_in_the_code_is_told() {
    let (streamed, _default) = start(|builder| builder.code_location(true));
    let line = line!() + 1;
    drop(info_span!("s"));
    let activity = streamed.activity();
    assert_eq!(value(&activity.properties, "line"), Some(&Value::Int(line.into())));
    assert_eq!(value(&activity.properties, "module"), Some(&Value::Text(module_path!().into())));
    assert_eq!(value(&activity.properties, "file"), Some(&Value::Text(file!().into())));
}

#[test]
fn of_a_field_that_is_recorded_again_the_last_value_wins() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("s", count = 1, user = "a", corrid = "c-1", late = Empty, never = Empty);
    span.record("count", 2).record("user", "b").record("corrid", "c-2").record("late", true);
    drop(span);
    let activity = streamed.activity();
    assert_eq!(said(&activity.properties), [("count", "2".into()), ("late", "true".into())]);
    assert_eq!((&*activity.user, &activity.correlators[..2]), ("b", &["c-1".into(), "c-2".into()][..]));
}

#[test]
fn spans_name_their_parent_and_their_children_up_to_a_bound() {
    let (streamed, _default) = start(|builder| builder.max_children(3));
    let parent = info_span!("parent");
    parent.in_scope(|| {
        for _ in 0..3 {
            drop(info_span!("child"));
        }
        info!("one too many");
    });
    info_span!(parent: &parent, "explicit").in_scope(|| drop(info_span!(parent: None, "apart")));
    drop(parent);
    let parent = streamed.named("parent");
    let mut children = streamed.activities();
    children.retain(|activity| activity.operation == "child");
    let ids: Vec<_> = children.iter().map(|child| child.tracking_id.clone().unwrap().to_string()).collect();
    assert_eq!(parent.id_set, ids);
    children.push(streamed.named("explicit"));
    for child in children {
        assert_eq!((child.parent_id, child.correlators), (parent.tracking_id.clone(), parent.correlators.clone()));
    }
    let apart = streamed.named("apart");
    assert_eq!(apart.parent_id, None);
    assert_ne!(apart.correlators, parent.correlators);
    assert_eq!(streamed.event().parent_id, parent.tracking_id);
}

#[test]
fn what_it_follows_from_is_a_correlator() {
    let (streamed, _default) = start(|builder| builder);
    let (cause, effect) = (info_span!("cause"), info_span!("effect"));
    effect.follows_from(&cause);
    cause.in_scope(|| {
        info_span!("sibling").follows_from(&cause);
    });
    drop((cause, effect));
    let (cause, effect, sibling) = (streamed.named("cause"), streamed.named("effect"), streamed.named("sibling"));
    let id = cause.tracking_id.unwrap().to_string();
    assert_eq!(effect.correlators[..2], [id.clone().into(), cause.correlators[0].clone()]);
    // They have the trace in common anyway.
    assert_eq!(sibling.correlators, [id.into(), cause.correlators[0].clone()]);
}

#[test]
fn an_error_makes_it_fail() {
    let (streamed, _default) = start(|builder| builder);
    info_span!("outer").in_scope(|| info_span!("logged").in_scope(|| error!("out of stock")));
    drop(info_span!("recorded", error = "no amount"));
    drop(info_span!("flagged", error = true));
    drop(info_span!("denied", error = false));
    drop(info_span!("told", otel.status_code = "ERROR", otel.status_message = "why"));
    drop(error_span!("severe"));
    warn_span!("fine", otel.status_code = "ok").in_scope(|| error!("handled"));
    info_span!("warned").in_scope(|| warn!("hm"));
    let outcome = |name: &str| {
        let activity = streamed.named(name);
        (activity.status.unwrap(), activity.comp_code, activity.severity, activity.exception.into_owned())
    };
    let failed =
        |exception: &str| (ActivityStatus::Exception, Some(CompCode::Error), Severity::Error, exception.to_owned());
    let ended = |severity| (ActivityStatus::End, None, severity, String::new());
    assert_eq!(outcome("logged"), failed(""));
    // An error inside a span inside it may have been dealt with.
    assert_eq!(outcome("outer"), ended(Severity::Info));
    assert_eq!(outcome("recorded"), failed("no amount"));
    assert_eq!(outcome("flagged"), failed(""));
    assert_eq!(outcome("denied"), ended(Severity::Info));
    assert_eq!(outcome("told"), failed("why"));
    assert_eq!(outcome("severe"), ended(Severity::Error));
    assert_eq!(outcome("fine"), (ActivityStatus::End, Some(CompCode::Success), Severity::Warning, String::new()));
    assert_eq!(outcome("warned"), ended(Severity::Info));
}

#[test]
fn a_panic_that_unwinds_it_makes_it_fail() {
    let (streamed, _default) = start(|builder| builder);
    let run = || info_span!("unwound").in_scope(|| std::panic::resume_unwind(Box::new("on purpose")));
    std::panic::catch_unwind(run).unwrap_err();
    let activity = streamed.activity();
    assert_eq!((activity.status, &*activity.exception), (Some(ActivityStatus::Exception), "panicked"));
}

#[tracing::instrument(err, ret)]
fn amount(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[test]
fn an_instrumented_function_tells_what_it_returns() {
    let (streamed, _default) = start(|builder| builder);
    amount("12").unwrap();
    amount("x").unwrap_err();
    let [fine, failed] = streamed.activities().try_into().unwrap();
    assert_eq!((fine.status, said(&fine.properties)), (Some(ActivityStatus::End), vec![("text", "12".into())]));
    assert_eq!((failed.status, &*failed.operation), (Some(ActivityStatus::Exception), "amount"));
    let [returned, error] = streamed.events().try_into().unwrap();
    assert_eq!((said(&returned.properties), returned.parent_id), (vec![("return", "12".into())], fine.tracking_id));
    assert_eq!((&*error.exception, error.severity), ("invalid digit found in string", Severity::Error));
    assert_eq!(error.parent_id, failed.tracking_id);
}

#[test]
fn fields_of_opentelemetry_are_understood() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("request", otel.name = "GET /orders/{id}", otel.kind = "SERVER", otel.status_code = Empty);
    span.record("otel.status_code", "OK");
    drop(span);
    let activity = streamed.activity();
    assert_eq!((&*activity.operation, activity.comp_code), ("GET /orders/{id}", Some(CompCode::Success)));
    assert_eq!(said(&activity.properties), [("otel.kind", "server".into())]);
}

#[test]
fn spans_can_be_events() {
    let (streamed, _default) = start(|builder| builder.spans(Spans::Events));
    info_span!("outer").in_scope(|| {
        for kind in ["client", "producer", "CONSUMER", "internal"] {
            drop(info_span!("call", otel.kind = kind, amount = 5));
        }
    });
    let mut events = streamed.events();
    assert!(streamed.activities().is_empty());
    let outer = events.pop().unwrap();
    let types: Vec<_> = events.iter().map(|event| event.op_type).collect();
    assert_eq!(types, [OpType::Call, OpType::Send, OpType::Receive, OpType::Event]);
    for event in events {
        assert_eq!((event.parent_id, event.correlators), (outer.tracking_id.clone(), outer.correlators.clone()));
        assert!(event.elapsed_usec.is_some() && event.start_time.is_some() && event.end_time.is_some());
        assert_eq!(value(&event.properties, "amount"), Some(&Value::Int(5)));
    }
}

#[test]
fn spans_can_be_left_out() {
    let (streamed, _default) = start(|builder| builder.spans(Spans::Off));
    info_span!("span", corrid = "c").in_scope(|| info!("m"));
    assert!(streamed.activities().is_empty());
    let event = streamed.event();
    assert_eq!((event.parent_id, event.correlators.len()), (None, 0));
}

#[test]
fn a_level_leaves_spans_out_and_what_happens_in_them_belongs_to_those_around() {
    let (streamed, _default) = start(|builder| builder.span_level(LevelFilter::INFO));
    info_span!("seen").in_scope(|| {
        debug_span!("hidden").in_scope(|| {
            info!("m");
            drop(info_span!("below"));
        });
    });
    let seen = streamed.named("seen");
    assert_eq!(streamed.activities().len(), 2);
    assert_eq!(
        (streamed.event().parent_id, streamed.named("below").parent_id),
        (seen.tracking_id.clone(), seen.tracking_id)
    );
}

#[test]
fn short_spans_are_left_out_unless_they_failed() {
    let (streamed, _default) = start(|builder| builder.min_duration(Duration::from_secs(3600)));
    drop(info_span!("short"));
    info_span!("failed").in_scope(|| error!("m"));
    assert_eq!(streamed.activity().operation, "failed");
    assert_eq!(streamed.stats().dropped_total(), 0);
}

#[test]
fn fields_that_are_called_as_times_do_not_contradict_those_of_the_span() {
    let (streamed, _default) = start(|builder| builder);
    drop(info_span!("s", start_time = 1_700_000_000_000_000_i64, elapsed_usec = 5, tracking_id = "mine"));
    let activity = streamed.activity();
    assert!(
        activity.start_time.unwrap().as_usec() > 1_750_000_000_000_000 && activity.elapsed_usec.unwrap() < 60_000_000
    );
    let names: Vec<_> = said(&activity.properties).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["tracking_id", "start_time_usec", "elapsed_time_usec"]);
}

#[test]
fn a_program_adds_to_the_span_under_way() {
    let (streamed, _default) = start(|builder| builder.span_level(LevelFilter::INFO));
    Span::current().add_property("nowhere", 1);
    info_span!("pay").in_scope(|| {
        debug_span!("hidden").in_scope(|| {
            let span = Span::current();
            span.add_correlator("order-42");
            span.add_property("amount", 1);
            span.add_property("amount", 2);
            span.add_snapshot(Snapshot::builder("Payment").category("Order").property("no", "A-100").build());
        });
        info!("m");
    });
    let activity = streamed.activity();
    assert_eq!((&*activity.correlators[0], &*activity.snapshots[0].name), ("order-42", "Payment"));
    assert_eq!(said(&activity.properties), [("amount", "2".into())]);
    assert!(streamed.event().correlators.contains(&"order-42".into()));
}

#[test]
fn what_is_added_without_an_end_is_bounded_and_told() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("s");
    for n in 0..1000 {
        span.add_property(format!("p{n}"), n);
        span.add_correlator(n.to_string());
        span.add_snapshot(Snapshot::builder("S").property("n", n).build());
    }
    drop(span);
    let activity = streamed.activity();
    assert_eq!((activity.properties.len(), activity.correlators.len(), activity.snapshots.len()), (257, 65, 64));
    let left_out = value(&activity.properties, "left_out").and_then(Value::as_i64);
    // The target is a property too, and so is this count; the trace is there whatever else is.
    assert_eq!(left_out, Some(745 + 936 + 936));
}

#[test]
fn an_event_of_the_model_belongs_to_its_span() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("checkout", corrid = "order-42");
    let mut sent = Event::default();
    sent.op_type = OpType::Send;
    sent.operation = "SendInvoice".into();
    span.emit(sent);
    drop(span);
    let (event, activity) = (streamed.event(), streamed.activity());
    assert_eq!((event.op_type, &*event.operation), (OpType::Send, "SendInvoice"));
    assert_eq!(event.parent_id, activity.tracking_id);
    assert!(activity.correlators.iter().all(|correlator| event.correlators.contains(correlator)), "{event:?}");
    assert_eq!(activity.id_set, [event.tracking_id.unwrap().to_string()]);
}

#[test]
fn open_spans_are_told_at_a_flush() {
    let (streamed, _default) = start(|builder| builder.open_spans_at_flush(true));
    let outer = info_span!("outer", corrid = "order-42");
    let inner = info_span!(parent: &outer, "inner", n = 1);
    drop(info_span!("gone"));
    assert!(streamed.guard.flush(common::PATIENCE).is_delivered());
    inner.record("n", 2);
    drop(inner);
    let mut told = streamed.activities();
    // Each flush tells of what is open then.
    assert_eq!(told.iter().filter(|activity| activity.operation == "outer").count(), 2);
    told.retain(|activity| activity.operation == "inner");
    let [begin, end] = &told[..] else { panic!("{told:?}") };
    assert_eq!((begin.status, end.status), (Some(ActivityStatus::Begin), Some(ActivityStatus::End)));
    assert_eq!((&begin.tracking_id, begin.start_time), (&end.tracking_id, end.start_time));
    assert_eq!((begin.end_time, begin.elapsed_usec), (None, None));
    assert_eq!((said(&begin.properties), said(&end.properties)), (vec![("n", "1".into())], vec![("n", "2".into())]));
    assert!(begin.parent_id.is_some() && begin.correlators.contains(&"order-42".into()), "{begin:?}");
    drop(outer);
    assert_eq!(streamed.activities().iter().filter(|activity| activity.operation == "outer").count(), 3);
}
