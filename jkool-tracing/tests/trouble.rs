//! What goes wrong with layers elsewhere.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{layer, said, start};
use jkool_tracing::client::LossReason;
use jkool_tracing::model::Value;
use jkool_tracing::{SpanExt, Spans};
use std::fmt;
use std::io;
use std::sync::mpsc::channel;
use tokio::task::JoinSet;
use tracing::field::{Empty, debug};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing::{Span, debug_span, info, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt as console, reload};

#[test]
fn a_span_that_is_entered_and_left_a_million_times_is_one_activity() {
    let (streamed, _default) = start(|builder| builder.busy_and_idle(true));
    let span = info_span!("polled");
    for _ in 0..1_000_000 {
        span.in_scope(|| ());
    }
    drop(span);
    let activity = streamed.activity();
    let of = |name| common::value(&activity.properties, name).and_then(Value::as_i64).unwrap();
    assert!(of("busy") <= activity.elapsed_usec.unwrap() && of("idle") >= 0);
    assert_eq!(streamed.stats().accepted(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_keep_their_spans_on_whatever_thread_they_run() {
    use tracing::Instrument;
    use tracing::instrument::WithSubscriber;
    let (layer, streamed) = layer(|builder| builder);
    let work = async {
        let mut tasks = JoinSet::new();
        for n in 0..20 {
            let task = async move {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                    info!(n);
                }
            };
            tasks.spawn(task.instrument(info_span!("task", n)).with_current_subscriber());
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    };
    work.with_subscriber(tracing_subscriber::registry().with(layer)).await;
    let activities = streamed.activities();
    assert_eq!((activities.len(), streamed.events().len()), (20, 1000));
    for event in streamed.events() {
        let activity = activities.iter().find(|activity| activity.tracking_id == event.parent_id).unwrap();
        assert_eq!(said(&activity.properties), said(&event.properties));
    }
}

#[test]
fn a_span_may_be_closed_on_another_thread() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("moved");
    let tid = span.in_scope(|| {
        info!("here");
        streamed.event().tid
    });
    std::thread::spawn(move || span.in_scope(|| ())).join().unwrap();
    assert_eq!(streamed.activity().tid, tid);
}

#[test]
fn spans_that_the_filter_hides_are_passed_over() {
    let (layer, streamed) = layer(|builder| builder);
    let all = console::layer().with_writer(io::sink);
    let seen = layer.with_filter(filter_fn(|metadata| !metadata.name().starts_with("hidden")));
    let _default = tracing_subscriber::registry().with(all).with(seen).set_default();
    info_span!("seen").in_scope(|| {
        let hidden = info_span!("hidden", late = Empty);
        hidden.record("late", 1);
        hidden.in_scope(|| {
            hidden.follows_from(Span::current());
            Span::current().add_correlator("c");
            info!("m");
            drop(info_span!("below"));
        });
        info_span!("follower").follows_from(&hidden);
    });
    info_span!("hidden root").in_scope(|| info!("alone"));
    let seen = streamed.named("seen");
    assert_eq!(streamed.activities().len(), 3);
    assert_eq!(streamed.named("below").parent_id, seen.tracking_id);
    let [inside, alone] = streamed.events().try_into().unwrap();
    assert_eq!((inside.parent_id, alone.parent_id), (seen.tracking_id, None));
    assert!(seen.correlators.contains(&"c".into()));
}

#[test]
fn a_filter_of_the_environments_kind_is_obeyed() {
    let (layer, streamed) = layer(|builder| builder);
    let seen = layer.with_filter(EnvFilter::new("off,trouble[seen]=info"));
    let _default = tracing_subscriber::registry().with(seen).set_default();
    info!("outside");
    info_span!("seen").in_scope(|| info!("inside"));
    debug_span!("unseen").in_scope(|| info!("outside"));
    assert_eq!(streamed.event().message, "inside");
    assert_eq!(streamed.activity().operation, "seen");
}

#[test]
fn a_parent_of_another_subscriber_is_none() {
    let ((one, streamed_one), (two, streamed_two)) = (layer(|builder| builder), layer(|builder| builder));
    let (one, two) = (tracing_subscriber::registry().with(one), tracing_subscriber::registry().with(two));
    let foreign = with_default(one, || info_span!("foreign"));
    with_default(two, || {
        info!(parent: &foreign, "m");
        let own = info_span!("own");
        own.follows_from(&foreign);
        drop(own);
    });
    drop(foreign);
    assert_eq!(streamed_two.event().parent_id, None);
    assert_eq!(streamed_two.activity().correlators.len(), 1);
    assert_eq!((streamed_one.activity().operation, streamed_one.events().len()), ("foreign".into(), 0));
}

#[test]
fn subscribers_that_are_scoped_are_apart() {
    let ((outer, streamed_outer), (inner, streamed_inner)) = (layer(|builder| builder), layer(|builder| builder));
    with_default(tracing_subscriber::registry().with(outer), || {
        info_span!("outer").in_scope(|| {
            with_default(tracing_subscriber::registry().with(inner), || {
                info!("no span of this subscriber");
                info_span!("inner").in_scope(|| info!("in it"));
            });
            info!("back");
        });
    });
    let [none, inside] = streamed_inner.events().try_into().unwrap();
    assert_eq!((none.parent_id, inside.parent_id), (None, streamed_inner.activity().tracking_id));
    assert_eq!(streamed_outer.event().parent_id, streamed_outer.activity().tracking_id);
}

#[test]
fn a_layer_may_be_reloaded_while_spans_are_open() {
    let ((first, streamed_first), (second, streamed_second)) = (layer(|builder| builder), layer(|builder| builder));
    let (reloadable, handle) = reload::Layer::<_, Registry>::new(first);
    let _default = tracing_subscriber::registry().with(reloadable).set_default();
    info_span!("from before").in_scope(|| {
        Span::current().add_correlator("c");
        handle.reload(second).unwrap();
        info!("m");
        drop(info_span!("from after"));
    });
    let before = streamed_first.activity();
    assert_eq!((&*before.operation, &*before.correlators[0]), ("from before", "c"));
    assert_eq!((streamed_second.event().parent_id, streamed_second.activity().parent_id), (None, None));
    assert_eq!(streamed_second.activity().operation, "from after");
}

#[test]
fn what_the_console_caches_does_not_leak_in() {
    let (layer, streamed) = layer(|builder| builder.inherit_fields(true));
    let colourful = console::layer().with_ansi(true).with_writer(io::sink);
    let _default = tracing_subscriber::registry().with(colourful).with(layer).set_default();
    let span = info_span!("s", order = "A-100", late = Empty);
    span.record("late", "yes");
    span.in_scope(|| info!(amount = 5, "m"));
    drop(span);
    let expected = [("order", "A-100".to_owned()), ("late", "yes".into())];
    assert_eq!(said(&streamed.activity().properties), expected);
    let event = streamed.event();
    assert_eq!((&*event.message, said(&event.properties)[0].clone()), ("m", ("amount", "5".into())));
    assert_eq!(said(&event.properties)[1..], expected);
}

/// Panics when it is formatted.
struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("this Debug does"))
    }
}

/// Logs, opens a span and changes the one that it is in when it is formatted.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info_span!("within").in_scope(|| info!("within"));
        Span::current().record("late", "changed").add_correlator("c");
        f.write_str("logged")
    }
}

#[test]
fn a_debug_that_panics_takes_nothing_with_it() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("s", a = 1, bad = ?Panics, b = 2, late = Empty);
    span.record("late", debug(Panics));
    span.in_scope(|| info!(a = 1, bad = ?Panics, b = 2, "{:?}", Panics));
    drop(span);
    let mut expected = vec![("a", "1".to_owned()), ("bad", "[panicked]".into()), ("b", "2".into())];
    let event = streamed.event();
    assert_eq!((&*event.message, said(&event.properties)), ("[panicked]", expected.clone()));
    expected.push(("late", "[panicked]".into()));
    assert_eq!(said(&streamed.activity().properties), expected);
}

#[test]
fn a_debug_that_logs_ends_and_is_counted() {
    let (streamed, _default) = start(|builder| builder);
    let span = info_span!("s", first = ?Logs, late = Empty, other = Empty);
    span.in_scope(|| {
        Span::current().record("other", debug(Logs));
        info!(value = ?Logs, "m");
    });
    drop(span);
    let activity = streamed.activity();
    let of = |name| common::value(&activity.properties, name).map(Value::to_string);
    assert_eq!((of("first"), of("other")), (Some("logged".into()), Some("logged".into())));
    assert_eq!(activity.correlators[0], "c");
    assert_eq!(said(&streamed.event().properties), [("value", "logged".into())]);
    // How many there are is up to tracing, which stops what goes by way of a scoped subscriber; see `recursion.rs`.
    assert!(streamed.dropped(LossReason::Recursion) > 0);
}

#[test]
fn spans_may_outlive_their_subscriber() {
    let (layer, streamed) = layer(|builder| builder);
    let (parent, child) = with_default(tracing_subscriber::registry().with(layer), || {
        let parent = info_span!("parent");
        let child = info_span!(parent: &parent, "child");
        (parent, child)
    });
    drop(parent);
    child.in_scope(|| ());
    drop(child);
    // The registry forgets to close the parent when it is no longer the thread's own; then it is gone with the registry.
    assert_eq!(streamed.named("child").parent_id, streamed.named("parent").tracking_id);
}

#[test]
fn more_open_spans_than_there_may_be_are_given_up_and_counted() {
    let (streamed, _default) = start(|builder| builder.max_open_spans(10_000));
    let open: Vec<_> = (0..100_000).map(|n| info_span!("open", n)).collect();
    assert_eq!(streamed.dropped(LossReason::SpanLimit), 90_000);
    open[0].in_scope(|| info_span!("in it").in_scope(|| info!("m")));
    drop(open);
    assert!(streamed.event().parent_id.is_some_and(|parent| parent.to_string().len() == 16), "that of the span around");
    // There is room again.
    drop(info_span!("again"));
    assert_eq!(streamed.activities().len(), 10_001);
}

#[test]
fn a_layer_without_spans_does_not_mind_them() {
    let ((none, without), (all, with)) = (layer(|builder| builder.spans(Spans::Off)), layer(|builder| builder));
    let _default = tracing_subscriber::registry().with(none).with(all.with_filter(LevelFilter::INFO)).set_default();
    let (sender, receiver) = channel();
    info_span!("s").in_scope(|| sender.send(Span::current().trace_context()).unwrap());
    assert!(receiver.recv().unwrap().is_some() && without.activities().is_empty());
    assert_eq!(with.activities().len(), 1);
}
