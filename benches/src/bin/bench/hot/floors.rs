//! What the parts of a log call cost by themselves.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use jkool_benches::event::{Encode, append, full, full_by_hand, small, write_message};
use log::{Log, Metadata, Record};
use std::cell::RefCell;
use std::fmt::Write;
use std::hint::black_box;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "floor:log-off",
        delivers: Delivers::Nothing,
        about: "log crate, no logger, max level Off",
        start: |_| Running::log(|| ()),
    },
    Row {
        name: "floor:log-noop",
        delivers: Delivers::Nothing,
        about: "log crate, a logger that does nothing",
        start: |_| logger(Noop),
    },
    Row {
        name: "floor:fmt",
        delivers: Delivers::Nothing,
        about: "format the message into a String that is kept (no facade)",
        start: |_| format(),
    },
    Row {
        name: "floor:log-fmt",
        delivers: Delivers::Nothing,
        about: "log crate, a logger that formats into a String of its thread",
        start: |_| logger(Format),
    },
    Row {
        name: "floor:json-full",
        delivers: Delivers::Nothing,
        about: "format the message, make an id, read the clock, serde_json of the full event into a Vec that is kept",
        start: |_| json(full),
    },
    Row {
        name: "floor:json-full-hand",
        delivers: Delivers::Nothing,
        about: "the same bytes by hand: constant fields are there already, numbers by itoa",
        start: |_| json(full_by_hand),
    },
    Row {
        name: "floor:json-small",
        delivers: Delivers::Nothing,
        about: "floor:json-full with the small event",
        start: |_| json(small),
    },
];

thread_local! {
    static SCRATCH: RefCell<(String, Vec<u8>)> = RefCell::default();
}

fn format() -> Running {
    let call = |i| {
        SCRATCH.with_borrow_mut(|(message, _)| {
            write_message(message, i);
            black_box(&*message);
        });
    };
    Running::direct(call, || ())
}

fn json(encode: Encode) -> Running {
    let call = move |i| {
        SCRATCH.with_borrow_mut(|(message, json)| {
            json.clear();
            append(json, message, i, encode);
            black_box(&*json);
        });
    };
    Running::direct(call, || ())
}

fn logger(logger: impl Log + 'static) -> Running {
    install(Box::new(logger));
    Running::log(|| ())
}

struct Noop;

impl Log for Noop {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        black_box(record);
    }

    fn flush(&self) {}
}

struct Format;

impl Log for Format {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        SCRATCH.with_borrow_mut(|(message, _)| {
            message.clear();
            write!(message, "{}", record.args()).expect("memory");
            black_box(&*message);
        });
    }

    fn flush(&self) {}
}
