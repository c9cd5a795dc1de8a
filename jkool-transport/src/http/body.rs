//! Bodies of requests and responses.

use super::progress::Progress;
use crate::payload::Payload;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The maximum size of a response that is read, in bytes.
pub(super) const ANSWER_CAP: usize = 64 * 1024;

/// The body of a request, as pieces that are written in order, so that none has to be copied.
#[derive(Debug)]
pub(super) struct RequestBody {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl RequestBody {
    /// A single payload unchanged; several payloads each with a line break after it.
    pub(super) fn of(unit: &[Payload]) -> Self {
        match unit {
            [payload] => payload.to_bytes().into(),
            _ => Payload::lines(unit).into(),
        }
    }

    /// The body in one piece.
    pub(super) fn into_bytes(mut self) -> Bytes {
        match self.pieces.len() {
            0 | 1 => self.pieces.pop_front().unwrap_or_default(),
            _ => Vec::from(self.pieces).concat().into(),
        }
    }

    /// The next bytes, at most `max`.
    fn take(&mut self, max: usize) -> Option<Bytes> {
        let first = self.pieces.front_mut()?;
        let piece = if first.len() > max { Some(first.split_to(max)) } else { self.pieces.pop_front() };
        self.len -= piece.as_ref().map_or(0, Bytes::len);
        piece
    }

    /// The body, recording in `progress` when the connection accepted a part of it.
    pub(super) fn noted(self, progress: Progress) -> NotedBody {
        NotedBody { body: self, progress }
    }

    /// The body compressed, if that makes it smaller: small bodies become larger.
    #[cfg(feature = "gzip")]
    pub(super) fn gzip(&self) -> Option<Bytes> {
        use std::io::Write;
        const WORTH_IT: usize = 256;
        if self.len < WORTH_IT {
            return None;
        }
        // The fastest level: JSON compresses well at any level, and this runs on the delivery thread.
        let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(self.len / 4), flate2::Compression::fast());
        self.pieces.iter().try_for_each(|piece| encoder.write_all(piece)).ok()?;
        let packed = encoder.finish().ok()?;
        (packed.len() < self.len).then(|| packed.into())
    }
}

impl From<Vec<Bytes>> for RequestBody {
    fn from(pieces: Vec<Bytes>) -> Self {
        Self { len: pieces.iter().map(Bytes::len).sum(), pieces: pieces.into() }
    }
}

impl From<Bytes> for RequestBody {
    fn from(piece: Bytes) -> Self {
        vec![piece].into()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.take(usize::MAX).map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len as u64)
    }
}

/// A body that records when a part of it is accepted. It is passed in short pieces, because accepted bytes may still wait to be
/// written.
pub(super) struct NotedBody {
    body: RequestBody,
    progress: Progress,
}

/// The size of a TLS record.
const PIECE: usize = 16 * 1024;

impl Body for NotedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.moved();
        Poll::Ready(self.body.take(PIECE).map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a response with this status may have a body. 205 has none by definition, and some servers do not say so in its head.
pub(super) fn may_follow(status: StatusCode) -> bool {
    status != StatusCode::RESET_CONTENT
}

/// The body of a response, as it is received.
#[derive(Default)]
pub(super) struct Gathered(Vec<u8>);

impl Gathered {
    /// Adds a chunk, and returns whether another one may be read.
    pub(super) fn add(&mut self, chunk: &[u8]) -> bool {
        let room = ANSWER_CAP - self.0.len();
        self.0.extend_from_slice(&chunk[..chunk.len().min(room)]);
        chunk.len() <= room
    }
}

impl From<Gathered> for Vec<u8> {
    fn from(body: Gathered) -> Self {
        body.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Kind;

    #[test]
    fn a_single_payload_is_not_copied() {
        let payload = Payload::new(Kind::Event, "{}");
        let mut body = RequestBody::of(std::slice::from_ref(&payload));
        assert_eq!(body.take(usize::MAX).expect("a piece").as_ptr(), payload.body().as_ptr());
    }

    #[test]
    fn several_are_lines() {
        let unit = [Payload::new(Kind::Event, "{1}"), Payload::new(Kind::Log, "{2}")];
        assert_eq!(RequestBody::of(&unit).into_bytes(), "{1}\n{2}\n");
        assert_eq!(all(RequestBody::of(&unit), usize::MAX), b"{1}\n{2}\n");
    }

    /// What goes out, in pieces of at most `max`.
    fn all(mut body: RequestBody, max: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(piece) = body.take(max) {
            assert!(!piece.is_empty() && piece.len() <= max);
            bytes.extend_from_slice(&piece);
            assert_eq!(body.is_end_stream(), body.size_hint().exact() == Some(0));
        }
        bytes
    }

    #[test]
    fn short_pieces_make_up_the_same() {
        let text: Vec<_> = (0..100_u8).collect();
        let body = || RequestBody::from(vec![Bytes::from(text[..7].to_vec()), Bytes::from(text[7..].to_vec())]);
        for max in [1, 2, 7, 10, 93, 94, 1000] {
            assert_eq!(all(body(), max), text, "{max}");
        }
    }

    #[test]
    fn it_notes_when_some_of_it_is_taken() {
        let progress = Progress::new();
        let mut body = RequestBody::from(Bytes::from_static(b"{}")).noted(progress.clone());
        assert_eq!(body.size_hint().exact(), Some(2));
        assert!(!progress.has_begun());
        let context = &mut Context::from_waker(std::task::Waker::noop());
        assert!(matches!(Pin::new(&mut body).poll_frame(context), Poll::Ready(Some(Ok(frame))) if frame.is_data()));
        assert!(progress.has_begun() && body.is_end_stream());
    }

    #[test]
    #[cfg(feature = "gzip")]
    fn compresses_only_what_gets_shorter() {
        use std::io::Read;
        let gzip = |body: Bytes| RequestBody::from(body).gzip();
        assert!(gzip(Bytes::from(vec![b'x'; 255])).is_none());
        let mut state = 1_u32;
        let noise = (0..512).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        assert!(gzip(noise.collect()).is_none());
        let body = Bytes::from("{\"a\":1}".repeat(40));
        let halves = vec![body.slice(..100), body.slice(100..)];
        let packed = RequestBody::from(halves).gzip().expect("shorter");
        assert!(packed.len() < body.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, body);
    }
}
