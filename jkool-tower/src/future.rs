//! The future of a response, polled in the span of its request.

use crate::body::ObservedBody;
use crate::exchange::{Exchange, Working, end};
use crate::outcome::End;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tracing::Instrument;
use tracing::instrument::Instrumented;

pin_project! {
    /// The future of a response. If it is dropped before it is ready, the request's activity records that.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Instrumented<F>,
        exchange: Option<Exchange>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, exchange: Exchange) -> Self {
        Self { inner: inner.instrument(exchange.span().clone()), exchange: Some(exchange) }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: fmt::Display,
{
    type Output = Result<Response<ObservedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let working = Working(this.exchange);
        let polled = this.inner.poll(context);
        drop(working);
        let result = ready!(polled);
        if let Err(error) = &result {
            end(this.exchange, End::Failed(error.to_string()));
        }
        Poll::Ready(result.map(|response| observe(response, this.exchange.take())))
    }
}

/// The response, with its body counted.
pub(crate) fn observe<B: Body>(response: Response<B>, exchange: Option<Exchange>) -> Response<ObservedBody<B>> {
    let (parts, body) = response.into_parts();
    let body = ObservedBody::new(body, exchange, parts.status, &parts.headers, &parts.extensions);
    Response::from_parts(parts, body)
}
