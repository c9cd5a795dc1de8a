//! Receives entities over plain TCP: one JSON document per line, without responses.

use super::LARGE;
use super::batch::{Batch, ParseOptions, Refused};
use crate::app::App;
use crate::server::shutdown::Shutdown;
use crate::store::{Appended, StoreErrorKind};
use bytes::{Bytes, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::sleep;

/// The maximum length of a line in bytes.
const LONGEST: usize = 1 << 20;

/// The minimum number of bytes that are read at a time.
const STEP: usize = 16 << 10;

/// The pauses before retries if the store is busy, and if it fails.
const SOON: Duration = Duration::from_millis(50);
const LATER: Duration = Duration::from_secs(1);

/// Stores the lines of one client until it closes the connection. While the store is busy nothing is read, so that the
/// client waits.
pub(crate) async fn serve(app: Arc<App>, mut stream: impl AsyncRead + Unpin, peer: SocketAddr, mut shutdown: Shutdown) {
    let mut client = Client { app, peer, lines: 0 };
    let mut buffer = BytesMut::new();
    let (mut begun, mut skipping) = (false, false);
    loop {
        let before = buffer.len();
        buffer.reserve(STEP);
        let ended = tokio::select! {
            read = stream.read_buf(&mut buffer) => !matches!(read, Ok(1..)),
            () = shutdown.wait() => true,
        };
        if !begun {
            match buffer.trim_ascii_start().first() {
                None => {}
                Some(b'{' | b'[' | b'\xef') => begun = true,
                // A browser can be made to send requests to any port; they do not start like JSON.
                Some(_) => return client.refuse("the first line is not JSON; connection closed"),
            }
        }
        let fresh = buffer.get(before..).unwrap_or_default();
        if let Some(last) = fresh.iter().rposition(|byte| *byte == b'\n') {
            let mut lines = buffer.split_to(before + last + 1).freeze();
            if std::mem::take(&mut skipping) {
                let end = lines.iter().position(|byte| *byte == b'\n').unwrap_or_default();
                drop(lines.split_to(end));
            }
            if !client.take(lines).await {
                return;
            }
        }
        if buffer.len() > LONGEST && !skipping {
            client.refuse(&format!("a line is longer than {LONGEST} bytes"));
            skipping = true;
        }
        if skipping {
            buffer.clear();
        }
        if ended {
            client.take(buffer.freeze()).await;
            return;
        }
    }
}

struct Client {
    app: Arc<App>,
    peer: SocketAddr,
    /// The number of lines before the current ones.
    lines: usize,
}

impl Client {
    /// Stores some lines, with retries until it succeeds; returns `false` if the store is closed.
    async fn take(&mut self, lines: Bytes) -> bool {
        if lines.is_empty() {
            return true;
        }
        let mut told = false;
        loop {
            let mut batch = self.read(Bytes::clone(&lines)).await;
            let wait = match self.app.keep(&mut batch).await {
                Ok(_) => {
                    self.tell(&batch);
                    self.lines += lines.iter().filter(|byte| **byte == b'\n').count();
                    return true;
                }
                Err(error) if error.kind() == StoreErrorKind::Closed => return false,
                Err(error) if error.kind() == StoreErrorKind::Busy => SOON,
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        self.app.counters.note(format!("{} waits: {error}", self.peer));
                    }
                    LATER
                }
            };
            sleep(wait).await;
        }
    }

    async fn read(&self, lines: Bytes) -> Batch {
        let (now, size) = (self.app.clock.now(), lines.len());
        let read = move || Batch::read(&lines, ParseOptions { default_type: None, multi_line: false }, now);
        if size > LARGE { tokio::task::spawn_blocking(read).await.unwrap_or_default() } else { read() }
    }

    fn refuse(&self, why: &str) {
        self.app.counters.count(Appended::default(), 1, 0);
        self.app.counters.note(format!("{}: {why}", self.peer));
    }

    fn tell(&self, batch: &Batch) {
        for Refused { line, column, error } in &batch.refused {
            let line = self.lines + line;
            self.app.counters.note(format!("{}, line {line}, column {column}: {error}", self.peer));
        }
        if batch.refused_more > 0 {
            self.app.counters.note(format!("{}: {} more lines were rejected", self.peer, batch.refused_more));
        }
    }
}
