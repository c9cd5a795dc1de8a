//! Bodies, both ways.

use super::failure;
use crate::{Failure, Payload};
use bytes::Bytes;
use hyper::StatusCode;

/// An answer is a few words; whoever sends more than this is no collector.
pub(super) const ANSWER_CAP: usize = 64 * 1024;

/// The body of a request: a single payload as it is; several each with a line break behind it. What stands so already is not
/// copied.
pub(super) fn of(unit: &[Payload]) -> Bytes {
    if let [payload] = unit {
        return payload.to_bytes();
    }
    if let Some(lines) = Payload::as_lines(unit) {
        return lines;
    }
    let mut body = Vec::with_capacity(unit.iter().map(|payload| payload.body().len() + 1).sum());
    for payload in unit {
        body.extend_from_slice(payload.body());
        body.push(b'\n');
    }
    body.into()
}

/// The body compressed, when that pays: a small one only gets longer.
#[cfg(feature = "gzip")]
pub(super) fn gzip(body: &Bytes) -> Option<Bytes> {
    use std::io::Write;
    const WORTH_IT: usize = 256;
    if body.len() < WORTH_IT {
        return None;
    }
    // The fastest level: JSON shrinks well at any, and this runs on the thread that delivers.
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    let packed = encoder.write_all(body).and_then(|()| encoder.finish()).ok()?;
    (packed.len() < body.len()).then(|| packed.into())
}

/// Whether a body may follow an answer's head. 205 has none by its definition, and some servers forget to say so.
pub(super) fn may_follow(status: StatusCode) -> bool {
    status != StatusCode::RESET_CONTENT
}

/// The body of an answer, as it comes.
#[derive(Default)]
pub(super) struct Gathered(Vec<u8>);

impl Gathered {
    pub(super) fn add(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        if self.0.len() + chunk.len() > ANSWER_CAP {
            return Err(failure::endless_answer());
        }
        self.0.extend_from_slice(chunk);
        Ok(())
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
    use crate::Kind;

    #[test]
    fn a_single_payload_is_not_copied() {
        let payload = Payload::new(Kind::Event, "{}");
        assert_eq!(of(std::slice::from_ref(&payload)).as_ptr(), payload.body().as_ptr());
    }

    #[test]
    fn several_are_lines() {
        let unit = [Payload::new(Kind::Event, "{1}"), Payload::new(Kind::Log, "{2}")];
        assert_eq!(of(&unit), "{1}\n{2}\n");
    }

    #[test]
    #[cfg(feature = "gzip")]
    fn compresses_only_what_gets_shorter() {
        use std::io::Read;
        assert!(gzip(&Bytes::from(vec![b'x'; 255])).is_none());
        let mut state = 1_u32;
        let noise = (0..512).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        assert!(gzip(&noise.collect()).is_none());
        let body = Bytes::from("{\"a\":1}".repeat(40));
        let packed = gzip(&body).expect("shorter");
        assert!(packed.len() < body.len());
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, body);
    }
}
