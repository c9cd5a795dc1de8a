//! Compressed bodies.

use super::body::Reservation;
use crate::error_response::ErrorResponse;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// The compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
}

impl Encoding {
    /// Returns the compression in the headers, or `None` for an uncompressed body.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, ErrorResponse> {
        let Some(said) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
        let several = headers.get_all(CONTENT_ENCODING).iter().count() > 1;
        let said = String::from_utf8_lossy(said.as_bytes()).trim().to_ascii_lowercase();
        match said.as_str() {
            _ if several => Err(ErrorResponse::Encoding("several".into())),
            "" | "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            _ => Err(ErrorResponse::Encoding(said)),
        }
    }

    /// Decompresses a body to at most `limit` bytes.
    pub(crate) fn unpack(
        self,
        body: &[u8],
        limit: usize,
        reservation: &mut Reservation,
    ) -> Result<Bytes, ErrorResponse> {
        match self {
            Self::Gzip => unpack(MultiGzDecoder::new(body), "gzip", limit, reservation),
            // The standard requires a zlib header; some clients omit it.
            Self::Deflate if has_zlib_header(body) => unpack(ZlibDecoder::new(body), "deflate", limit, reservation),
            Self::Deflate => unpack(DeflateDecoder::new(body), "deflate", limit, reservation),
        }
    }
}

fn has_zlib_header(body: &[u8]) -> bool {
    let first = body.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes));
    first.is_some_and(|first| first & 0x0f00 == 0x0800 && first % 31 == 0)
}

fn unpack(
    mut packed: impl Read,
    name: &'static str,
    limit: usize,
    reservation: &mut Reservation,
) -> Result<Bytes, ErrorResponse> {
    const STEP: usize = 64 << 10;
    let mut plain = Vec::new();
    loop {
        let most = limit.saturating_add(1).saturating_sub(plain.len()).min(STEP);
        let read =
            packed.by_ref().take(most as u64).read_to_end(&mut plain).map_err(|_| ErrorResponse::Damaged(name))?;
        if read == 0 {
            return Ok(plain.into());
        }
        if plain.len() > limit {
            return Err(ErrorResponse::TooLarge(limit));
        }
        reservation.grow(read)?;
    }
}
