//! The messages of OTLP 1.x, as far as they are of use here. By hand and not generated, for two reasons: texts are bytes, so that one
//! that is no UTF-8 costs its own letters and not the whole request; and nothing but `prost` comes along.
//!
//! The numbers are those of `opentelemetry-proto`; fields of newer versions are passed over.

pub mod common;
pub mod logs;
pub mod metrics;
pub mod response;
pub mod trace;
