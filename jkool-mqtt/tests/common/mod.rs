//! What the tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::cast_possible_truncation,
    reason = "each test file is a crate that uses its part of this; bytes are taken of numbers"
)]

pub mod broker;
pub mod mosquitto;
#[path = "../../../jkool-transport/tests/common/payloads.rs"]
pub mod payloads;
