//! The body of a response, whose bytes are counted.

use crate::exchange::{Exchange, Working, end};
use crate::outcome::End;
use bytes::Buf;
use http::{Extensions, HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The body of a response, whose bytes are counted. The request's activity ends with the body, or when the body is dropped
    /// before its end.
    #[derive(Debug)]
    pub struct ObservedBody<B> {
        #[pin]
        inner: B,
        exchange: Option<Exchange>,
        // The content length: a reader that has all bytes need not poll again.
        expected: Option<u64>,
    }
}

impl<B: Body> ObservedBody<B> {
    pub(crate) fn new(
        inner: B,
        exchange: Option<Exchange>,
        status: StatusCode,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Self {
        let mut body = Self { inner, exchange, expected: None };
        body.expected = body.exchange.as_mut().and_then(|exchange| exchange.head(status, headers, extensions));
        if body.inner.is_end_stream() || body.expected == Some(0) {
            end(&mut body.exchange, End::Complete);
        }
        body
    }
}

impl<B> Body for ObservedBody<B>
where
    B: Body,
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let polled = {
            let working = Working(this.exchange);
            let _entered = working.0.as_ref().map(|exchange| exchange.span().enter());
            this.inner.as_mut().poll_frame(context)
        };
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                let mut complete = this.inner.is_end_stream();
                if let Some(exchange) = this.exchange {
                    if let Some(data) = frame.data_ref() {
                        let bytes = exchange.count(data.remaining());
                        complete |= this.expected.is_some_and(|expected| bytes >= expected);
                    }
                    if let Some(trailers) = frame.trailers_ref() {
                        exchange.trailers(trailers);
                    }
                }
                if complete {
                    end(this.exchange, End::Complete);
                }
            }
            Some(Err(error)) => end(this.exchange, End::Failed(error.to_string())),
            None => end(this.exchange, End::Complete),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
