//! The errors of statements.

use crate::store::StoreError;
use jkool_jkql::{InvalidMoment, ParseError};

/// The error for a statement that cannot be answered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JkqlError {
    /// The statement has a syntax error, or contains an unknown name.
    #[error(transparent)]
    Text(#[from] ParseError),
    /// The statement contains an invalid date.
    #[error(transparent)]
    Date(#[from] InvalidMoment),
    /// The statement combines things that exclude each other.
    #[error("{0}")]
    Impossible(String),
    /// The statement is a subscription, which has no immediate answer.
    #[error("a subscription is answered over the WebSocket /jkool-service/jkqlasync")]
    Subscription,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
