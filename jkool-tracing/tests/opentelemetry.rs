//! What is streamed of spans, beside what the layer of `tracing-opentelemetry` exports of the same ones in the same run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a task that is spawned is waited for")]

mod common;

use jkool_tracing::model::{Activity, ActivityStatus, Event, Property, Severity};
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry::{KeyValue, SpanId};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use std::collections::HashMap;
use std::num::ParseIntError;
use tracing::{Instrument, Level, Span, debug, error, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;

/// What both say of a span, by names, as ids differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    /// From the span to the root of its trace.
    names: Vec<String>,
    fields: Vec<(String, String)>,
    /// What happened directly in it: levels, targets, messages and fields.
    events: Vec<Vec<(String, String)>>,
    failed: bool,
    /// The names of spans that it follows from.
    follows: Vec<String>,
}

#[test]
fn the_tree_is_that_of_opentelemetry() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let otel = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    let (jkool, streamed) = common::layer(|builder| builder);
    // For all threads of the runtime.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(jkool).with(otel)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(scenario());
    drop(runtime);

    provider.force_flush().unwrap();
    let expected = of_opentelemetry(&exporter.get_finished_spans().unwrap());
    let told = of_jkool(&streamed.activities(), &streamed.events());
    assert_eq!(told, expected);
    // What was meant to be compared was there.
    let has = |names: &[&str]| told.iter().any(|told| told.names == names);
    assert!(has(&["inner", "outer"]) && has(&["joined", "outer"]) && has(&["inner", "joined", "outer"]), "{told:#?}");
    assert!(has(&["spawned in it", "outer"]) && has(&["spawned apart"]), "{told:#?}");
    assert!(has(&["renamed"]) && told.iter().any(|told| told.follows == ["spawned apart"]), "{told:#?}");
    assert!(told.iter().any(|told| told.names[0] == "parse" && told.failed), "{told:#?}");
    assert_eq!(told.len(), 16);
}

async fn scenario() {
    outer(7).await;
    assert_eq!(parse("42").unwrap(), 42);
    assert!(parse("no number").is_err());
    assert_eq!(quiet("text", 1), 1);
    drop(info_span!("code", otel.name = "renamed", otel.status_code = "ERROR"));
    let late = info_span!("late", early = 1, later = tracing::field::Empty);
    late.record("later", true);
    late.in_scope(|| error!("it failed"));
    let root = info_span!(parent: None, "explicit root");
    info_span!(parent: &root, "explicit child").in_scope(|| info!(parent: &root, "elsewhere"));
}

#[instrument(ret)]
async fn outer(number: u32) -> u32 {
    debug!(number, "in it");
    inner(1).await;
    // Both at the same time, in the same span.
    let joined = |index: u32| async move { inner(index).await }.instrument(info_span!("joined", index));
    tokio::join!(joined(2), joined(3));
    let spawned = async { info!("of outer") }.instrument(info_span!("spawned in it")).in_current_span();
    tokio::spawn(spawned).await.unwrap();
    let apart = tokio::spawn(async {
        let span = info_span!("spawned apart");
        span.in_scope(|| info!("of nobody else"));
        span
    });
    let apart = apart.await.unwrap();
    let follower = info_span!("follower");
    follower.follows_from(&apart);
    tokio::spawn(async { _ = Span::current().record("number", 9) }.instrument(Span::current())).await.unwrap();
    number + 1
}

#[instrument(level = "debug", fields(twice = index * 2))]
async fn inner(index: u32) {
    tokio::task::yield_now().await;
    info!(index, "inside");
    tokio::task::yield_now().await;
}

#[instrument(err, ret)]
fn parse(text: &str) -> Result<u32, ParseIntError> {
    text.parse()
}

#[instrument(skip(text), level = Level::TRACE)]
fn quiet(text: &str, number: u32) -> u32 {
    debug!(text.length = text.len(), "quiet");
    number
}

fn of_opentelemetry(spans: &[SpanData]) -> Vec<Told> {
    let by_id: HashMap<SpanId, &SpanData> = spans.iter().map(|span| (span.span_context.span_id(), span)).collect();
    let text = |attribute: &KeyValue| (attribute.key.to_string(), attribute.value.to_string());
    let told = |span: &SpanData| {
        let (mut names, mut next) = (Vec::new(), Some(span));
        while let Some(span) = next {
            names.push(span.name.to_string());
            next = by_id.get(&span.parent_span_id).copied();
        }
        // An error is an event of that name, as OpenTelemetry has it.
        let events = span.events.iter().map(|event| match &*event.name {
            "exception" => sorted(event.attributes.iter().map(|attribute| match text(attribute) {
                (name, error) if name == "exception.message" => ("error".to_owned(), error),
                other => other,
            })),
            name => {
                let message = (!name.starts_with("event ")).then(|| ("message".to_owned(), name.to_owned()));
                sorted(message.into_iter().chain(event.attributes.iter().map(text)))
            }
        });
        // What was recorded again stands there twice.
        let fields: HashMap<String, String> = span.attributes.iter().map(text).collect();
        Told {
            names,
            fields: sorted(fields),
            events: sorted(events),
            failed: matches!(span.status, Status::Error { .. }),
            follows: sorted(span.links.iter().map(|link| by_id[&link.span_context.span_id()].name.to_string())),
        }
    };
    sorted(spans.iter().map(told))
}

fn of_jkool(activities: &[Activity], events: &[Event]) -> Vec<Told> {
    let id = |activity: &Activity| activity.tracking_id.as_ref().unwrap().to_string();
    let by_id: HashMap<String, &Activity> = activities.iter().map(|activity| (id(activity), activity)).collect();
    let fields = |properties: &[Property]| -> Vec<(String, String)> {
        let said = common::said(properties).into_iter().map(|(name, value)| (name.to_owned(), value));
        said.collect()
    };
    let told = |activity: &Activity| {
        let (mut names, mut next) = (Vec::new(), Some(activity));
        while let Some(activity) = next {
            names.push(activity.operation.to_string());
            next = activity.parent_id.as_ref().and_then(|parent| by_id.get(&parent.to_string()).copied());
        }
        let inside = events.iter().filter(|event| event.parent_id == activity.tracking_id).map(|event| {
            let message = (!event.message.is_empty()).then(|| ("message".to_owned(), event.message.to_string()));
            let error = (!event.exception.is_empty()).then(|| ("error".to_owned(), event.exception.to_string()));
            let level = if event.severity == Severity::Warning { "WARN".into() } else { event.severity.to_string() };
            let of_its_own = [("level".to_owned(), level), ("target".to_owned(), event.operation.to_string())];
            sorted(of_its_own.into_iter().chain(message).chain(error).chain(fields(&event.properties)))
        });
        let follows = activity.correlators.iter().filter_map(|correlator| by_id.get(&**correlator));
        Told {
            names,
            fields: sorted(fields(&activity.properties)),
            events: sorted(inside),
            failed: activity.status == Some(ActivityStatus::Exception),
            follows: sorted(follows.map(|activity| activity.operation.to_string())),
        }
    };
    sorted(activities.iter().map(told))
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}
