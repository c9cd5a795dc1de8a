//! The ways in which an event can end without being delivered.

use jkool_model::error_chain;
use jkool_transport::{Payload, TransportError};
use std::fmt;

/// Why an event was not delivered. Each has its own counter in [`Stats`](crate::Stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The queue was full, in events or in bytes.
    Overflow,
    /// The queue was nearly full, and room was kept for more severe events; see
    /// [`shed_below`](crate::ClientBuilder::shed_below).
    Shed,
    /// The server refused it for what it holds, or failed over it every time while others got through.
    Rejected,
    /// It was larger than the server takes, even with its message cut.
    TooLarge,
    /// It lacked a field that the service requires, or its times contradicted each other.
    Invalid,
    /// The `before_send` hook dropped it.
    BeforeSend,
    /// The `before_send` hook panicked over it.
    HookPanic,
    /// It came after shutdown.
    AfterShutdown,
    /// It was not yet delivered when the deadline of shutdown passed, and there was no spool for it.
    Shutdown,
    /// Its place in the spool's files was damaged, or a file was taken away.
    Damaged,
    /// It waited in the spool for longer than [`Spool::max_age`](crate::Spool::max_age).
    Expired,
    /// It was logged while another event was being made on the same thread, which would never end; or by the transport about each
    /// send before, from a thread that is not marked as a [`DeliveryThread`](crate::DeliveryThread).
    Recursion,
    /// Too many spans were open for another one to be recorded.
    SpanLimit,
    /// It came in a child that was forked after the client was built: nothing delivers there.
    Forked,
    /// The delivery thread failed. That is a fault of this library; please report it.
    WorkerFailed,
}

impl LossReason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Overflow,
        Self::Shed,
        Self::Rejected,
        Self::TooLarge,
        Self::Invalid,
        Self::BeforeSend,
        Self::HookPanic,
        Self::AfterShutdown,
        Self::Shutdown,
        Self::Damaged,
        Self::Expired,
        Self::Recursion,
        Self::SpanLimit,
        Self::Forked,
        Self::WorkerFailed,
    ];

    /// The number of reasons.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// One word for machines: the label of a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Shed => "shed",
            Self::Rejected => "rejected",
            Self::TooLarge => "too_large",
            Self::Invalid => "invalid",
            Self::BeforeSend => "before_send",
            Self::HookPanic => "hook_panic",
            Self::AfterShutdown => "after_shutdown",
            Self::Shutdown => "shutdown",
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Recursion => "recursion",
            Self::SpanLimit => "span_limit",
            Self::Forked => "forked",
            Self::WorkerFailed => "worker_failed",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Overflow => "the queue was full",
            Self::Shed => "shed to keep room",
            Self::Rejected => "rejected by the server",
            Self::TooLarge => "too large for the server",
            Self::Invalid => "invalid",
            Self::BeforeSend => "dropped by before_send",
            Self::HookPanic => "before_send panicked",
            Self::AfterShutdown => "emitted after shutdown",
            Self::Shutdown => "not delivered by the deadline of shutdown",
            Self::Damaged => "damaged in the spool",
            Self::Expired => "too old in the spool",
            Self::Recursion => "logged while logging",
            Self::SpanLimit => "too many spans were open",
            Self::Forked => "emitted in a forked process",
            Self::WorkerFailed => "the delivery thread failed",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl std::error::Error for LossReason {}

/// An event that the server refused, or failed over, for good, as it was sent last; see
/// [`ClientBuilder::on_dead_letter`](crate::ClientBuilder::on_dead_letter).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The encoded event.
    pub payload: Payload,
    /// [`LossReason::Rejected`] or [`LossReason::TooLarge`].
    pub reason: LossReason,
    /// What the transport says about it.
    pub error: TransportError,
}

impl DeadLetter {
    /// One line of JSON: the event as it was sent last, and why it is not delivered.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let why = serde_json::json!({
            "reason": self.reason.text(), "error": error_chain(&self.error), "kind": self.payload.kind().path(),
        });
        let mut line = why.to_string().into_bytes();
        // The payload is JSON already, on one line.
        line.pop();
        line.extend_from_slice(br#","entity":"#);
        line.extend_from_slice(self.payload.body());
        line.push(b'}');
        line
    }
}
