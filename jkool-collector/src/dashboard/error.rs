//! Why a dashboard is none, or can't be kept.

use crate::store::StoreError;
use axum::http::StatusCode;
use std::fmt::Display;

/// Why a text is no dashboard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDashboard {
    /// It is no JSON, or not of this shape; the text says line and column.
    #[error("this is no dashboard: {0}")]
    Json(String),
    /// A part of it says nothing understandable.
    #[error("{place}: {message}")]
    Part { place: String, message: String },
}

impl InvalidDashboard {
    pub(super) fn part(place: impl Into<String>, message: impl Display) -> Self {
        Self::Part { place: place.into(), message: message.to_string() }
    }
}

/// Why a dashboard can't be had, kept or taken away.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DashboardError {
    #[error(transparent)]
    Invalid(#[from] InvalidDashboard),
    #[error("{0:?} is no name of a dashboard: 1 to 64 letters, digits, `-` and `_`")]
    Name(String),
    #[error("there is no dashboard {0:?}")]
    NotFound(String),
    #[error("{0:?} is built in: it can be replaced, but not taken away")]
    BuiltIn(String),
    #[error("there is a dashboard {0:?} already")]
    Exists(String),
    #[error("{0:?} was changed meanwhile by somebody else: look at it again")]
    Changed(String),
    #[error("there are {0} dashboards: before another comes, one must go")]
    TooMany(usize),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DashboardError {
    /// What a client is told.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Name(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BuiltIn(_) | Self::Exists(_) | Self::Changed(_) | Self::TooMany(_) => StatusCode::CONFLICT,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
