//! The ways in which an event can end without being delivered.

use jkool_transport::{Payload, TransportError};
use std::fmt;

/// Why an event was not delivered. Each has its own counter in [`Stats`](crate::Stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The queue was full, in events or in bytes.
    Overflow,
    /// The server refused it for what it holds.
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
    /// It was not yet delivered when the deadline of shutdown passed.
    Shutdown,
    /// It was logged while another event was being made on the same thread, which would never end.
    Recursion,
    /// The delivery thread failed. That is a fault of this library; please report it.
    WorkerFailed,
}

impl LossReason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Overflow,
        Self::Rejected,
        Self::TooLarge,
        Self::Invalid,
        Self::BeforeSend,
        Self::HookPanic,
        Self::AfterShutdown,
        Self::Shutdown,
        Self::Recursion,
        Self::WorkerFailed,
    ];

    /// The number of reasons.
    pub(crate) const COUNT: usize = Self::ALL.len();

    fn text(self) -> &'static str {
        match self {
            Self::Overflow => "the queue was full",
            Self::Rejected => "rejected by the server",
            Self::TooLarge => "too large for the server",
            Self::Invalid => "invalid",
            Self::BeforeSend => "dropped by before_send",
            Self::HookPanic => "before_send panicked",
            Self::AfterShutdown => "emitted after shutdown",
            Self::Shutdown => "not delivered by the deadline of shutdown",
            Self::Recursion => "logged while logging",
            Self::WorkerFailed => "the delivery thread failed",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// An event that the server refused for good, as it was sent last; see
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
