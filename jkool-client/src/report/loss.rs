//! The reasons for which an event is not delivered.

use jkool_model::error_chain;
use jkool_transport::{Payload, TransportError};
use std::fmt;

/// Why an event was not delivered. [`Stats::dropped`](crate::Stats::dropped) has a counter for each reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The queue was full, in number of events or in bytes.
    Overflow,
    /// The queue was nearly full, and the rest of it is reserved for more severe events; see
    /// [`shed_below`](crate::ClientBuilder::shed_below).
    Shed,
    /// The server rejected the event for its content, or failed over it every time while other events got through.
    Rejected,
    /// It was larger than the server accepts, even after its message was truncated.
    TooLarge,
    /// A field that the service requires was missing, or its times contradicted each other.
    Invalid,
    /// The `before_send` hook dropped it.
    BeforeSend,
    /// The `before_send` hook panicked while it processed the event.
    HookPanic,
    /// It was emitted after shutdown.
    AfterShutdown,
    /// It was not delivered when the deadline of the shutdown passed, and there was no spool.
    Shutdown,
    /// Its data in the spool was damaged, or its file was removed.
    Damaged,
    /// It waited in the spool longer than [`Spool::max_age`](crate::Spool::max_age).
    Expired,
    /// It was logged while another event was being created on the same thread, which would be an endless recursion; or a
    /// transport logs about each of its sends from a thread that is not marked as a [`DeliveryThread`](crate::DeliveryThread).
    Recursion,
    /// Too many spans were open to record another one.
    SpanLimit,
    /// It was emitted in a child process that was forked after the client was built, in which nothing is delivered.
    Forked,
    /// The delivery thread failed. This is a bug in this library; please report it.
    WorkerFailed,
}

impl LossReason {
    /// All reasons.
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

    /// Returns a short identifier, such as `too_large`, which is also the label of the metric.
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
            Self::Shed => "shed to make room",
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

/// An event that was given up because the server rejected it or failed over it, as it was last sent; see
/// [`ClientBuilder::on_dead_letter`](crate::ClientBuilder::on_dead_letter).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The encoded event.
    pub payload: Payload,
    /// [`LossReason::Rejected`] or [`LossReason::TooLarge`].
    pub reason: LossReason,
    /// The transport's last error for it.
    pub error: TransportError,
}

impl DeadLetter {
    /// One line of JSON: the event as it was last sent, and the reason.
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
