//! The layer for clients.

use crate::exchange::Exchange;
use crate::future::ResponseFuture;
use http::{Request, Response};
use http_body::Body;
use std::fmt;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A layer for clients that records each request as an activity in the current span, and sends the trace in headers. See the
/// [crate's documentation](crate).
///
/// With the feature `reqwest` it is also a middleware of `reqwest-middleware`. Add it inside of a retry layer: then each
/// attempt is an activity.
#[derive(Debug, Clone)]
pub struct ClientLayer {
    pub(crate) messages: bool,
}

impl ClientLayer {
    /// Creates a layer that also emits a SEND event for each request.
    pub fn new() -> Self {
        Self { messages: true }
    }

    /// Sets whether each request also emits a SEND event, which the collector's map needs. The default is true.
    #[must_use]
    pub fn messages(mut self, enabled: bool) -> Self {
        self.messages = enabled;
        self
    }
}

impl Default for ClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientService { inner, layer: self.clone() }
    }
}

/// A service whose requests are recorded as activities and carry the trace. Created by [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    B: Body,
    R: Body,
{
    type Response = Response<crate::ObservedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let size = request.body().size_hint().exact();
        let (mut parts, body) = request.into_parts();
        let exchange =
            Exchange::made(&parts.method, &parts.uri, &mut parts.headers, &parts.extensions, size, self.layer.messages);
        let request = Request::from_parts(parts, body);
        let inner = exchange.span().in_scope(|| self.inner.call(request));
        ResponseFuture::new(inner, exchange)
    }
}
