//! Posted forms: access control and fields.

use crate::access::Denied;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::intake::body;
use crate::server::session::Session;
use axum::extract::Request;
use std::collections::HashMap;

/// The maximum size in bytes: that of the largest dashboard, if every character is encoded as three.
const LONGEST: usize = 1 << 20;

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Posted(HashMap<String, String>);

impl Posted {
    /// Reads a form, unless a required token is missing. Forms of other sites are refused before, like all their
    /// requests.
    pub(super) async fn read(app: &App, session: &Session, request: Request) -> Result<Self, ErrorResponse> {
        let (head, body) = request.into_parts();
        if !app.access.knows(&head.headers, session.is_authenticated()) {
            return Err(Denied::Token.into());
        }
        let mut reservation = app.body_memory.reserve();
        let body = body::read(body, LONGEST, app.limits.body_timeout, &mut reservation).await?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// Parses the fields from a URL's query.
    pub(super) fn of_url(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Returns a field; empty if it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(|value| value.trim()).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
