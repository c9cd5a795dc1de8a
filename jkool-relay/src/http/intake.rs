//! One request: its authorization, its records and its answer.

use super::answers::Answers;
use super::body;
use crate::source::{Position, Record};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// The maximum size of a body, also after decompression.
const LARGEST: usize = 4 << 20;
/// The limit for the bodies of all requests that are not answered yet, in KiB.
const MEMORY: u32 = 64 << 10;
/// The timeout for reading a body.
const READ: Duration = Duration::from_secs(30);
/// How long a request waits for room, and for its records to be settled. Clients wait for 30 seconds or more.
const ROOM: Duration = Duration::from_secs(5);
const SETTLE: Duration = Duration::from_secs(20);

pub(super) struct Intake {
    to: mpsc::WeakSender<Vec<Record>>,
    answers: Arc<Answers>,
    token: Option<Box<[u8]>>,
    memory: Arc<Semaphore>,
}

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
    pub(super) fn new(to: mpsc::WeakSender<Vec<Record>>, answers: Arc<Answers>, token: Option<&str>) -> Self {
        let memory = Arc::new(Semaphore::new(MEMORY as usize));
        Self { to, answers, token: token.map(|token| token.as_bytes().into()), memory }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let taken = self.take(request).await;
        let (status, text) = match &taken {
            Ok(records) => (StatusCode::OK, format!("{{\"accepted\":{records}}}\n")),
            Err(refusal) => (refusal.status(), format!("{}\n", serde_json::json!({ "error": refusal.to_string() }))),
        };
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if taken == Err(Refusal::Busy) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// Passes the records of a request on, and waits until they are settled. Returns their number.
    async fn take(&self, request: Request<Incoming>) -> Result<usize, Refusal> {
        let default_type = default_type(request.uri().path()).ok_or(Refusal::Path)?;
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        let headers = request.headers();
        if headers.contains_key(ORIGIN) {
            return Err(Refusal::Origin);
        }
        if !self.token.as_ref().is_none_or(|token| is_offered(headers, token)) {
            return Err(Refusal::Token);
        }
        let is_packed = is_packed(headers)?;
        let said = request.body().size_hint().upper().filter(|_| !is_packed);
        let size = said.map_or(LARGEST, |said| usize::try_from(said).unwrap_or(usize::MAX));
        if size > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let kibibytes = u32::try_from(size.div_ceil(1 << 10)).unwrap_or(MEMORY);
        let room = timeout(ROOM, self.memory.acquire_many(kibibytes)).await;
        let _room = room.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Busy)?;
        let records = read(request.into_body(), is_packed, default_type).await?;
        if records.is_empty() {
            // Some clients test the connection like this.
            return Ok(0);
        }
        let (count, mut ticket) = (records.len(), self.answers.wait_for(records.len()));
        let record = |(before, body): (u64, Vec<u8>)| {
            let position = Position { partition: ticket.number, offset: before + 1 };
            Record { position, body, time: None }
        };
        let records = (0_u64..).zip(records).map(record).collect();
        // After a stop there is no sender.
        let to = self.to.upgrade().ok_or(Refusal::Busy)?;
        timeout(ROOM, to.send(records)).await.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Busy)?;
        drop(to);
        timeout(SETTLE, &mut ticket.settled).await.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Busy)?;
        Ok(count)
    }
}

/// Hides the token.
impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("needs_token", &self.token.is_some()).finish_non_exhaustive()
    }
}

async fn read(body: Incoming, is_packed: bool, default_type: Option<&str>) -> Result<Vec<Vec<u8>>, Refusal> {
    let whole = timeout(READ, Limited::new(body, LARGEST).collect()).await.map_err(|_| Refusal::Slow)?;
    let whole =
        whole.map_err(|error| if error.is::<LengthLimitError>() { Refusal::TooLarge } else { Refusal::Damaged })?;
    let mut body = whole.to_bytes();
    if is_packed {
        let plain = body::unpack(&body, LARGEST).map_err(|_| Refusal::Damaged)?;
        body = plain.ok_or(Refusal::TooLarge)?.into();
    }
    body::records(&body, default_type).ok_or(Refusal::TooLarge)
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

/// Whether the headers contain the token.
fn is_offered(headers: &HeaderMap, token: &[u8]) -> bool {
    let own = ["x-api-key", "token"].into_iter().flat_map(|name| headers.get_all(name)).map(HeaderValue::as_bytes);
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
    });
    own.chain(bearer).any(|offered| same(token, offered.trim_ascii()))
}

/// Compares in constant time, so the duration reveals only the length.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (one, other)| black_box(differ | (one ^ other)));
    one.len() == other.len() && differ == 0
}
