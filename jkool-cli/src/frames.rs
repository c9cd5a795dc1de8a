//! Parses server-sent events from a body that arrives in pieces.

use crate::lines::Lines;

/// One server-sent event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) data: String,
}

/// Splits a body that arrives in pieces into server-sent events.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    lines: Lines,
    next: Frame,
}

impl Frames {
    /// The events that are complete with this piece.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for line in self.lines.push(piece) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(':') {
                _ if line.is_empty() => {
                    let frame = std::mem::take(&mut self.next);
                    frames.extend(Some(frame).filter(|frame| !frame.data.is_empty()));
                }
                Some(("data", data)) => self.next.data.push_str(data.strip_prefix(' ').unwrap_or(data)),
                Some(("event", event)) => self.next.event = event.trim().to_owned(),
                // A comment keeps the connection alive.
                _ => {}
            }
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Frames};

    #[test]
    fn frames_come_out_whole() {
        let text = b":\n\ndata: {\"a\":1}\n\nevent: missed\ndata: 7\n\ndata: half";
        for size in [1, 3, 100] {
            let mut frames = Frames::default();
            let found: Vec<Frame> = text.chunks(size).flat_map(|piece| frames.push(piece)).collect();
            let frame = |event: &str, data: &str| Frame { event: event.into(), data: data.into() };
            assert_eq!(found, [frame("", "{\"a\":1}"), frame("missed", "7")]);
        }
    }
}
