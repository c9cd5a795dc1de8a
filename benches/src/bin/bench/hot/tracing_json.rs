//! tracing-subscriber's JSON lines through tracing-appender's thread.

use super::{Row, Running};
use crate::delivers::Delivers;
use jkool_benches::delivered;
use std::hint::black_box;
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;
use tracing_appender::non_blocking::NonBlockingBuilder;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "tracing-json",
        delivers: Delivers::WhatFits,
        about: "tracing-subscriber json + tracing_appender::non_blocking, default (128k lines, drops), a writer that counts",
        start: |_| tracing(true),
    },
    Row {
        name: "tracing-json-block",
        delivers: Delivers::Everything,
        about: "the same, lossy(false)",
        start: |_| tracing(false),
    },
];

fn tracing(lossy: bool) -> Running {
    let (writer, guard) = NonBlockingBuilder::default().lossy(lossy).finish(NullLines);
    tracing_subscriber::fmt().json().with_writer(writer).with_max_level(tracing::Level::INFO).init();
    Running::tracing(move || {
        // Dropping the guard waits for a second at most.
        let mut before = u64::MAX;
        while delivered::total() != before {
            before = delivered::total();
            sleep(Duration::from_millis(50));
        }
        drop(guard);
    })
}

/// Gets a line with each write.
struct NullLines;

impl Write for NullLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        black_box(line);
        delivered::add(1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
