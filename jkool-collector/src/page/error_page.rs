//! Error pages.

use super::layout::{Frame, Tab, frame};
use crate::filter::Filter;
use crate::store::StoreError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

/// The reason for an error page.
#[derive(Debug)]
pub(super) enum ErrorPage {
    /// The store cannot be read.
    Store(StoreError),
    /// There is no such page, event or file.
    NotFound(&'static str),
}

impl From<StoreError> for ErrorPage {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            ErrorPage::Store(error) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The store can't be read now", error.to_string())
            }
            ErrorPage::NotFound(what) => (StatusCode::NOT_FOUND, "Not found", what.to_owned()),
        };
        let filter = Filter::default();
        let head = Frame { title, tab: Tab::None, filter: &filter, total: None, mark: None };
        let main = html! {
            section.notice {
                h1 { (title) }
                p { (text) }
                p { a href="/" { "To the newest events" } }
            }
        };
        (status, frame(&head, &main)).into_response()
    }
}

/// The response for an unknown path.
pub(super) async fn not_found() -> ErrorPage {
    ErrorPage::NotFound("There is no such page here.")
}

#[cfg(test)]
mod tests {
    use super::ErrorPage;
    use crate::store::{StoreError, StoreErrorKind};
    use axum::response::IntoResponse;

    #[test]
    fn a_store_that_fails_is_a_page_that_says_so() {
        let answer = ErrorPage::from(StoreError::new(StoreErrorKind::Io, "<the disk>")).into_response();
        assert_eq!(answer.status(), 503);
    }
}
