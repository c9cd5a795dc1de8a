//! Errors of reading and storing dashboards.

use crate::store::StoreError;
use axum::http::StatusCode;
use std::fmt::Display;

/// Why a text is not a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDashboard {
    /// It is not JSON, or has the wrong structure; the text contains line and column.
    #[error("invalid dashboard: {0}")]
    Json(String),
    /// A part of it is invalid.
    #[error("{place}: {message}")]
    Part { place: String, message: String },
}

impl InvalidDashboard {
    pub(super) fn part(place: impl Into<String>, message: impl Display) -> Self {
        Self::Part { place: place.into(), message: message.to_string() }
    }
}

/// Why a dashboard cannot be read, saved or deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DashboardError {
    #[error(transparent)]
    Invalid(#[from] InvalidDashboard),
    #[error("{0:?} is not a name of a dashboard; use 1 to 64 letters, digits, `-` and `_`")]
    Name(String),
    #[error("no dashboard {0:?}")]
    NotFound(String),
    #[error("{0:?} is built in: it can be replaced, but not deleted")]
    BuiltIn(String),
    #[error("the dashboard {0:?} already exists")]
    Exists(String),
    #[error("{0:?} was changed by someone else in the meantime; reload it")]
    Changed(String),
    #[error("there are already {0} dashboards; delete one first")]
    TooMany(usize),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DashboardError {
    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Name(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BuiltIn(_) | Self::Exists(_) | Self::Changed(_) | Self::TooMany(_) => StatusCode::CONFLICT,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
