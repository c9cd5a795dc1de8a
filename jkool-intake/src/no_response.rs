//! A connection whose client doesn't read its answers.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that drops the answers to requests whose client said that it reads none (`Pragma: no-response`).
///
/// JESL sends its events so. At its end it sends a ping, waits for one answer, and closes the connection. With answers to its events before
/// that of the ping, it would take the first of them for the ping's, and what the server had not read yet would be lost. And both would wait
/// for each other as soon as the buffers between them were full.
///
/// The server must flush each answer by itself, before it looks at the next request, and call [`poll_write`](AsyncWrite::poll_write) rather
/// than its vectored form.
#[derive(Debug)]
pub struct NoResponseStream<S> {
    stream: S,
    no_response: Arc<AtomicBool>,
    /// So many bytes of an earlier answer come first, since the client was slow to read it.
    owed: usize,
}

impl<S> NoResponseStream<S> {
    /// Drops answers while `no_response` is true.
    pub fn new(stream: S, no_response: Arc<AtomicBool>) -> Self {
        Self { stream, no_response, owed: 0 }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NoResponseStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, answer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let wanted = match this.no_response.load(Ordering::Relaxed) {
            true => &answer[..this.owed.min(answer.len())],
            false => answer,
        };
        if wanted.is_empty() {
            return Poll::Ready(Ok(answer.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, wanted);
        this.owed = match &written {
            Poll::Ready(Ok(count)) => wanted.len() - count,
            _ => wanted.len(),
        };
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
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

#[cfg(test)]
mod tests {
    use super::{AtomicBool, NoResponseStream, Ordering};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

    #[test]
    fn an_answer_that_was_begun_is_finished_before_others_are_dropped() {
        let no_response = Arc::new(AtomicBool::new(false));
        let (stream, mut client) = tokio::io::duplex(4);
        let mut stream = NoResponseStream::new(stream, Arc::clone(&no_response));
        let mut cx = Context::from_waker(Waker::noop());
        let mut write = |answer: &[u8]| std::pin::pin!(&mut stream).poll_write(&mut cx, answer).map(Result::unwrap);
        let mut read = |expected: &[u8]| {
            let (mut room, mut cx) = ([0; 16], Context::from_waker(Waker::noop()));
            let mut room = ReadBuf::new(&mut room);
            let _nothing_if_pending = std::pin::pin!(&mut client).poll_read(&mut cx, &mut room);
            assert_eq!(room.filled(), expected);
        };
        assert_eq!(write(b"wanted"), Poll::Ready(4));
        no_response.store(true, Ordering::Relaxed);
        assert_eq!(write(b"ed+unread"), Poll::Pending);
        read(b"want");
        assert_eq!(write(b"ed+unread"), Poll::Ready(2));
        assert_eq!(write(b"+unread"), Poll::Ready(7));
        assert_eq!(write(b"unread"), Poll::Ready(6));
        read(b"ed");
        no_response.store(false, Ordering::Relaxed);
        assert_eq!(write(b"ping"), Poll::Ready(4));
        read(b"ping");
    }
}
