//! The server: one thread, any number of connections.

use crate::Received;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::CONTENT_ENCODING;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jkool_model::Value;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The longest body that is taken, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Takes events as the service does, `POST {url}/{kind}` with a token, and remembers them. Dropping it ends it.
#[derive(Debug)]
pub struct Endpoint {
    url: String,
    inbox: Inbox,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on a free port of this machine, for this machine alone.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let url = format!("http://{}", listener.local_addr()?);
        let inbox = Inbox::default();
        let (stop, stopped) = oneshot::channel();
        let serve = serve(listener, inbox.clone(), stopped);
        let thread =
            std::thread::Builder::new().name("jkool-endpoint".into()).spawn(move || runtime.block_on(serve))?;
        Ok(Self { url, inbox, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it took, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.inbox.lock().clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It serves nobody any more, so a panic there is no news.
            drop(thread.join());
        }
    }
}

/// What was taken, shared by all connections.
#[derive(Debug, Clone, Default)]
struct Inbox(Arc<Mutex<Vec<Received>>>);

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, inbox: Inbox, mut stopped: oneshot::Receiver<Infallible>) {
    // Dropped at the end, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, inbox.clone()));
                }
                // Out of file handles, most likely: the next connection has to wait for another one's end.
                Err(_) if !connections.is_empty() => {
                    connections.join_next().await;
                }
                Err(_) => return,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, inbox: Inbox) {
    let service = service_fn(|request| answer(request, &inbox));
    // What is no HTTP, hyper answers with 400 by itself; how the connection ends interests nobody.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(request: Request<Incoming>, inbox: &Inbox) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match take(request, inbox).await {
        Ok(()) => (StatusCode::ACCEPTED, String::new()),
        Err((status, text)) => (status, text),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    Ok(response)
}

async fn take(request: Request<Incoming>, inbox: &Inbox) -> Result<(), (StatusCode, String)> {
    let refusal = |status, text: &str| (status, format!("{text}\n"));
    let (head, body) = request.into_parts();
    if !["x-api-key", "token"].iter().any(|name| head.headers.get(*name).is_some_and(|token| !token.is_empty())) {
        return Err(refusal(StatusCode::UNAUTHORIZED, "a token is wanted, in the header X-API-Key or token"));
    }
    if head.method != Method::POST {
        return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "only POST"));
    }
    if head.headers.contains_key(CONTENT_ENCODING) {
        return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only plain bodies"));
    }
    // Refused by its announced length already, so that nobody waits for the rest of it.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "too large"));
    }
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "too large"));
        }
        Err(_) => return Err(refusal(StatusCode::BAD_REQUEST, "the body was cut off")),
    };
    let entities = read(&body).map_err(|reason| refusal(StatusCode::BAD_REQUEST, &reason))?;
    inbox.lock().extend(entities.into_iter().map(|entity| Received::new(&head, entity)));
    Ok(())
}

/// One JSON object, or several on a line each; all or none.
fn read(body: &[u8]) -> Result<Vec<Value>, String> {
    let entities: Vec<Value> = serde_json::Deserializer::from_slice(body)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("no JSON: {error}"))?;
    match entities.iter().all(|entity| matches!(entity, Value::Map(_))) {
        true if !entities.is_empty() => Ok(entities),
        _ => Err("JSON objects are wanted".into()),
    }
}
