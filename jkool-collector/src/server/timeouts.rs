//! Closes connections whose clients are too slow.

use super::session::Session;
use crate::app::Limits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep};

/// A stream that fails when its client is too slow: idle between requests, slow to send the head of a request, or not
/// reading a response. The timeout for bodies is in the code that reads them. If there is no room for another
/// connection, the one that has been idle longest is closed.
pub(super) struct TimeoutStream<S> {
    stream: S,
    session: Arc<Session>,
    limits: Limits,
    state: ReadState,
    /// The number of started requests at the last check.
    begun: usize,
    /// The deadline for the next data.
    read_deadline: Pin<Box<Sleep>>,
    /// Wakes the connection that has waited longest.
    evict_idle: Arc<Notify>,
    /// The wait for `evict_idle` while the connection is idle.
    eviction: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Whether this connection was woken; polls after that report it again.
    is_evicted: bool,
    /// The deadline for reading a response, while one waits to be read.
    write_deadline: Option<Pin<Box<Sleep>>>,
}

/// The data that is expected from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadState {
    /// The next request, if there is one.
    Request,
    /// The rest of a request's head.
    Head,
    /// A body, or nothing while a request is answered.
    Other,
}

impl<S> TimeoutStream<S> {
    pub(super) fn new(stream: S, session: Arc<Session>, limits: Limits, evict_idle: Arc<Notify>) -> Self {
        let read_deadline = Box::pin(sleep(limits.idle_timeout));
        Self {
            stream,
            session,
            limits,
            state: ReadState::Request,
            begun: 0,
            read_deadline,
            evict_idle,
            eviction: None,
            is_evicted: false,
            write_deadline: None,
        }
    }

    /// Polls whether this connection must make room for another one.
    fn poll_eviction(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_evicted {
            return Poll::Ready(());
        }
        let evict_idle = &self.evict_idle;
        let eviction = self.eviction.get_or_insert_with(|| {
            let evict_idle = Arc::clone(evict_idle);
            Box::pin(async move { evict_idle.notified().await })
        });
        ready!(eviction.as_mut().poll(cx));
        (self.eviction, self.is_evicted) = (None, true);
        Poll::Ready(())
    }

    fn await_within(&mut self, state: ReadState, timeout: Duration) {
        self.state = state;
        // A year is as good as no deadline.
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        self.read_deadline.as_mut().reset(Instant::now() + timeout.min(YEAR));
    }
}

fn too_slow() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = this.begun;
        this.begun = this.session.requests.begun();
        if this.session.requests.is_answering() {
            this.state = ReadState::Other;
        } else if this.begun != before || this.state == ReadState::Other {
            this.await_within(ReadState::Request, this.limits.idle_timeout);
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending if this.state == ReadState::Request && this.poll_eviction(cx).is_ready() => {
                Poll::Ready(Err(too_slow()))
            }
            Poll::Pending if this.state != ReadState::Other => {
                ready!(this.read_deadline.as_mut().poll(cx));
                Poll::Ready(Err(too_slow()))
            }
            polled => {
                this.eviction = None;
                if this.state == ReadState::Request && buf.filled().len() > before {
                    this.await_within(ReadState::Head, this.limits.head_timeout);
                }
                polled
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> TimeoutStream<S> {
    /// Returns the result of a write or flush, or an error if the client has read nothing for too long.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_deadline = None;
            return written;
        }
        let timeout = self.limits.idle_timeout;
        ready!(self.write_deadline.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx));
        Poll::Ready(Err(too_slow()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.in_time(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.in_time(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::{Session, TimeoutStream};
    use crate::app::Limits;
    use std::io::ErrorKind;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::AsyncReadExt;
    use tokio::sync::Notify;

    /// A stream that failed may be read again.
    #[tokio::test]
    async fn a_connection_that_gives_way_does_so_for_good() {
        let timeout = Duration::from_secs(3600);
        let limits =
            Limits { body: 1, connections: 1, head_timeout: timeout, body_timeout: timeout, idle_timeout: timeout };
        let (stream, _client) = tokio::io::duplex(64);
        let evict_idle = Arc::new(Notify::new());
        let mut stream = TimeoutStream::new(stream, Arc::new(Session::default()), limits, Arc::clone(&evict_idle));
        evict_idle.notify_one();
        for _ in 0..2 {
            let error = stream.read_u8().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
    }
}
