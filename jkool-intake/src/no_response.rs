//! A connection whose client doesn't read its answers.

use crate::requests::Requests;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long nothing may arrive until a connection that is drained has ended.
const QUIET: Duration = Duration::from_millis(200);

/// A connection that drops the answers to requests whose client said that it reads none (`Pragma: no-response`).
///
/// JESL sends its events so. At its end it sends a ping, waits for one answer, and closes the connection. With answers to its events before
/// that of the ping, it would take the first of them for the ping's, and what the server had not read yet would be lost. And both would wait
/// for each other as soon as the buffers between them were full.
///
/// Nobody sends such a request again, so a server that ends must not close the connection while some are unread: after [`Requests::drain`]
/// the stream ends when nothing has arrived for 200 ms and no request is being answered.
///
/// The server must flush each answer by itself, before it looks at the next request, and call [`poll_write`](AsyncWrite::poll_write) rather
/// than its vectored form.
#[derive(Debug)]
pub struct NoResponseStream<S> {
    stream: S,
    requests: Requests,
    /// So many bytes of an earlier answer come first, since the client was slow to read it.
    owed: usize,
    /// While the connection is drained and nothing arrives, until when it is read.
    quiet: Option<Pin<Box<Sleep>>>,
}

impl<S> NoResponseStream<S> {
    /// Drops answers to those of `requests` whose client reads none.
    pub fn new(stream: S, requests: Requests) -> Self {
        Self { stream, requests, owed: 0, quiet: None }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NoResponseStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, answer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let wanted = match this.requests.want_no_response() {
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
        let this = &mut *self;
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if read.is_ready() || !this.requests.is_drained() || this.requests.is_answering() {
            this.quiet = None;
            return read;
        }
        ready!(this.quiet.get_or_insert_with(|| Box::pin(sleep(QUIET))).as_mut().poll(cx));
        // The end.
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::{NoResponseStream, Requests};
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

    #[test]
    fn an_answer_that_was_begun_is_finished_before_others_are_dropped() {
        let requests = Requests::default();
        let (stream, mut client) = tokio::io::duplex(4);
        let mut stream = NoResponseStream::new(stream, requests.clone());
        let mut cx = Context::from_waker(Waker::noop());
        let mut write = |answer: &[u8]| std::pin::pin!(&mut stream).poll_write(&mut cx, answer).map(Result::unwrap);
        let mut read = |expected: &[u8]| {
            let (mut room, mut cx) = ([0; 16], Context::from_waker(Waker::noop()));
            let mut room = ReadBuf::new(&mut room);
            let _nothing_if_pending = std::pin::pin!(&mut client).poll_read(&mut cx, &mut room);
            assert_eq!(room.filled(), expected);
        };
        assert_eq!(write(b"wanted"), Poll::Ready(4));
        requests.set_no_response(true);
        assert_eq!(write(b"ed+unread"), Poll::Pending);
        read(b"want");
        assert_eq!(write(b"ed+unread"), Poll::Ready(2));
        assert_eq!(write(b"+unread"), Poll::Ready(7));
        assert_eq!(write(b"unread"), Poll::Ready(6));
        read(b"ed");
        requests.set_no_response(false);
        assert_eq!(write(b"ping"), Poll::Ready(4));
        read(b"ping");
    }

    /// The clock stands still until nothing else can happen.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_drained_ends_when_nothing_arrives_and_nothing_is_answered() {
        let requests = Requests::default();
        let (stream, mut client) = tokio::io::duplex(64);
        let mut stream = NoResponseStream::new(stream, requests.clone());
        let mut room = [0; 16];
        client.write_all(b"first").await.unwrap();
        assert!(requests.drain(), "no request was read");
        assert_eq!(stream.read(&mut room).await.unwrap(), 5);
        let request = requests.begin();
        requests.set_no_response(true);
        let far = std::time::Duration::from_secs(3600);
        assert!(tokio::time::timeout(far, stream.read(&mut room)).await.is_err(), "a body may take its time");
        drop(request);
        client.write_all(b"second").await.unwrap();
        assert_eq!(stream.read(&mut room).await.unwrap(), 6);
        assert_eq!(stream.read(&mut room).await.unwrap(), 0);
        // A client that reads its answers knows what was not taken.
        requests.set_no_response(false);
        assert!(!requests.drain());
    }
}
