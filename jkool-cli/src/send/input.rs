//! The input of `send`: a file, compressed or not, or standard input.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, SystemTime};

/// The next piece of input.
pub(super) enum Next {
    Bytes(Vec<u8>),
    /// Nothing arrived for a while; more may follow.
    Quiet,
    End,
}

pub(super) enum Input {
    File(Box<dyn Read + Send>),
    /// Read by a thread of its own, so that a pause is noticed.
    Stream(Receiver<io::Result<Vec<u8>>>),
}

/// An open file.
pub(super) struct Opened {
    pub(super) input: Input,
    /// Its size on disk, and the time of the last change.
    pub(super) len: Option<u64>,
    pub(super) modified: Option<SystemTime>,
}

const PIECE: usize = 256 << 10;

/// After a pause of this length the input so far is taken as complete.
const QUIET: Duration = Duration::from_millis(500);

impl Input {
    /// Opens a file. `read` counts the bytes that were read, before decompression.
    pub(super) fn file(path: &Path, read: Arc<AtomicU64>) -> io::Result<Opened> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is a folder"));
        }
        let (mut magic, is_file) = (Vec::new(), metadata.is_file());
        file.by_ref().take(2).read_to_end(&mut magic)?;
        let is_gzip = magic == [0x1f, 0x8b];
        let counted = Counted { inner: io::Cursor::new(magic).chain(file), read };
        let input: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
        let (len, modified) = (is_file.then_some(metadata.len()), metadata.modified().ok().filter(|_| is_file));
        Ok(Opened { input: Self::File(input), len, modified })
    }

    /// Empty input.
    pub(super) fn none() -> Self {
        Self::File(Box::new(io::empty()))
    }

    /// Standard input; `read` counts its bytes.
    pub(super) fn stdin(read: Arc<AtomicU64>) -> Self {
        let (to, from) = sync_channel(4);
        let mut input = Counted { inner: io::stdin(), read };
        // The thread ends at the end of the input, or when the receiver is gone.
        std::thread::spawn(move || {
            loop {
                let piece = piece(&mut input);
                let is_last = !matches!(&piece, Ok(bytes) if !bytes.is_empty());
                if to.send(piece).is_err() || is_last {
                    return;
                }
            }
        });
        Self::Stream(from)
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        let piece = match self {
            Self::File(file) => piece(file)?,
            Self::Stream(stream) => match stream.recv_timeout(QUIET) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Timeout) => return Ok(Next::Quiet),
                Err(RecvTimeoutError::Disconnected) => return Ok(Next::End),
            },
        };
        Ok(if piece.is_empty() { Next::End } else { Next::Bytes(piece) })
    }
}

/// Reads as much as is available; empty at the end.
fn piece(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(read) => {
                piece.truncate(read);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
