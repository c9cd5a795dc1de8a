//! A connection without responses.

use crate::connector::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};

pub(super) struct Connection(pub(super) Box<dyn Stream>);

impl Connection {
    /// Whether the other side has not closed it, as far as is known. What it sends is ignored.
    pub(super) async fn is_open(&mut self) -> bool {
        // Lets the runtime poll its sockets first; otherwise the close would be noticed only later.
        tokio::task::yield_now().await;
        let stream = &mut self.0;
        poll_fn(|context| {
            let mut room = [0; 256];
            loop {
                let mut read = ReadBuf::new(&mut room);
                match Pin::new(&mut **stream).poll_read(context, &mut read) {
                    Poll::Pending => return Poll::Ready(true),
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                    Poll::Ready(_) => return Poll::Ready(false),
                }
            }
        })
        .await
    }

    pub(super) async fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.0.write_all(lines).await?;
        self.0.flush().await
    }

    /// Closes the sending side, and waits for the other side to close too.
    pub(super) async fn end(mut self) -> io::Result<()> {
        self.0.shutdown().await?;
        let mut passed_over = [0; 256];
        loop {
            match self.0.read(&mut passed_over).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // TLS without close_notify: the other side closed after we did.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
