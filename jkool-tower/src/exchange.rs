//! A request and its response, from the first to the last byte: its span, and what is recorded at the end.

use crate::names;
use crate::outcome::{End, GRPC_UNIMPLEMENTED, Outcome, Side};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use jkool_tracing::client::facade::now;
use jkool_tracing::model::{Event, Property, Text, Timestamp};
use jkool_tracing::{SpanExt, propagation};
use std::time::Instant;
use tracing::Span;
use tracing::field::Empty;

#[derive(Debug)]
pub(crate) struct Exchange {
    span: Span,
    side: Side,
    method: &'static str,
    /// The operation of the activity, and of its event.
    operation: String,
    /// The gRPC method, which is the path.
    grpc_path: Option<String>,
    /// The correlator of the events of both sides. `None` if no event is emitted.
    message_id: Option<Text>,
    start: Instant,
    start_time: Timestamp,
    status: Option<StatusCode>,
    grpc_status: Option<i32>,
    response_bytes: u64,
    ended: bool,
}

/// One span declaration for both sides: fields of the other side stay empty.
macro_rules! request_span {
    ($kind:literal, $method:expr, $operation:expr, $path:expr $(, $parent:ident: $none:expr)?) => {
        tracing::info_span!(
            target: "jkool_tower",
            $($parent: $none,)?
            "request",
            otel.kind = $kind,
            otel.name = $operation,
            otel.status_code = Empty,
            otel.status_description = Empty,
            http.request.method = $method,
            http.request.body.size = Empty,
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            http.route = Empty,
            url.path = $path,
            network.peer.address = Empty,
            network.peer.port = Empty,
            server.address = Empty,
            server.port = Empty,
            rpc.response.status_code = Empty,
            comp_code = Empty,
            reason_code = Empty,
            severity = Empty,
        )
    };
}

impl Exchange {
    /// Starts an incoming request. Its span has no local parent: it continues the trace of the caller, or starts a new one.
    pub(crate) fn received(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        extensions: &Extensions,
        size: Option<u64>,
        messages: bool,
    ) -> Self {
        let method = names::method(method);
        let operation = names::operation(extensions, method);
        let grpc_path = operation.is_none().then(|| grpc_path(uri, headers)).flatten();
        let operation = operation.unwrap_or_else(|| method.to_owned());
        let span = request_span!("server", method, operation, uri.path(), parent: None);
        let remote = propagation::extract(|name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()));
        span.set_remote_parent(&remote);
        if let Some(route) = names::route(extensions) {
            span.record("http.route", route);
        }
        if let Some(peer) = names::peer(extensions) {
            span.record("network.peer.address", tracing::field::display(peer.ip()));
            span.record("network.peer.port", peer.port());
        }
        // A client without a trace has emitted no SEND event, so there is nothing to correlate.
        let message_id = remote.trace_context().filter(|_| messages).map(|caller| caller.span_id().to_string().into());
        Self::begin(Side::Server, span, method, operation, grpc_path, size, message_id)
    }

    /// Starts an outgoing request in the current span, and sets the headers of the trace.
    pub(crate) fn made(
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        extensions: &Extensions,
        size: Option<u64>,
        messages: bool,
    ) -> Self {
        let method = names::method(method);
        let operation = names::operation(extensions, method).or_else(|| grpc_path(uri, headers));
        let operation = operation.unwrap_or_else(|| method.to_owned());
        let span = request_span!("client", method, operation, uri.path());
        if let Some(host) = uri.host() {
            span.record("server.address", host);
        }
        if let Some(port) = uri.port_u16() {
            span.record("server.port", port);
        }
        propagation::inject(&span, |name, value| {
            // Baggage that the program has set is newer.
            if name == propagation::BAGGAGE && headers.contains_key(name) {
                return;
            }
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        });
        let own = |span: &Span| span.trace_context().map(|context| context.span_id().to_string().into());
        let message_id = if messages { own(&span) } else { None };
        Self::begin(Side::Client, span, method, operation, None, size, message_id)
    }

    fn begin(
        side: Side,
        span: Span,
        method: &'static str,
        operation: String,
        grpc_path: Option<String>,
        size: Option<u64>,
        message_id: Option<Text>,
    ) -> Self {
        if let Some(size) = size {
            span.record("http.request.body.size", size);
        }
        Self {
            span,
            side,
            method,
            operation,
            grpc_path,
            message_id,
            start: now::instant(),
            start_time: now::timestamp(),
            status: None,
            grpc_status: None,
            response_bytes: 0,
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// The head of the response arrived. Returns the number of bytes to come, if known.
    pub(crate) fn head(&mut self, status: StatusCode, headers: &HeaderMap, extensions: &Extensions) -> Option<u64> {
        self.status = Some(status);
        if let Some(operation) = names::operation(extensions, self.method).filter(|_| self.side == Side::Server) {
            self.rename(operation);
        }
        self.trailers(headers);
        let path = self.grpc_path.take().filter(|_| is_grpc(headers) && self.grpc_status != Some(GRPC_UNIMPLEMENTED));
        if let Some(path) = path {
            self.rename(path);
        }
        let no_body = self.method == "HEAD"
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body { Some(0) } else { headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok() }
    }

    fn rename(&mut self, operation: String) {
        self.span.record("otel.name", &operation);
        self.operation = operation;
    }

    /// gRPC sends the status in the trailers, or in the headers if there is nothing else.
    pub(crate) fn trailers(&mut self, trailers: &HeaderMap) {
        let status = trailers.get("grpc-status").and_then(|status| status.to_str().ok()?.parse().ok());
        self.grpc_status = status.or(self.grpc_status);
    }

    /// Counts bytes of the response, and returns their total.
    pub(crate) fn count(&mut self, bytes: usize) -> u64 {
        self.response_bytes += bytes as u64;
        self.response_bytes
    }

    /// Records the outcome.
    fn tell(&mut self, end: End) {
        self.ended = true;
        let outcome = Outcome::of(self.side, self.status, self.grpc_status, end);
        let span = &self.span;
        if let Some(status) = self.status {
            span.record("http.response.status_code", status.as_u16());
            span.record("http.response.body.size", self.response_bytes);
            span.record("reason_code", status.as_u16());
        }
        if let Some(status) = self.grpc_status {
            span.record("rpc.response.status_code", status);
        }
        if !outcome.trouble.is_empty() {
            span.record("otel.status_description", &*outcome.trouble);
        }
        if outcome.failed() {
            span.record("otel.status_code", "ERROR");
        }
        span.record("comp_code", outcome.comp_code.to_string());
        span.record("severity", outcome.severity.to_string());
        if let Some(id) = self.message_id.take() {
            span.emit(self.message(id, outcome));
        }
    }

    /// The message event: SEND for a client, RECEIVE for a server.
    fn message(&self, id: Text, outcome: Outcome) -> Event {
        let mut event = Event::default();
        event.op_type = self.side.op_type();
        event.operation = self.operation.clone().into();
        event.severity = outcome.severity;
        event.comp_code = Some(outcome.comp_code);
        event.reason_code = self.status.map(|status| status.as_u16().into());
        event.exception = outcome.trouble.into_owned().into();
        event.correlators.push(id);
        event.time = Some(self.start_time);
        event.start_time = Some(self.start_time);
        let elapsed = now::instant().saturating_duration_since(self.start);
        event.elapsed_usec = Some(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX));
        event.complete_times();
        event.properties.push(Property::new("http.request.method", self.method));
        event
    }
}

/// The caller dropped the request, or the code that handles it panics.
impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(if std::thread::panicking() { End::Panicked } else { End::Dropped });
        }
    }
}

/// Active while code of the program handles a request: if that code panics, the request failed. Code that catches the panic
/// drops the request later, which would look like a caller that dropped it.
pub(crate) struct Working<'a>(pub(crate) &'a mut Option<Exchange>);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            end(self.0, End::Panicked);
        }
    }
}

/// Ends the request, if it has not ended yet.
pub(crate) fn end(exchange: &mut Option<Exchange>, how: End) {
    if let Some(mut exchange) = exchange.take() {
        exchange.tell(how);
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// The service and the method of a gRPC request.
fn grpc_path(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    is_grpc(headers).then(|| uri.path().trim_start_matches('/').to_owned())
}
