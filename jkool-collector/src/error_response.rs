//! Errors of requests, and their answers.

use crate::access::Denied;
use crate::dashboard::DashboardError;
use crate::intake::Batch;
use crate::query::InvalidQuery;
use crate::store::{Appended, StoreError, StoreErrorKind};
use axum::http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use jkool_otlp::ReadError;
use serde_json::{Value, json};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErrorResponse {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{0}")]
    NotFound(String),
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    #[error("this path does not support {0}")]
    Method(axum::http::Method),
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("too many requests at the same time; try again later")]
    Busy,
    #[error("the body ended early: {0}")]
    Broken(axum::Error),
    #[error("unsupported content encoding {0:?}; use gzip, deflate or none")]
    Encoding(String),
    #[error("the body is not valid {0}")]
    Damaged(&'static str),
    #[error("XML is not supported; send JSON")]
    Xml,
    #[error("unsupported content type; use application/x-protobuf or application/json")]
    NoOtlp,
    #[error(transparent)]
    Otlp(#[from] ReadError),
    #[error("{}", summary(.1))]
    Entities(Appended, Batch),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Dashboard(DashboardError),
    #[error("internal error: {0}")]
    Internal(tokio::task::JoinError),
}

/// The seconds after which a client may retry.
const SOON: &str = "1";
/// The same if a person must act first: a full disk, a damaged file.
const LATER: &str = "10";

impl From<DashboardError> for ErrorResponse {
    fn from(error: DashboardError) -> Self {
        match error {
            DashboardError::Store(error) => Self::Store(error),
            other => Self::Dashboard(other),
        }
    }
}

impl ErrorResponse {
    fn status(&self) -> StatusCode {
        match self {
            ErrorResponse::Denied(Denied::SeveralHosts) => StatusCode::BAD_REQUEST,
            ErrorResponse::Denied(Denied::Host(_)) => StatusCode::MISDIRECTED_REQUEST,
            ErrorResponse::Denied(Denied::CrossOrigin) => StatusCode::FORBIDDEN,
            ErrorResponse::Denied(Denied::Token) => StatusCode::UNAUTHORIZED,
            ErrorResponse::NotFound(_) => StatusCode::NOT_FOUND,
            ErrorResponse::Query(_) => StatusCode::BAD_REQUEST,
            ErrorResponse::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            ErrorResponse::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorResponse::TooSlow => StatusCode::REQUEST_TIMEOUT,
            ErrorResponse::Busy => StatusCode::TOO_MANY_REQUESTS,
            ErrorResponse::Broken(_) | ErrorResponse::Damaged(_) | ErrorResponse::Entities(..) => {
                StatusCode::BAD_REQUEST
            }
            ErrorResponse::Otlp(ReadError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorResponse::Otlp(_) => StatusCode::BAD_REQUEST,
            ErrorResponse::Encoding(_) | ErrorResponse::Xml | ErrorResponse::NoOtlp => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            ErrorResponse::Store(error) if error.kind() == StoreErrorKind::Busy => StatusCode::TOO_MANY_REQUESTS,
            ErrorResponse::Store(error) if error.kind() == StoreErrorKind::NoSuchField => StatusCode::BAD_REQUEST,
            ErrorResponse::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            ErrorResponse::Dashboard(error) => error.status(),
            ErrorResponse::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self {
            ErrorResponse::Denied(Denied::Token) => {
                Some((WWW_AUTHENTICATE, "Basic realm=\"jkool-collector\", charset=\"UTF-8\""))
            }
            // The rest of the body is not read.
            ErrorResponse::TooLarge(_) | ErrorResponse::TooSlow | ErrorResponse::Broken(_) => {
                Some((CONNECTION, "close"))
            }
            ErrorResponse::Encoding(_) => Some((ACCEPT_ENCODING, "gzip, deflate")),
            ErrorResponse::Busy => Some((RETRY_AFTER, SOON)),
            ErrorResponse::Store(error) if error.kind() == StoreErrorKind::Busy => Some((RETRY_AFTER, SOON)),
            ErrorResponse::Store(error) if error.kind() == StoreErrorKind::NoSuchField => None,
            ErrorResponse::Store(_) => Some((RETRY_AFTER, LATER)),
            _ => None,
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({"error": self.to_string()});
        if let ErrorResponse::Entities(appended, batch) = self {
            let refused = batch.refused.iter();
            let refused = refused.map(|each| json!({"line": each.line, "column": each.column, "error": each.error}));
            let error = body["error"].take();
            body = kept(*appended, batch.repaired);
            body["error"] = error;
            body["refused"] = refused.collect();
            if batch.refused_more > 0 {
                body["refused-more"] = batch.refused_more.into();
            }
        }
        body
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let mut response = json_answer(self.status(), &self.body());
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Summarizes the outcome of the entities. Rare outcomes are only mentioned if they occurred.
pub(crate) fn kept(appended: Appended, repaired: usize) -> Value {
    let mut answer = json!({"stored": appended.stored, "duplicates": appended.duplicates});
    for (name, count) in [("expired", appended.expired), ("repaired", repaired)] {
        if count > 0 {
            answer[name] = count.into();
        }
    }
    answer
}

/// An answer with a JSON body.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn summary(batch: &Batch) -> String {
    let count = batch.refused_count();
    let first =
        batch.refused.first().map(|first| format!("line {}, column {}: {}", first.line, first.column, first.error));
    match first {
        Some(first) if count > 1 => format!("{first}; and {} more", count - 1),
        first => first.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorResponse;
    use crate::store::{StoreError, StoreErrorKind};
    use axum::http::header::RETRY_AFTER;
    use axum::response::IntoResponse;

    #[test]
    fn what_a_store_can_not_do_is_worth_another_try_later() {
        for (kind, status, retry_after) in [
            (StoreErrorKind::Busy, 429, "1"),
            (StoreErrorKind::Full, 503, "10"),
            (StoreErrorKind::Io, 503, "10"),
            (StoreErrorKind::Locked, 503, "10"),
            (StoreErrorKind::Corrupt, 503, "10"),
            (StoreErrorKind::Closed, 503, "10"),
        ] {
            let response = ErrorResponse::Store(StoreError::new(kind, "why")).into_response();
            assert_eq!(response.status(), status, "{kind:?}");
            assert_eq!(response.headers()[RETRY_AFTER], retry_after, "{kind:?}");
        }
    }
}
