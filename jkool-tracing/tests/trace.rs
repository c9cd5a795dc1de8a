//! Traces: their ids, those that cross services, and which of them are sampled.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{layer, start};
use jkool_tracing::{SpanExt, propagation};
use std::collections::{BTreeMap, HashSet};
use tracing::{Span, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A request of another service.
fn request(flags: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("traceparent", format!("00-{TRACE}-{PARENT}-{flags}")),
        ("tracestate", "vendor=00f067aa, other=1".into()),
        ("x-correlator", "order-42, a%2Cb".into()),
        ("baggage", "session.id=8f5b1d2c;ttl=1, synthetic_request=true".into()),
    ])
}

fn read(headers: &BTreeMap<&'static str, String>) -> propagation::Remote {
    propagation::extract(|name| headers.get(name).map(String::as_str))
}

fn written(span: &Span) -> BTreeMap<&'static str, String> {
    let mut headers = BTreeMap::new();
    propagation::inject(span, |name, value| assert_eq!(headers.insert(name, value), None));
    headers
}

#[test]
fn each_root_has_a_trace_and_each_span_an_id() {
    let (streamed, _default) = start(|builder| builder);
    let (mut traces, mut ids) = (HashSet::new(), HashSet::new());
    for _ in 0..100 {
        info_span!("root").in_scope(|| drop(info_span!("child")));
    }
    for pair in streamed.activities().chunks(2) {
        assert_eq!(pair[0].correlators, pair[1].correlators);
        assert_eq!(pair[0].parent_id, pair[1].tracking_id);
        assert!(traces.insert(pair[0].correlators[0].clone()));
        for activity in pair {
            let id = activity.tracking_id.as_ref().unwrap().to_string();
            assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && ids.insert(id));
        }
    }
    assert!(traces.iter().all(|trace| trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit())));
}

#[test]
fn a_trace_crosses_services() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("request");
    assert!(span.set_remote_parent(&read(&request("01"))));
    let headers = span.in_scope(|| {
        info!("in it");
        info_span!("call").in_scope(|| written(&Span::current()))
    });
    let context = span.trace_context().unwrap();
    assert_eq!(context.trace_id().to_string(), TRACE);
    drop(span);

    let (request, call) = (streamed.named("request"), streamed.named("call"));
    let expected = [TRACE, "a,b", "order-42"];
    for mut correlators in [request.correlators, call.correlators, streamed.event().correlators] {
        correlators.sort();
        assert_eq!(correlators, expected);
    }
    assert_eq!(request.parent_id.unwrap().to_string(), PARENT);
    assert_eq!(request.tracking_id.unwrap().to_string(), context.span_id().to_string());
    let expected = BTreeMap::from([
        ("traceparent", format!("00-{TRACE}-{}-01", call.tracking_id.unwrap())),
        ("tracestate", "vendor=00f067aa, other=1".into()),
        ("x-correlator", "order-42,a%2Cb".into()),
        ("baggage", "session.id=8f5b1d2c;ttl=1, synthetic_request=true".into()),
    ]);
    assert_eq!(headers, expected);
}

#[test]
fn baggage_is_passed_on_without_a_trace() {
    let (_streamed, _default) = start(|builder| builder);
    let span = info_span!("request");
    assert!(!span.set_remote_parent(&read(&BTreeMap::from([("baggage", "tenant=7".into())]))));
    span.set_remote_parent(&propagation::Remote::default());
    assert_eq!(span.in_scope(|| written(&info_span!("call")))["baggage"], "tenant=7");
    assert!(!written(&info_span!(parent: None, "another")).contains_key("baggage"));
}

#[test]
fn a_span_that_has_a_parent_here_keeps_it() {
    let (streamed, _default) = start(|builder| builder);
    info_span!("outer").in_scope(|| {
        let inner = info_span!("inner");
        assert!(!inner.set_remote_parent(&read(&request("01"))));
    });
    let inner = streamed.named("inner");
    assert_eq!(inner.parent_id, streamed.named("outer").tracking_id);
    assert!(inner.correlators.contains(&"order-42".into()) && !inner.correlators.contains(&TRACE.into()));
}

#[test]
fn a_span_that_is_not_recorded_leaves_the_one_around_it_in_its_trace() {
    let (streamed, _default) = start(|builder| builder.span_level(tracing::level_filters::LevelFilter::INFO));
    info_span!("job").in_scope(|| {
        assert!(!tracing::debug_span!("hidden").set_remote_parent(&read(&request("01"))));
    });
    let job = streamed.activity();
    assert!(job.parent_id.is_none() && !job.correlators.contains(&TRACE.into()));
}

#[test]
fn a_request_with_no_trace_begins_one() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("request");
    assert!(!span.set_remote_parent(&read(&BTreeMap::new())));
    assert_eq!(written(&span).keys().collect::<Vec<_>>(), [&"traceparent"]);
    drop(span);
    assert_eq!(streamed.activity().correlators.len(), 1);
}

#[test]
fn outside_of_spans_nothing_is_written() {
    let (_streamed, _default) = start(|builder| builder);
    assert!(written(&Span::current()).is_empty() && Span::current().trace_context().is_none());
    assert!(written(&Span::none()).is_empty());
}

#[test]
fn a_trace_that_the_other_service_does_not_sample_is_not_sampled_here() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("request");
    assert!(span.set_remote_parent(&read(&request("00"))));
    let headers = span.in_scope(|| {
        warn!("seen all the same");
        info_span!("call").in_scope(|| written(&Span::current()))
    });
    drop(span);
    assert!(streamed.activities().is_empty());
    let event = streamed.event();
    assert_eq!((event.parent_id, event.correlators.contains(&TRACE.into())), (None, true));
    assert!(headers["traceparent"].ends_with("-00"));
}

#[test]
fn a_trace_that_the_other_service_samples_is_sampled_here() {
    let (streamed, _default) = start(|builder| builder.sample_ratio(0.0));
    drop(info_span!("ours"));
    let span = info_span!("request", amount = 5);
    span.set_remote_parent(&read(&request("01")));
    span.in_scope(|| drop(info_span!("call")));
    drop(span);
    assert_eq!(streamed.activities().len(), 2);
    assert_eq!(common::said(&streamed.named("request").properties), [("amount", "5".into())]);
}

#[test]
fn all_of_a_trace_is_sampled_or_nothing() {
    let (streamed, _default) = start(|builder| builder.sample_ratio(0.5));
    for _ in 0..1000 {
        info_span!("root").in_scope(|| info_span!("child").in_scope(|| drop(info_span!("grandchild"))));
    }
    let mut traces = BTreeMap::<_, usize>::new();
    for activity in streamed.activities() {
        *traces.entry(activity.correlators[0].clone()).or_default() += 1;
    }
    assert!((400..600).contains(&traces.len()), "{}", traces.len());
    assert!(traces.values().all(|spans| *spans == 3));
}

#[test]
fn two_layers_tell_the_same_ids() {
    let ((one, streamed_one), (two, streamed_two)) = (layer(|builder| builder), layer(|builder| builder));
    let _default = tracing_subscriber::registry().with(one).with(two).set_default();
    info_span!("outer").in_scope(|| drop(info_span!("inner", corrid = "c")));
    let ids = |streamed: &common::Streamed| {
        let activities = streamed.activities().into_iter();
        activities.map(|a| (a.tracking_id, a.parent_id, a.correlators, a.id_set)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&streamed_one), ids(&streamed_two));
    assert_eq!(ids(&streamed_one).len(), 2);
}
