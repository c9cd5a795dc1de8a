//! The common parts of all answers.

use crate::error_response::ErrorResponse;
use crate::query::{InvalidQuery, Query};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::str::FromStr;

/// An answer with a JSON body.
pub(super) fn json(body: impl Into<String>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

pub(super) async fn no_such_path() -> ErrorResponse {
    ErrorResponse::NotFound("no such path; see /api/openapi.json".into())
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

/// Removes a number from 1 to `MAX` from `query`.
pub(super) fn number<const MAX: usize>(
    query: &mut Query,
    parameter: &str,
    default: usize,
) -> Result<usize, InvalidQuery> {
    Ok(query.take::<UpTo<MAX>>(parameter)?.map_or(default, |UpTo(number)| number))
}
