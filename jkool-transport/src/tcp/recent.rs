//! The payloads that were written last.

use crate::payload::Payload;
use bytes::Bytes;
use std::collections::VecDeque;

/// The last payloads, up to a number of bytes.
pub(super) struct Recent {
    payloads: VecDeque<Payload>,
    bytes: usize,
    max_bytes: usize,
}

impl Recent {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { payloads: VecDeque::new(), bytes: 0, max_bytes }
    }

    pub(super) fn push(&mut self, unit: &[Payload]) {
        for payload in unit {
            let mut payload = payload.clone();
            payload.detach();
            self.bytes += payload.body().len();
            self.payloads.push_back(payload);
        }
        while self.bytes > self.max_bytes {
            let Some(oldest) = self.payloads.pop_front() else { return };
            self.bytes -= oldest.body().len();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }

    pub(super) fn lines(&mut self) -> Vec<Bytes> {
        Payload::lines(self.payloads.make_contiguous())
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;
    use crate::payload::{Kind, Payload};

    #[test]
    fn the_last_ones_are_kept() {
        let mut recent = Recent::new(7);
        assert!(recent.is_empty());
        recent.push(&["{1}", "{2}", "{3}"].map(|body| Payload::new(Kind::Event, body)));
        assert_eq!(recent.lines().concat(), b"{2}\n{3}\n");
        recent.push(&[Payload::new(Kind::Event, "{longer}")]);
        assert!(recent.is_empty(), "what is larger than all is not kept");
        recent.push(&[Payload::new(Kind::Event, "{4}")]);
        assert_eq!(recent.lines().concat(), b"{4}\n");
    }
}
