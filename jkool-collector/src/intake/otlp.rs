//! OpenTelemetry's protocol over HTTP: `POST /v1/logs`, `/v1/traces`, `/v1/metrics`. `jkool-otlp` maps the messages;
//! this module implements requests and responses as the specification requires.

use super::body::{self, Reservation};
use super::encoding::Encoding;
use super::{Batch, LARGE};
use crate::access::Denied;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::server::session::Session;
use crate::store::{Appended, Record};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use jkool_model::{Entity, Timestamp};
use jkool_otlp::{Encoding as Format, Limits, Signal};
use std::sync::Arc;

/// The routes that accept OTLP.
pub(crate) fn routes() -> Router<Arc<App>> {
    Signal::ALL.into_iter().fold(Router::new(), |router, signal| {
        router.route(signal.path(), post(move |app, session, request| answer(app, session, signal, request)))
    })
}

/// Answers in the format of the request. Final rejections are counted, because an SDK discards such data.
async fn answer(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    signal: Signal,
    request: Request,
) -> Response {
    let format = format_of(request.headers());
    match take(&app, &session, signal, format, request).await {
        Ok(body) => with_body(StatusCode::OK.into_response(), format, body),
        Err(error) => {
            if is_final(&error) {
                app.counters.count(Appended::default(), 1, 0);
            }
            let message = error.to_string();
            let response = error.into_response();
            let body = format.unwrap_or(Format::Json).status(grpc_code(response.status()), &message);
            with_body(response, format, body)
        }
    }
}

async fn take(
    app: &Arc<App>,
    session: &Session,
    signal: Signal,
    format: Option<Format>,
    request: Request,
) -> Result<Vec<u8>, ErrorResponse> {
    let (head, body) = request.into_parts();
    if !app.access.knows(&head.headers, session.is_authenticated()) {
        return Err(Denied::Token.into());
    }
    let format = format.ok_or(ErrorResponse::NoOtlp)?;
    let encoding = Encoding::of(&head.headers)?;
    let mut reservation = app.body_memory.reserve();
    let body = body::read(body, app.limits.body, app.limits.body_timeout, &mut reservation).await?;
    let reader = Reader { signal, format, encoding, limit: app.limits.body, now: app.clock.now() };
    let (mut batch, reason, _reservation) = if encoding.is_some() || body.len() > LARGE {
        tokio::task::spawn_blocking(move || reader.read(body, reservation)).await.map_err(ErrorResponse::Internal)??
    } else {
        reader.read(body, reservation)?
    };
    let rejected = batch.refused_count() as u64;
    app.keep(&mut batch).await?;
    Ok(signal.response(format, rejected, reason.as_deref()))
}

/// The options for parsing a body.
#[derive(Debug, Clone, Copy)]
struct Reader {
    signal: Signal,
    format: Format,
    encoding: Option<Encoding>,
    limit: usize,
    now: Timestamp,
}

impl Reader {
    /// Returns the batch, and the reason if a part was rejected.
    fn read(
        self,
        body: Bytes,
        mut reservation: Reservation,
    ) -> Result<(Batch, Option<String>, Reservation), ErrorResponse> {
        let body = match self.encoding {
            Some(encoding) => encoding.unpack(&body, self.limit, &mut reservation)?,
            None => body,
        };
        let limits = limits(self.limit);
        let before = body.len();
        let mapped = self.signal.read(self.format, body, limits)?;
        // The decoded message is freed by now, but it was in memory at the same time as the entities.
        reservation.grow(before.saturating_add(mapped.entities.iter().map(Entity::heap_size).sum()))?;
        let mut batch =
            Batch { refused_more: usize::try_from(mapped.rejected).unwrap_or(usize::MAX), ..Batch::default() };
        let mut reason = mapped.reason;
        for (entity, json) in with_json(mapped.entities) {
            match Record::of(entity, Bytes::clone(&json), self.now) {
                Ok(record) => {
                    batch.records.push(record);
                    batch.bodies.push(json);
                }
                Err(error) => {
                    batch.refused_more += 1;
                    reason.get_or_insert_with(|| error.to_string());
                }
            }
        }
        Ok((batch, reason, reservation))
    }
}

/// Returns each entity with its JSON, which is a slice of the JSON of all.
fn with_json(entities: Vec<Entity>) -> impl Iterator<Item = (Entity, Bytes)> {
    let (mut json, mut ends) = (Vec::with_capacity(entities.len() << 10), Vec::with_capacity(entities.len()));
    for entity in &entities {
        entity.append_json(&mut json);
        ends.push(json.len());
    }
    let mut json = Bytes::from(json);
    let mut start = 0;
    entities.into_iter().zip(ends).map(move |(entity, end)| {
        let its = json.split_to(end - start);
        start = end;
        (entity, its)
    })
}

/// Returns the limits: as many entities as in a request of our own protocol. In memory a message is larger than on the
/// wire, and its entities are larger still; together they must fit the memory for bodies.
fn limits(body: usize) -> Limits {
    const LEAST: usize = 32 << 20;
    Limits { entities: super::batch::MOST, bytes: body.saturating_mul(3).max(LEAST) }
}

/// Returns the format in the content type, without its parameters.
fn format_of(headers: &HeaderMap) -> Option<Format> {
    let said = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let said = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match said.as_str() {
        "application/x-protobuf" => Some(Format::Protobuf),
        "application/json" => Some(Format::Json),
        _ => None,
    }
}

fn with_body(mut response: Response, format: Option<Format>, body: Vec<u8>) -> Response {
    let content_type = match format {
        Some(Format::Protobuf) => "application/x-protobuf",
        _ => "application/json",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *response.body_mut() = body.into();
    response
}

/// Whether the client will not send the data again. Unauthorised requests do not count.
fn is_final(error: &ErrorResponse) -> bool {
    match error {
        ErrorResponse::Denied(_) | ErrorResponse::Busy | ErrorResponse::Store(_) => false,
        // The body is incomplete: the client is gone, or retries.
        ErrorResponse::Broken(_) | ErrorResponse::TooSlow => false,
        _ => true,
    }
}

/// Returns the gRPC code of an error response.
fn grpc_code(status: StatusCode) -> i32 {
    match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        StatusCode::INTERNAL_SERVER_ERROR => 13,
        _ => 3,
    }
}
