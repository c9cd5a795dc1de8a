//! A connection that is closed in place of an answer.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;

/// In place of an answer: the connection is closed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("closed without a response")]
pub(crate) struct AbortConnection;

impl AbortConnection {
    /// What a handler returns that wants it so.
    pub(crate) fn response() -> Response<Body> {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.extensions_mut().insert(Self);
        response
    }
}
