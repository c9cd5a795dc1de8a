//! Counts bytes and markers in a stream of chunks.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// In every event once, in whatever form it travels; see `event::write_message`.
const MARKER: &[u8] = b"processed in";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARKER));

#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) bytes: u64,
    pub(crate) markers: u64,
    /// The end of what has been fed, in which a marker may begin.
    tail: Vec<u8>,
}

impl Counter {
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        const REST: usize = MARKER.len() - 1;
        self.bytes += chunk.len() as u64;
        self.markers += FINDER.find_iter(chunk).count() as u64;
        // The tail is shorter than a marker, and so is what is added: one that is found here is in neither alone.
        self.tail.extend_from_slice(&chunk[..chunk.len().min(REST)]);
        self.markers += u64::from(FINDER.find(&self.tail).is_some());
        if chunk.len() >= REST {
            self.tail.clear();
            self.tail.extend_from_slice(&chunk[chunk.len() - REST..]);
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    #[test]
    fn markers_are_found_however_they_are_cut() {
        let text = b"order 1 processed in 2 ms, order 2 processed in processed in 3 ms processed i";
        for size in 1..=text.len() {
            let mut counter = Counter::default();
            text.chunks(size).for_each(|chunk| counter.feed(chunk));
            assert_eq!((counter.markers, counter.bytes), (3, text.len() as u64), "chunks of {size}");
        }
    }
}
