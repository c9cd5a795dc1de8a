//! Serves one connection.

use super::abort::AbortConnection;
use super::session::Session;
use super::shutdown::Shutdown;
use super::timeouts::TimeoutStream;
use crate::access::protect;
use crate::app::App;
use crate::error_response::ErrorResponse;
use crate::jkql;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_TYPE, PRAGMA};
use axum::http::{Method, Request, Response};
use axum::response::IntoResponse;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jkool_intake::{InProgress, NoResponseStream};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;
use tower_service::Service;

/// The maximum size of a request's head.
const HEAD: usize = 32 << 10;

/// The time in which further data from the client is read and discarded, so that the client receives the response.
const LINGER: Duration = Duration::from_secs(2);

/// Serves the requests of one connection until either side closes it.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    app: Arc<App>,
    router: Router,
    mut shutdown: Shutdown,
    evict_idle: Arc<Notify>,
) {
    let session = Arc::new(Session::default());
    let stream = NoResponseStream::new(stream, session.requests.clone());
    let stream = TimeoutStream::new(stream, Arc::clone(&session), app.limits, evict_idle);
    let service = {
        let (app, session, shutdown) = (Arc::clone(&app), Arc::clone(&session), shutdown.clone());
        service_fn(move |request| {
            let (app, router) = (Arc::clone(&app), router.clone());
            Box::pin(answer(request, app, router, Arc::clone(&session), shutdown.clone()))
        })
    };
    let mut http = http1::Builder::new();
    // Each response is flushed separately; `NoResponseStream` relies on this.
    http.half_close(true).pipeline_flush(false).max_header_size(HEAD).header_read_timeout(None);
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    let served = tokio::select! {
        served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => served,
        () = shutdown.wait() => {
            let last = poll_fn(|cx| {
                if !session.requests.drain() {
                    Pin::new(&mut connection).graceful_shutdown();
                }
                connection.poll_without_shutdown(cx)
            });
            return drop(last.await);
        }
    };
    if served.is_ok() && session.is_upgraded() {
        // A WebSocket may be idle without a limit.
        let _in_flight = session.requests.begin();
        let parts = connection.into_parts();
        return jkql::serve_socket(parts.io.into_inner(), parts.read_buf.to_vec(), app, session, shutdown).await;
    }
    // A client that was too slow gets no more time.
    if served.is_ok() || served.is_err_and(|error| error.is_parse()) {
        drop(timeout(LINGER, linger(connection.into_parts().io.into_inner())).await);
    }
}

/// Answers that there are too many connections.
pub(super) async fn turn_away(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    const ANSWER: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: application/json\r\n\
        connection: close\r\ncontent-length: 33\r\n\r\n{\"error\":\"too many connections\"}\n";
    let turned_away = async {
        stream.write_all(ANSWER.as_bytes()).await?;
        linger(stream).await
    };
    drop(timeout(LINGER, turned_away).await);
}

/// Closes the connection after the client has closed it: closing while data is unread would reset the connection, and
/// the client would lose the response.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut unread = vec![0; 16 << 10];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

async fn answer(
    request: Request<Incoming>,
    app: Arc<App>,
    mut router: Router,
    session: Arc<Session>,
    mut shutdown: Shutdown,
) -> Result<Response<ResponseBody>, AbortConnection> {
    let in_flight = session.requests.begin();
    let (mut head, body) = request.into_parts();
    session.requests.set_no_response(
        head.method == Method::POST && head.headers.get(PRAGMA).is_some_and(|said| said == "no-response"),
    );
    let mut response = match app.access.check(&head, session.is_authenticated()) {
        Ok(()) => {
            head.extensions.insert(session);
            let Ok(response) = router.call(Request::from_parts(head, Body::new(body))).await;
            response
        }
        Err(denied) => ErrorResponse::from(denied).into_response(),
    };
    if let Some(abort) = response.extensions().get::<AbortConnection>() {
        return Err(*abort);
    }
    protect(response.headers_mut());
    let endless = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    Ok(response.map(|body| {
        let end = endless.then(|| -> End { Box::pin(async move { shutdown.wait().await }) });
        ResponseBody { body, end, _in_flight: in_flight }
    }))
}

type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body of a response. As long as it exists, its request counts as in progress.
struct ResponseBody {
    body: Body,
    /// The event that ends an endless response.
    end: Option<End>,
    _in_flight: InProgress,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() && self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
