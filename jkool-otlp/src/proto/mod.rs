//! The messages of OTLP 1.x that this crate needs. They are written by hand, not generated, for two reasons: texts are bytes,
//! so that invalid UTF-8 affects only that text and not the whole request; and `prost` is the only dependency.
//!
//! The field numbers are those of `opentelemetry-proto`. Fields of newer versions are ignored.

pub mod common;
pub mod logs;
pub mod metrics;
pub mod response;
pub mod trace;
