//! A span that decorates nothing leaves as JSON of which no activity was made; a hook wants to see one. Both say the same.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::start;
use jkool_tracing::model::{Activity, Snapshot, Text, TrackingId, Value};
use jkool_tracing::{Builder, SpanExt, Spans};
use std::collections::HashMap;
use tracing::field::Empty;
use tracing::{Span, error, info, info_span, warn_span};

/// Spans of all kinds.
fn program() {
    let outer =
        info_span!("outer", n = 1, large = u64::MAX, x = 0.5, none = f64::NAN, quoted = "a \"b\"\n", late = Empty);
    outer.in_scope(|| {
        warn_span!("inner", list = ?[1, 2], yes = true).in_scope(|| error!("out of stock"));
        info_span!("decorated", user = "eve", corrid = "order-42", otel.kind = "client", n = 2).in_scope(|| {
            info_span!("below", n = 3).in_scope(|| info!("m"));
            Span::current().add_snapshot(Snapshot::builder("Payment").property("amount", 42).build());
        });
        info_span!("as the client's", env = "test", line = 7, file = debug("f"));
        Span::current().add_property("added", 1);
    });
    outer.record("late", "yes").record("n", 10).record("quoted", "");
    info_span!("fine", otel.status_code = "OK").follows_from(&outer);
    drop(info_span!("renamed", otel.name = "GET /{id}", error = "no amount"));
}

/// What it becomes, with ids by their order and without times.
fn told(settings: impl FnOnce(Builder) -> Builder) -> Vec<Activity> {
    let (streamed, _default) =
        start(|builder| settings(builder.code_location(true).configure(|client| client.property("env", "prod"))));
    program();
    let mut activities = streamed.activities();
    let mut ids = HashMap::new();
    let mut number = |text: String| {
        let next = ids.len();
        format!("id {}", ids.entry(text).or_insert(next))
    };
    for activity in &mut activities {
        assert_eq!(activity.time, activity.end_time);
        let (start, end) = (activity.start_time.take().unwrap(), activity.end_time.take().unwrap());
        assert_eq!(activity.elapsed_usec.take(), Some(end.as_usec() - start.as_usec()));
        activity.time = None;
        for id in [&mut activity.tracking_id, &mut activity.parent_id].into_iter().flatten() {
            *id = TrackingId::from(number(id.to_string()));
        }
        for text in activity.id_set.iter_mut().chain(&mut activity.correlators) {
            *text = Text::from(number(text.to_string()));
        }
        for snapshot in &mut activity.snapshots {
            (snapshot.time, snapshot.tracking_id, snapshot.parent_id) = (None, None, None);
        }
        activity.properties.sort_by(|one, other| one.name.cmp(&other.name));
    }
    activities
}

#[test]
fn what_a_span_says_is_the_same_in_each_form() {
    let lines = told(|builder| builder);
    assert_eq!(lines.len(), 7);
    let with_hook = told(|builder| builder.configure(|client| client.before_send(Some)));
    for (line, entity) in lines.iter().zip(&with_hook) {
        assert_eq!(line, entity);
    }
    assert_eq!(lines.len(), with_hook.len());
}

#[test]
fn what_is_inherited_is_the_same_with_a_hook() {
    let events = |hook: bool| {
        let (streamed, _default) = start(|builder| {
            let builder = builder.inherit_fields(true).spans(Spans::Activities);
            if hook { builder.configure(|client| client.before_send(Some)) } else { builder }
        });
        info_span!("outer", a = 1, b = "outer", c = true).in_scope(|| {
            info_span!("inner", b = "inner", user = "eve", d = 0.5).in_scope(|| info!(d = 2, "m"));
        });
        common::said(&streamed.event().properties)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(false), ["d=2", "b=inner", "a=1", "c=true"]);
    assert_eq!(events(true), events(false));
}

/// Each name stands once, whoever sets it: a field, the program later, the client, or the span itself at its end.
#[test]
fn a_property_that_each_span_gets_at_its_end_replaces_others_with_its_name() {
    for default in ["env", "busy"] {
        let (streamed, _default) =
            start(|builder| builder.busy_and_idle(true).configure(move |client| client.property(default, "prod")));
        info_span!("fields", busy = "mine", target = "other", n = 1);
        info_span!("later", n = 1).in_scope(|| Span::current().add_property("idle", "mine"));
        for activity in streamed.activities() {
            let mut names: Vec<_> = activity.properties.iter().map(|property| &*property.name).collect();
            names.sort_unstable();
            let mut expected = vec!["busy", "idle", "n", "target", default];
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(names, expected, "{}", activity.operation);
            let numbers = ["busy", "idle"].map(|name| common::value(&activity.properties, name).unwrap().clone());
            assert!(numbers.iter().all(|value| matches!(value, Value::Int(0..))), "{numbers:?}");
        }
    }
}
