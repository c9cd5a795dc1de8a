//! A connection over which nothing comes back.

use crate::connector::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};

pub(super) struct Connection(pub(super) Box<dyn Stream>);

impl Connection {
    /// Whether the other side has not ended it, as far as is known here. What it says is passed over.
    pub(super) async fn is_open(&mut self) -> bool {
        // So that the runtime looks at its sockets before: else the end would be known only later.
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

    /// Says that nothing more comes, and waits for the other side to say the same.
    pub(super) async fn end(mut self) -> io::Result<()> {
        self.0.shutdown().await?;
        let mut passed_over = [0; 256];
        loop {
            match self.0.read(&mut passed_over).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // TLS without a farewell: the other side has ended it after ours.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
