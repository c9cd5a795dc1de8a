//! Why a statement is not answered.

use crate::store::StoreError;
use jkool_jkql::{InvalidMoment, ParseError};

/// Why a statement is not answered.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JkqlError {
    /// It is no statement, or names what there is not.
    #[error(transparent)]
    Text(#[from] ParseError),
    /// A date in it says no time.
    #[error(transparent)]
    Date(#[from] InvalidMoment),
    /// It asks for something that does not go together.
    #[error("{0}")]
    Impossible(String),
    /// It is answered by what comes in from now on, and not at once.
    #[error("a subscription is answered over the WebSocket /jkool-service/jkqlasync")]
    Subscription,
    /// The store can't answer it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
