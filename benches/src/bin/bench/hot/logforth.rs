//! logforth's async appender.

use super::{Row, Running, install};
use crate::delivers::Delivers;
use jkool_benches::delivered;
use logforth::append::asynchronous::AsyncBuilder;
use logforth::bridge::log::LogBridge;
use logforth::layout::JsonLayout;
use logforth::record::Record;
use logforth::{Append, Diagnostic, Error, Layout};
use std::hint::black_box;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "logforth-async",
        delivers: Delivers::Everything,
        about: "logforth's Async appender, default (unbounded), JsonLayout, a null append",
        start: |_| log(None, false),
    },
    Row {
        name: "logforth-async-8k",
        delivers: Delivers::Everything,
        about: "the same, bounded 8192, overflow_block",
        start: |_| log(Some(8192), false),
    },
    Row {
        name: "logforth-async-8k-drop",
        delivers: Delivers::WhatFits,
        about: "the same, bounded 8192, overflow_drop_incoming",
        start: |_| log(Some(8192), true),
    },
];

fn log(limit: Option<usize>, drops: bool) -> Running {
    let append = NullAppend(JsonLayout::default());
    let mut builder = AsyncBuilder::new("logforth").buffered_lines_limit(limit).append(append);
    if drops {
        builder = builder.overflow_drop_incoming();
    }
    let append = builder.build();
    let logger = logforth::core::builder().dispatch(|dispatch| dispatch.append(append)).build();
    install(Box::new(LogBridge::new(logger)));
    Running::log(|| log::logger().flush())
}

#[derive(Debug)]
struct NullAppend(JsonLayout);

impl Append for NullAppend {
    fn append(&self, record: &Record<'_>, diagnostics: &[Box<dyn Diagnostic>]) -> Result<(), Error> {
        black_box(self.0.format(record, diagnostics)?);
        delivered::add(1);
        Ok(())
    }

    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }
}
