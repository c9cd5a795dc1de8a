//! Receives entities over HTTP: from a request to stored entities.

mod batch;
pub(crate) mod body;
mod encoding;
pub(crate) mod lines;
pub(crate) mod otlp;

use crate::access::Denied;
use crate::app::App;
use crate::error_response::{ErrorResponse, json_answer, kept};
use crate::script::Scripted;
use crate::server::session::Session;
use crate::store::{Appended, Record};
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, PRAGMA};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
pub(crate) use batch::Batch;
use batch::ParseOptions;
pub(crate) use body::BodyMemory;
use body::Reservation;
use bytes::Bytes;
use encoding::Encoding;
use jkool_intake::handshake;
use jkool_model::Timestamp;
use std::sync::Arc;

/// The paths that accept entities, and the default type of entities at each.
const PATHS: [(&str, Option<&str>); 5] = [
    ("/event", None),
    ("/activity", Some("ACTIVITY")),
    ("/snapshot", Some("SNAPSHOT")),
    ("/log", Some("LOG")),
    ("/dataset", Some("DATASET")),
];

/// Larger bodies are parsed on a thread for blocking work.
const LARGE: usize = 64 << 10;

/// The maximum size of a handshake.
const HANDSHAKE: usize = 4 << 10;

/// The routes that accept entities.
pub(crate) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for base in ["", "/JESL", "/jesl"] {
        let root = if base.is_empty() { ["/"].as_slice() } else { &[base, &format!("{base}/")] };
        for path in root {
            router = router.route(path, post(|app, session, request| take(app, session, None, request)));
        }
        for (path, default_type) in PATHS {
            let take = move |app, session, request| take(app, session, default_type, request);
            router = router.route(&format!("{base}{path}"), post(take));
        }
    }
    router
}

async fn take(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    default_type: Option<&'static str>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    if body.is_end_stream() && headers.get(PRAGMA).is_some_and(|pragma| pragma == "ping") {
        return Ok(StatusCode::OK.into_response());
    }
    let mut reservation = app.body_memory.reserve();
    if !app.access.knows(headers, session.is_authenticated()) {
        // The body matters only if it contains a token.
        let body = body::read(body, HANDSHAKE, app.limits.body_timeout, &mut reservation).await;
        let token = body.as_ref().ok().and_then(|body| handshake::token_in(body));
        return token.map(|token| shake_hands(&app, &session, &token)).ok_or(Denied::Token.into());
    }
    let encoding = Encoding::of(headers)?;
    let body = body::read(body, app.limits.body, app.limits.body_timeout, &mut reservation).await?;
    if let Some(token) = handshake::token_in(&body) {
        return Ok(shake_hands(&app, &session, &token));
    }
    let scripted = app.script.as_ref().filter(|_| !body.is_empty()).and_then(|script| script.next());
    let scripted = match scripted {
        Some(Scripted::Instead(response)) => return Ok(response),
        Some(Scripted::AfterStoring(response)) => Some(response),
        None => None,
    };
    let reader = BodyReader {
        encoding,
        is_xml: is_xml(headers),
        limit: app.limits.body,
        options: ParseOptions { default_type, multi_line: true },
        now: app.clock.now(),
    };
    let (mut batch, _reservation) = if encoding.is_some() || body.len() > LARGE {
        tokio::task::spawn_blocking(move || reader.read(body, reservation)).await.map_err(ErrorResponse::Internal)??
    } else {
        reader.read(body, reservation)?
    };
    let appended = app.keep(&mut batch).await?;
    if let Some(response) = scripted {
        return Ok(response);
    }
    if batch.refused_count() > 0 {
        return Err(ErrorResponse::Entities(appended, batch));
    }
    // An empty body is valid: some clients test the connection with it.
    let status = if appended == Appended::default() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(json_answer(status, &kept(appended, batch.repaired)))
}

/// How a body is parsed.
#[derive(Debug, Clone, Copy)]
struct BodyReader {
    encoding: Option<Encoding>,
    is_xml: bool,
    limit: usize,
    options: ParseOptions,
    now: Timestamp,
}

impl BodyReader {
    fn read(self, body: Bytes, mut reservation: Reservation) -> Result<(Batch, Reservation), ErrorResponse> {
        let body = match self.encoding {
            Some(encoding) => encoding.unpack(&body, self.limit, &mut reservation)?,
            None => body,
        };
        let text = body.trim_ascii_start();
        if text.starts_with(b"<") || (self.is_xml && !text.is_empty()) {
            return Err(ErrorResponse::Xml);
        }
        let batch = Batch::read(&body, self.options, self.now);
        // In memory, even a short entity needs some bytes.
        reservation.grow(batch.records.len() * size_of::<Record>())?;
        Ok((batch, reservation))
    }
}

/// Answers a handshake. If its token is valid, further requests on this connection need none.
fn shake_hands(app: &App, session: &Session, token: &[u8]) -> Response {
    let success = app.access.takes(token);
    session.set_authenticated(success);
    let status = if success { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    (status, [(CONTENT_TYPE, "text/xml; charset=UTF-8")], handshake::answer(token, success)).into_response()
}

/// Whether the content type is XML. Other content types are ignored.
fn is_xml(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
    said.is_some_and(|said| said.starts_with(b"text/xml") || said.starts_with(b"application/xml"))
}
