//! Reads the body of a request, within limits.

use crate::error_response::ErrorResponse;
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The memory for all bodies, so that many large ones at the same time do not exhaust it.
#[derive(Debug, Clone)]
pub(crate) struct BodyMemory(Arc<Semaphore>);

/// A part of that memory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: BodyMemory,
    permits: Vec<OwnedSemaphorePermit>,
    /// The reserved bytes, and the used part of them.
    held: usize,
    used: usize,
}

/// The number of bytes that are reserved at a time.
const STEP: usize = 64 << 10;

/// The minimum number of bytes that must arrive within a timeout, unless the body ends.
const PROGRESS: usize = 16 << 10;

impl BodyMemory {
    /// For bodies with a maximum size of `largest` bytes.
    pub(crate) fn for_bodies(largest: usize) -> Self {
        let bytes = largest.saturating_mul(4).max(128 << 20);
        Self(Arc::new(Semaphore::new((bytes / STEP).min(Semaphore::MAX_PERMITS))))
    }

    pub(crate) fn reserve(&self) -> Reservation {
        Reservation { memory: self.clone(), permits: Vec::new(), held: 0, used: 0 }
    }
}

impl Reservation {
    /// Reserves this number of further bytes.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ErrorResponse> {
        self.used += bytes;
        while self.used > self.held {
            let permit = Arc::clone(&self.memory.0).try_acquire_owned().map_err(|_| ErrorResponse::Busy)?;
            self.permits.push(permit);
            self.held += STEP;
        }
        Ok(())
    }
}

/// Reads all of `body`, at most `limit` bytes. Some data must arrive within each `body_timeout`.
pub(crate) async fn read(
    body: Body,
    limit: usize,
    body_timeout: Duration,
    reservation: &mut Reservation,
) -> Result<Bytes, ErrorResponse> {
    // The announced length exceeds the limit: nothing is read.
    if usize::try_from(body.size_hint().lower()).map_or(true, |said| said > limit) {
        return Err(ErrorResponse::TooLarge(limit));
    }
    let (mut body, mut whole) = (body, BytesMut::new());
    loop {
        let before = whole.len();
        // One deadline for some kilobytes, not one for each read.
        let ended = timeout(body_timeout, async {
            while whole.len() < before + PROGRESS {
                let Some(frame) = body.frame().await else { return Ok(true) };
                let Ok(data) = frame.map_err(ErrorResponse::Broken)?.into_data() else { continue };
                if whole.len() + data.len() > limit {
                    return Err(ErrorResponse::TooLarge(limit));
                }
                reservation.grow(data.len())?;
                if whole.is_empty() && body.is_end_stream() {
                    whole = BytesMut::from(data);
                    return Ok(true);
                }
                whole.extend_from_slice(&data);
            }
            Ok(false)
        });
        if ended.await.map_err(|_| ErrorResponse::TooSlow)?? {
            return Ok(whole.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyMemory, ErrorResponse};

    #[test]
    fn there_is_room_for_so_much_and_it_is_given_back() {
        let memory = BodyMemory::for_bodies(1 << 20);
        let (mut first, mut second) = (memory.reserve(), memory.reserve());
        assert!(first.grow(1).is_ok() && first.grow((128 << 20) - 1).is_ok());
        assert!(matches!(second.grow(1), Err(ErrorResponse::Busy)));
        drop(first);
        assert!(memory.reserve().grow(128 << 20).is_ok());
        assert!(BodyMemory::for_bodies(64 << 20).reserve().grow(256 << 20).is_ok());
        assert!(BodyMemory::for_bodies(usize::MAX).reserve().grow(1 << 30).is_ok());
    }
}
