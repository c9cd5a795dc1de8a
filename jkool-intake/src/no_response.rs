//! A connection whose client doesn't read its answers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that drops answers that a client doesn't take if it said so (`Pragma: no-response`): else both would wait
/// for each other as soon as the buffers between them are full. What was begun is finished, so that the answer it does
/// read in the end (it asks for one when it closes) is a whole one: every write is one answer to a POST, or part of an
/// answer that is not dropped.
#[derive(Debug)]
pub struct NoResponseStream<S> {
    stream: S,
    no_response: Arc<AtomicBool>,
    /// The rest of an answer that was begun.
    rest: Vec<u8>,
}

impl<S: AsyncWrite + Unpin> NoResponseStream<S> {
    /// Drops answers while `no_response` is true.
    pub fn new(stream: S, no_response: Arc<AtomicBool>) -> Self {
        Self { stream, no_response, rest: Vec::new() }
    }

    fn no_response(&self) -> bool {
        self.no_response.load(Ordering::Relaxed)
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NoResponseStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, answer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = match this.poll_rest(cx)? {
            Poll::Ready(()) => Pin::new(&mut this.stream).poll_write(cx, answer)?,
            Poll::Pending => Poll::Pending,
        };
        match written {
            Poll::Pending if this.no_response() => Poll::Ready(Ok(answer.len())),
            Poll::Ready(written) if this.no_response() => {
                this.rest = answer.get(written..).unwrap_or_default().to_vec();
                Poll::Ready(Ok(answer.len()))
            }
            other => other.map(Ok),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match self.poll_rest(cx)? {
            Poll::Ready(()) => Pin::new(&mut self.stream).poll_flush(cx)?,
            Poll::Pending => Poll::Pending,
        };
        if self.no_response() { Poll::Ready(Ok(())) } else { flushed.map(Ok) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for NoResponseStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}
