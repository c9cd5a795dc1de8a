//! The layer for servers.

use crate::exchange::Exchange;
use crate::future::ResponseFuture;
use http::{Request, Response};
use http_body::Body;
use std::fmt;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A layer for servers that records each request as an activity. See the [crate's documentation](crate).
///
/// With axum, add it by `Router::layer`, where the matched path is known. Layers that are added later are outside of it.
#[derive(Debug, Clone)]
pub struct ServerLayer {
    messages: bool,
}

impl ServerLayer {
    /// Creates a layer that also emits a RECEIVE event for each request.
    pub fn new() -> Self {
        Self { messages: true }
    }

    /// Sets whether each request of a client that sends a trace also emits a RECEIVE event, which the collector's map needs.
    /// The default is true.
    #[must_use]
    pub fn messages(mut self, enabled: bool) -> Self {
        self.messages = enabled;
        self
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService { inner, layer: self.clone() }
    }
}

/// A service whose requests are recorded as activities. Created by [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
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
        let exchange = Exchange::received(
            request.method(),
            request.uri(),
            request.headers(),
            request.extensions(),
            request.body().size_hint().exact(),
            self.layer.messages,
        );
        let inner = exchange.span().in_scope(|| self.inner.call(request));
        ResponseFuture::new(inner, exchange)
    }
}
