//! JSON lines on standard output.

use crate::error::{ErrorKind, TransportError};
use crate::payload::Payload;
use crate::receipt::{Disposition, Failure, Receipt};
use crate::serial::Serial;
use crate::transport::Transport;
use async_trait::async_trait;
use std::fmt;
use std::io::{self, Write};

/// Writes each payload as a line to standard output, for programs whose output is collected by their environment, such as
/// containers. `jkool send` reads the output.
///
/// *Delivered* means that standard output accepted the line. If standard output fails in the middle of a line, the line is
/// terminated before the next one.
///
/// ```
/// use jkool_transport::{Kind, Payload, StdoutTransport, Transport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let transport = StdoutTransport::new();
/// let payload = Payload::new(Kind::Event, r#"{"type":"EVENT","operation":"ProcessOrder"}"#);
/// assert!(transport.send(&[payload]).await.is_delivered());
/// # }
/// ```
pub struct StdoutTransport(Serial<Lines<io::Stdout>>);

/// The output, and whether its last line is incomplete.
struct Lines<W> {
    out: W,
    torn: bool,
}

impl StdoutTransport {
    /// Creates a transport to the standard output of this process.
    pub fn new() -> Self {
        Self(Serial::new(Lines { out: io::stdout(), torn: false }))
    }
}

impl Default for StdoutTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Write> Lines<W> {
    fn write(&mut self, payloads: &[Payload]) -> io::Result<()> {
        // After an error, a part of it was written.
        if std::mem::replace(&mut self.torn, true) {
            self.out.write_all(b"\n")?;
        }
        for piece in Payload::lines(payloads) {
            self.out.write_all(&piece)?;
        }
        self.out.flush()?;
        self.torn = false;
        Ok(())
    }
}

#[async_trait]
impl Transport for StdoutTransport {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        let (len, payloads) = (batch.len(), batch.to_vec());
        match self.0.run(move |lines| lines.write(&payloads)).await {
            Ok(Ok(())) => Receipt::delivered(len),
            Ok(Err(error)) => {
                let error =
                    TransportError::new(ErrorKind::Interrupted, "standard output cannot be written").with_source(error);
                Receipt::failed(len, Failure::new(Disposition::Retry { after: None }, error).in_doubt())
            }
            Err(failure) => Receipt::failed(len, failure),
        }
    }

    fn max_batch(&self) -> usize {
        512
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.0.close().await;
        Ok(())
    }
}

impl fmt::Debug for StdoutTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdoutTransport").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::payload::{Kind, Payload};
    use std::io::{self, Write};

    /// Takes `room` bytes, and then no more.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.taken.extend_from_slice(&bytes[..count]);
            self.room -= count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let mut lines = Lines { out: Narrow { taken: Vec::new(), room: 6 }, torn: false };
        let payloads = [Payload::new(Kind::Event, "{1}"), Payload::new(Kind::Event, "{2}")];
        assert!(lines.write(&payloads).is_err());
        lines.out.room = 100;
        lines.write(&payloads).expect("room");
        assert_eq!(lines.out.taken, b"{1}\n{2\n{1}\n{2}\n");
    }
}
