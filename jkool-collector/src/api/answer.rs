//! What all answers have in common.

use crate::{InvalidQuery, Query, StoreError};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::str::FromStr;

/// An answer with a body of JSON.
pub(super) fn json(body: impl Into<String>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    #[error("{0}")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Refusal::Query(_) => StatusCode::BAD_REQUEST,
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, json(json!({"error": self.to_string()}).to_string())).into_response()
    }
}

pub(super) async fn no_such_path() -> Refusal {
    Refusal::NotFound("no such path: /api/openapi.json describes those that there are".into())
}

/// A whole number from 1 to `MAX`.
#[derive(Debug, Clone, Copy)]
pub(super) struct UpTo<const MAX: usize>(usize);

impl<const MAX: usize> FromStr for UpTo<MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number| (1..=MAX).contains(number));
        number.map(Self).ok_or_else(|| format!("expected a whole number from 1 to {MAX}"))
    }
}

/// Takes a number out of `query`, from 1 to `MAX`.
pub(super) fn number<const MAX: usize>(
    query: &mut Query,
    parameter: &str,
    default: usize,
) -> Result<usize, InvalidQuery> {
    Ok(query.take::<UpTo<MAX>>(parameter)?.map_or(default, |UpTo(number)| number))
}
