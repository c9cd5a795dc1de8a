//! A request's body, as far as it may go.

use crate::refusal::Refusal;
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The room for all bodies together, so that many large ones at the same time don't take all memory.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// A part of the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    room: Room,
    permits: Vec<OwnedSemaphorePermit>,
    /// Bytes that are held, and of them used.
    held: usize,
    used: usize,
}

/// What is asked for at a time.
const STEP: usize = 64 << 10;

/// So much must come within one time-out at least, or the end.
const PROGRESS: usize = 16 << 10;

impl Room {
    /// For bodies of at most `largest` bytes each.
    pub(crate) fn for_bodies(largest: usize) -> Self {
        let bytes = largest.saturating_mul(4).max(128 << 20);
        Self(Arc::new(Semaphore::new((bytes / STEP).min(Semaphore::MAX_PERMITS))))
    }

    pub(crate) fn hold(&self) -> Held {
        Held { room: self.clone(), permits: Vec::new(), held: 0, used: 0 }
    }
}

impl Held {
    /// Takes room for so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.used += bytes;
        while self.used > self.held {
            let permit = Arc::clone(&self.room.0).try_acquire_owned().map_err(|_| Refusal::Busy)?;
            self.permits.push(permit);
            self.held += STEP;
        }
        Ok(())
    }
}

/// Reads all of `body`, which may be `limit` bytes long. Something must come within every `patience`.
pub(crate) async fn read(body: Body, limit: usize, patience: Duration, held: &mut Held) -> Result<Bytes, Refusal> {
    // Said in advance: nothing of it is read.
    if usize::try_from(body.size_hint().lower()).map_or(true, |said| said > limit) {
        return Err(Refusal::TooLarge(limit));
    }
    let (mut body, mut whole) = (body, BytesMut::new());
    loop {
        let before = whole.len();
        // One deadline for some kilobytes, not one for each byte.
        let ended = timeout(patience, async {
            while whole.len() < before + PROGRESS {
                let Some(frame) = body.frame().await else { return Ok(true) };
                let Ok(data) = frame.map_err(Refusal::Broken)?.into_data() else { continue };
                if whole.len() + data.len() > limit {
                    return Err(Refusal::TooLarge(limit));
                }
                held.grow(data.len())?;
                if whole.is_empty() && body.is_end_stream() {
                    whole = BytesMut::from(data);
                    return Ok(true);
                }
                whole.extend_from_slice(&data);
            }
            Ok(false)
        });
        if ended.await.map_err(|_| Refusal::TooSlow)?? {
            return Ok(whole.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Room};

    #[test]
    fn there_is_room_for_so_much_and_it_is_given_back() {
        let room = Room::for_bodies(1 << 20);
        let (mut first, mut second) = (room.hold(), room.hold());
        assert!(first.grow(1).is_ok() && first.grow((128 << 20) - 1).is_ok());
        assert!(matches!(second.grow(1), Err(Refusal::Busy)));
        drop(first);
        assert!(room.hold().grow(128 << 20).is_ok());
        assert!(Room::for_bodies(64 << 20).hold().grow(256 << 20).is_ok());
        assert!(Room::for_bodies(usize::MAX).hold().grow(1 << 30).is_ok());
    }
}
