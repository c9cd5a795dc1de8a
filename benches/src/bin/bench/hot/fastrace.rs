//! fastrace's events on spans.

use super::{Row, Running};
use crate::delivers::Delivers;
use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::local::LocalParentGuard;
use fastrace::prelude::{Event, LocalSpan, Span, SpanContext};
use jkool_benches::delivered;
use std::cell::RefCell;
use std::hint::black_box;
use std::thread::sleep;
use std::time::Duration;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "fastrace-event",
        delivers: Delivers::WhatFits,
        about: "fastrace LocalSpan::add_event with a formatted message, a root span for each 100 events, null reporter",
        start: |_| events(),
    },
    Row {
        name: "fastrace-span",
        delivers: Delivers::WhatFits,
        about: "fastrace, a root span with 3 properties that is the local parent once, null reporter",
        start: |_| spans(),
    },
];

/// As many events as a request has in a busy program.
const EVENTS_OF_A_ROOT: u32 = 100;

/// Dropped from top to bottom.
struct Root {
    _guard: LocalParentGuard,
    _span: Span,
    events: u32,
}

thread_local! {
    static ROOT: RefCell<Option<Root>> = const { RefCell::new(None) };
}

fn events() -> Running {
    fastrace::set_reporter(Count, Config::default().report_interval(Duration::from_millis(100)));
    let finish = || {
        ROOT.set(None);
        sleep(Duration::from_millis(50));
        fastrace::flush();
    };
    Running::direct(add_event, finish)
}

fn spans() -> Running {
    fastrace::set_reporter(CountSpans, Config::default().report_interval(Duration::from_millis(100)));
    Running::direct(span, fastrace::flush)
}

fn span(i: u64) {
    let properties =
        || [("order_id", i.to_string()), ("elapsed_ms", (i & 63).to_string()), ("customer", "acme-corp".into())];
    let span = Span::root("order", SpanContext::random()).with_properties(properties);
    let _entered = span.set_local_parent();
    black_box(i);
}

struct CountSpans;

impl Reporter for CountSpans {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        delivered::add(spans.len() as u64);
    }
}

fn add_event(i: u64) {
    ROOT.with_borrow_mut(|root| {
        if root.as_ref().is_some_and(|root| root.events >= EVENTS_OF_A_ROOT) {
            *root = None;
        }
        root.get_or_insert_with(new_root).events += 1;
        let message = || [("message", format!("order {} processed in {} ms", i, i & 63))];
        LocalSpan::add_event(Event::new("log").with_properties(message));
    });
}

fn new_root() -> Root {
    let span = Span::root("request", SpanContext::random());
    Root { _guard: span.set_local_parent(), _span: span, events: 0 }
}

struct Count;

impl Reporter for Count {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        delivered::add(spans.iter().map(|span| span.events.len() as u64).sum());
    }
}
