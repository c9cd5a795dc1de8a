//! Closes a connection instead of answering.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;

/// The error that closes the connection instead of answering.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("closed without a response")]
pub(crate) struct AbortConnection;

impl AbortConnection {
    /// Returns the response with which a handler closes the connection.
    pub(crate) fn response() -> Response<Body> {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.extensions_mut().insert(Self);
        response
    }
}
