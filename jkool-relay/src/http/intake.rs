//! One request: its authorization, its records and its answer.

use super::answers::Answers;
use super::body;
use super::session::Session;
use crate::source::{Position, Record};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, PRAGMA, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use jkool_intake::handshake;
use jkool_intake::tokens::Tokens;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// The maximum size of a body, also after decompression.
const LARGEST: usize = 4 << 20;
/// The maximum size of a handshake.
const HANDSHAKE: usize = 4 << 10;
/// The limit for the bodies of all requests that are not answered yet, in KiB.
const MEMORY: u32 = 64 << 10;
/// The timeout for reading a body.
const READ: Duration = Duration::from_secs(30);
/// How long a request waits for room, and for its records to be settled. Clients wait for 30 seconds or more.
const ROOM: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Intake {
    to: mpsc::WeakSender<Vec<Record>>,
    answers: Arc<Answers>,
    tokens: Tokens,
    memory: Arc<Semaphore>,
}

/// The result of a request.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Records(usize),
    Handshake { success: bool, response: String },
}

const JSON: &str = "application/json";
const XML: &str = "text/xml; charset=UTF-8";

/// Why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("unknown path; expected /event, /activity, /snapshot, /log or /dataset, optionally below /JESL")]
    Path,
    #[error("method not allowed; use POST")]
    Method,
    #[error("requests from a page in a browser are not accepted")]
    Origin,
    #[error("token required, as X-API-Key, token or Authorization: Bearer")]
    Token,
    #[error("unsupported content encoding; use gzip")]
    Encoding,
    #[error("the body is larger than 4 MiB or 65,536 entities")]
    TooLarge,
    #[error("the body is damaged")]
    Damaged,
    #[error("the body did not arrive in time")]
    Slow,
    #[error("too many records in flight; try again later")]
    Busy,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Damaged => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Intake {
    pub(super) fn new(to: mpsc::WeakSender<Vec<Record>>, answers: Arc<Answers>, tokens: Tokens) -> Self {
        let memory = Arc::new(Semaphore::new(MEMORY as usize));
        Self { to, answers, tokens, memory }
    }

    /// Returns a sender, unless the source was stopped.
    pub(super) fn sender(&self) -> Option<mpsc::Sender<Vec<Record>>> {
        self.to.upgrade()
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, session: &Session) -> Response<Full<Bytes>> {
        let _in_progress = session.requests.begin();
        session.requests.set_no_response(request.method() == Method::POST && says(request.headers(), "no-response"));
        let taken = self.take(request, session).await;
        let (status, kind, text) = match &taken {
            Ok(Taken::Records(count)) => (StatusCode::OK, JSON, format!("{{\"accepted\":{count}}}\n")),
            Ok(Taken::Handshake { success, response }) => {
                (if *success { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, XML, response.clone())
            }
            Err(refusal) => {
                (refusal.status(), JSON, format!("{}\n", serde_json::json!({ "error": refusal.to_string() })))
            }
        };
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if taken == Err(Refusal::Busy) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// Passes the records of a request on, and waits until they are settled if the client reads the response.
    async fn take(&self, request: Request<Incoming>, session: &Session) -> Result<Taken, Refusal> {
        let default_type = default_type(request.uri().path()).ok_or(Refusal::Path)?;
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        let (head, body) = request.into_parts();
        let headers = &head.headers;
        if headers.contains_key(ORIGIN) {
            return Err(Refusal::Origin);
        }
        if body.is_end_stream() && says(headers, "ping") {
            return Ok(Taken::Records(0));
        }
        if !self.tokens.admit(headers, session.is_authenticated()) {
            // The only body that is of interest brings a token.
            let body = read(body, HANDSHAKE).await.map_err(|_| Refusal::Token)?;
            return self.shake_hands(&body, session).ok_or(Refusal::Token);
        }
        let is_packed = is_packed(headers)?;
        let said = body.size_hint().upper().filter(|_| !is_packed);
        let size = said.map_or(LARGEST, |said| usize::try_from(said).unwrap_or(usize::MAX));
        if size > LARGEST {
            return Err(Refusal::TooLarge);
        }
        // A client that reads no response can't be told to retry, so it waits.
        let no_response = session.requests.want_no_response();
        let room = (!no_response).then_some(ROOM);
        let kibibytes = u32::try_from(size.div_ceil(1 << 10)).unwrap_or(MEMORY);
        let _memory = within(room, self.memory.acquire_many(kibibytes)).await?;
        let body = read(body, LARGEST).await?;
        if let Some(handshake) = self.shake_hands(&body, session) {
            return Ok(handshake);
        }
        let records = records(body, is_packed, default_type)?;
        if records.is_empty() {
            // Some clients test the connection like this.
            return Ok(Taken::Records(0));
        }
        let (count, mut ticket) = (records.len(), self.answers.wait_for(records.len()));
        let record = |(before, body): (u64, Vec<u8>)| {
            let position = Position { partition: ticket.number, offset: before + 1 };
            Record { position, body, time: None }
        };
        let records = (0_u64..).zip(records).map(record).collect();
        // After a stop only connections that are drained have a sender.
        let to = self.sender().ok_or(Refusal::Busy)?;
        within(room, to.send(records)).await?;
        drop(to);
        if !no_response {
            within(Some(SETTLE), &mut ticket.settled).await?;
        }
        Ok(Taken::Records(count))
    }

    /// Answers a handshake; `None` if the body is none. If it was good, what follows on the connection needs no token.
    fn shake_hands(&self, body: &[u8], session: &Session) -> Option<Taken> {
        let token = handshake::token_in(body)?;
        let success = self.tokens.take(&token);
        session.set_authenticated(success);
        Some(Taken::Handshake { success, response: handshake::answer(&token, success) })
    }
}

/// Waits for as long as the limit says, if there is one.
async fn within<T, E>(limit: Option<Duration>, future: impl Future<Output = Result<T, E>>) -> Result<T, Refusal> {
    let ended = match limit {
        Some(limit) => timeout(limit, future).await.map_err(|_| Refusal::Busy)?,
        None => future.await,
    };
    ended.map_err(|_| Refusal::Busy)
}

async fn read(body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    let whole = timeout(READ, Limited::new(body, limit).collect()).await.map_err(|_| Refusal::Slow)?;
    let whole =
        whole.map_err(|error| if error.is::<LengthLimitError>() { Refusal::TooLarge } else { Refusal::Damaged })?;
    Ok(whole.to_bytes())
}

fn records(mut body: Bytes, is_packed: bool, default_type: Option<&str>) -> Result<Vec<Vec<u8>>, Refusal> {
    if is_packed {
        let plain = body::unpack(&body, LARGEST).map_err(|_| Refusal::Damaged)?;
        body = plain.ok_or(Refusal::TooLarge)?.into();
    }
    body::records(&body, default_type).ok_or(Refusal::TooLarge)
}

/// Whether the client says this about the response that it wants.
fn says(headers: &HeaderMap, pragma: &str) -> bool {
    headers.get(PRAGMA).is_some_and(|said| said == pragma)
}

/// The default type of entities at a path; `None` for an unknown path.
fn default_type(path: &str) -> Option<Option<&'static str>> {
    let path = path.strip_prefix("/JESL").or_else(|| path.strip_prefix("/jesl")).unwrap_or(path);
    match path {
        "" | "/" | "/event" => Some(None),
        "/activity" => Some(Some("ACTIVITY")),
        "/snapshot" => Some(Some("SNAPSHOT")),
        "/log" => Some(Some("LOG")),
        "/dataset" => Some(Some("DATASET")),
        _ => None,
    }
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut said = headers.get_all(CONTENT_ENCODING).iter();
    match (said.next().map(HeaderValue::as_bytes), said.next()) {
        (None | Some(b"" | b"identity"), None) => Ok(false),
        (Some(b"gzip" | b"x-gzip"), None) => Ok(true),
        _ => Err(Refusal::Encoding),
    }
}
