//! What travels: one encoded event and where it belongs.

use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What an encoded entity is, and so where it is sent: over HTTP each kind has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An event: something happened.
    Event,
    /// An activity: a group of related events.
    Activity,
    /// A stand-alone snapshot: a named set of metrics.
    Snapshot,
    /// A log entry, as jkool-client-java-api's `LogMsg` sends it.
    Log,
    /// A data set: a snapshot that holds data rather than the state of something.
    Dataset,
}

impl Kind {
    /// The last segment of the kind's url path, as jkool-client-java-api uses it.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Activity => "activity",
            Kind::Snapshot => "snapshot",
            Kind::Log => "log",
            Kind::Dataset => "dataset",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// One encoded event with its routing: what a [`Transport`](crate::Transport) is handed.
///
/// The bytes are made once. A retry sends the same ones, so cloning is cheap and never copies them.
///
/// ```
/// use jkool_transport::{Kind, Payload};
/// let payload = Payload::new(Kind::Event, r#"{"operation":"ProcessOrder"}"#).with_key("ProcessOrder");
/// assert_eq!(payload.key(), Some("ProcessOrder"));
/// ```
#[derive(Clone)]
pub struct Payload {
    kind: Kind,
    key: Option<Arc<str>>,
    /// The body is this part of it. Payloads that are made together share one sheet.
    sheet: Bytes,
    part: Range<usize>,
}

impl Payload {
    /// A payload of `kind` whose body is one JSON entity in UTF-8, on one line.
    pub fn new(kind: Kind, body: impl Into<Bytes>) -> Self {
        let sheet = body.into();
        Self { kind, key: None, part: 0..sheet.len(), sheet }
    }

    /// A payload whose body is a part of `sheet`, such as a line of many. As long as one of them lives, so does the whole
    /// sheet; [`detach`](Self::detach) ends that. Lines that follow each other can travel in one request without a copy.
    ///
    /// # Panics
    /// When `part` is no range within `sheet`.
    pub fn part_of(kind: Kind, sheet: &Bytes, part: Range<usize>) -> Self {
        assert!(part.start <= part.end && part.end <= sheet.len(), "{part:?} is no part of {} bytes", sheet.len());
        Self { kind, key: None, sheet: sheet.clone(), part }
    }

    /// Adds the key by which a partitioned transport keeps related payloads together: the operation of an event, the
    /// category of a snapshot (TNT4J's Kafka sink does the same).
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// What the body is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The partition key, when there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The encoded entity.
    pub fn body(&self) -> &[u8] {
        &self.sheet[self.part.clone()]
    }

    /// The encoded entity, shared and not copied.
    pub fn to_bytes(&self) -> Bytes {
        self.sheet.slice(self.part.clone())
    }

    /// The whole of what its body is a part of, for whoever made it to use the room again.
    pub fn into_sheet(self) -> Bytes {
        self.sheet
    }

    /// The bodies of all `payloads` as lines, each with a line break behind it, when that is how they stand in their
    /// sheet: then nothing is copied.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only transports over a wire join payloads"))]
    pub(crate) fn as_lines(payloads: &[Self]) -> Option<Bytes> {
        let (first, last) = (payloads.first()?, payloads.last()?);
        let (sheet, end) = (&first.sheet, last.part.end + 1);
        let follows = |pair: &[Self]| pair[0].part.end + 1 == pair[1].part.start && pair[1].is_in(sheet);
        let breaks = |payload: &Self| sheet.get(payload.part.end) == Some(&b'\n');
        (payloads.windows(2).all(follows) && payloads.iter().all(breaks)).then(|| sheet.slice(first.part.start..end))
    }

    fn is_in(&self, sheet: &Bytes) -> bool {
        self.sheet.as_ptr() == sheet.as_ptr() && self.sheet.len() == sheet.len()
    }

    /// Gets bytes of its own, if it shares them with others: a payload that outlives the rest should not keep all.
    pub fn detach(&mut self) {
        if self.part.len() < self.sheet.len() {
            self.sheet = Bytes::copy_from_slice(self.body());
            self.part = 0..self.sheet.len();
        }
    }
}

/// Equal when kind, key and body are.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.key(), self.body()) == (other.kind, other.key(), other.body())
    }
}

impl Eq for Payload {}

/// Shows the size and not the content: a payload holds what the program logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("bytes", &self.part.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Payload};
    use bytes::Bytes;

    fn lines(sheet: &'static str) -> (Bytes, Vec<Payload>) {
        let sheet = Bytes::from_static(sheet.as_bytes());
        let mut at = 0;
        let payloads = sheet
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                let part = at..at + line.len();
                at = part.end + 1;
                Payload::part_of(Kind::Event, &sheet, part)
            })
            .collect();
        (sheet, payloads)
    }

    #[test]
    fn lines_of_one_sheet_are_not_copied() {
        let (sheet, payloads) = lines("{1}\n{22}\n{3}\n");
        assert_eq!(payloads[1].body(), b"{22}");
        assert_eq!(Payload::as_lines(&payloads).unwrap().as_ptr(), sheet.as_ptr());
        assert_eq!(Payload::as_lines(&payloads).unwrap(), sheet);
        assert_eq!(Payload::as_lines(&payloads[1..]).unwrap(), "{22}\n{3}\n");
    }

    #[test]
    fn what_does_not_follow_in_one_sheet_is_not_taken_for_lines() {
        let (_, payloads) = lines("{1}\n{2}\n{3}\n");
        let (_, others) = lines("{1}\n{2}\n{3}\n ");
        let (_, open) = lines("{1}\n{2}");
        let pick = |places: [&Payload; 2]| places.map(Payload::clone);
        for not in [
            &pick([&payloads[0], &payloads[2]]),
            &pick([&payloads[1], &payloads[0]]),
            &pick([&payloads[0], &others[1]]),
            &open[..],
            &[],
        ] {
            assert_eq!(Payload::as_lines(not), None, "{not:?}");
        }
    }

    #[test]
    fn a_detached_payload_is_the_same_and_keeps_nothing_else() {
        let (sheet, mut payloads) = lines("{1}\n{2}\n");
        let detached = &mut payloads[1];
        detached.detach();
        assert_eq!(*detached, Payload::new(Kind::Event, "{2}"));
        let at = detached.body().as_ptr();
        assert!(!sheet.as_ptr_range().contains(&at));
        detached.detach();
        assert_eq!(detached.body().as_ptr(), at, "what is alone is not copied again");
    }
}
