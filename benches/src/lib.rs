//! What the measuring programs share: the events, the null ends, the clocks, and a hand on the sink.

pub mod delivered;
pub mod event;
pub mod jkool;
pub mod machine;
pub mod naive;
pub mod null_transport;
pub mod pace;
pub mod raw_http;
pub mod sink;
pub mod span;
pub mod usage;
