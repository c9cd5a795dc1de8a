//! Two naive pipelines of the shape that a client of this kind has, about a page each. They are yardsticks, not designs:
//! both block when full, and know neither retries nor accounts.

mod buffer;
mod channel;

pub use buffer::Buffer;
pub use channel::Channel;

use crate::event::{Encode, full, full_by_hand, small};

/// Takes a body of NDJSON, and how many events are in it.
pub type Ship = Box<dyn FnMut(&[u8], u64) + Send>;

/// The encoder that the end of a row's name asks for.
pub fn encoder_of(row: &str) -> Encode {
    match row.rsplit('-').next() {
        Some("small") => small,
        Some("hand") => full_by_hand,
        _ => full,
    }
}
