//! Payloads: encoded entities, as a transport sends them.

use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The kind of an encoded entity, which determines where it is sent: over HTTP each kind has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An event: something happened.
    Event,
    /// An activity: a group of related events.
    Activity,
    /// A standalone snapshot: a named set of metrics.
    Snapshot,
    /// A log entry, as jkool-client-java-api's `LogMsg` sends it.
    Log,
    /// A data set: a snapshot that contains data rather than the state of something.
    Dataset,
}

impl Kind {
    /// Returns the last segment of the url path for this kind, as jkool-client-java-api uses it.
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

/// One encoded entity with its kind and key, as a [`Transport`](crate::Transport) gets it.
///
/// The bytes are encoded once, and a retry sends the same ones. Cloning is cheap and does not copy them.
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
    /// The body is the range `part` of this buffer, which payloads that are encoded together share.
    sheet: Bytes,
    part: Range<usize>,
}

/// Writing a piece separately costs about as much as copying this many bytes.
const WORTH_A_PIECE: usize = 4 << 10;

impl Payload {
    /// Creates a payload from the JSON of one entity, in UTF-8 and on one line.
    pub fn new(kind: Kind, body: impl Into<Bytes>) -> Self {
        let sheet = body.into();
        Self { kind, key: None, part: 0..sheet.len(), sheet }
    }

    /// Creates a payload whose body is a range of a shared buffer, such as one of many lines. The whole buffer stays in memory
    /// as long as one of its payloads does; [`detach`](Self::detach) avoids this. Consecutive lines can be sent in one request
    /// without a copy.
    ///
    /// # Panics
    /// If `part` is not a range within `sheet`.
    pub fn part_of(kind: Kind, sheet: &Bytes, part: Range<usize>) -> Self {
        assert!(
            part.start <= part.end && part.end <= sheet.len(),
            "the range {part:?} is out of bounds of {} bytes",
            sheet.len()
        );
        Self { kind, key: None, sheet: sheet.clone(), part }
    }

    /// Sets the key by which a partitioned transport keeps related payloads together: the operation of an event, or the
    /// category of a snapshot, as TNT4J's Kafka sink does.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Returns the kind of the entity.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the partition key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the encoded entity.
    pub fn body(&self) -> &[u8] {
        &self.sheet[self.part.clone()]
    }

    /// Returns the encoded entity without copying it.
    pub fn to_bytes(&self) -> Bytes {
        self.sheet.slice(self.part.clone())
    }

    /// Returns the whole buffer that the body is a part of, so that its owner can reuse it.
    pub fn into_sheet(self) -> Bytes {
        self.sheet
    }

    /// Joins the bodies of all `payloads` as lines, each followed by a line break, into pieces to be written in order. Lines
    /// that are consecutive in their buffer become one piece without a copy; others are copied, and so are short runs.
    #[cfg_attr(
        not(any(feature = "file", feature = "http")),
        allow(dead_code, reason = "only transports of lines join payloads")
    )]
    pub(crate) fn lines(payloads: &[Self]) -> Vec<Bytes> {
        let (mut pieces, mut copy, mut rest) = (Vec::new(), Vec::new(), payloads);
        while let [first, ..] = rest {
            let follows = |pair: &&[Self]| pair[0].has_break() && pair[1].follows(&pair[0]);
            let run = &rest[..=rest.windows(2).take_while(follows).count()];
            rest = &rest[run.len()..];
            let part = first.part.start..run[run.len() - 1].part.end + 1;
            let stands = run[run.len() - 1].has_break() && (run.len() == payloads.len() || part.len() >= WORTH_A_PIECE);
            if stands {
                if !copy.is_empty() {
                    pieces.push(std::mem::take(&mut copy).into());
                }
                pieces.push(first.sheet.slice(part));
                continue;
            }
            for payload in run {
                copy.extend_from_slice(payload.body());
                copy.push(b'\n');
            }
        }
        if !copy.is_empty() {
            pieces.push(copy.into());
        }
        pieces
    }

    /// Whether a line break follows it in its buffer.
    fn has_break(&self) -> bool {
        self.sheet.get(self.part.end) == Some(&b'\n')
    }

    /// Whether it directly follows the other one and its line break.
    fn follows(&self, other: &Self) -> bool {
        other.part.end + 1 == self.part.start && self.is_in(&other.sheet)
    }

    fn is_in(&self, sheet: &Bytes) -> bool {
        self.sheet.as_ptr() == sheet.as_ptr() && self.sheet.len() == sheet.len()
    }

    /// Copies its bytes if it shares a buffer, so that a payload that lives longer than the others does not keep the whole
    /// buffer in memory.
    pub fn detach(&mut self) {
        if self.part.len() < self.sheet.len() {
            self.sheet = Bytes::copy_from_slice(self.body());
            self.part = 0..self.sheet.len();
        }
    }
}

/// Two payloads are equal if kind, key and body are.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.key(), self.body()) == (other.kind, other.key(), other.body())
    }
}

impl Eq for Payload {}

/// Shows the size and not the content, because a payload contains what the program logs.
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
    use super::{Kind, Payload, WORTH_A_PIECE};
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
        let [lines] = &Payload::lines(&payloads)[..] else { panic!("one piece") };
        assert_eq!((lines.as_ptr(), lines), (sheet.as_ptr(), &sheet));
        assert_eq!(Payload::lines(&payloads[1..]), ["{22}\n{3}\n"]);
    }

    #[test]
    fn what_does_not_follow_in_one_sheet_is_copied() {
        let (_, payloads) = lines("{1}\n{2}\n{3}\n");
        let (_, others) = lines("{1}\n{2}\n{3}\n ");
        let (_, open) = lines("{1}\n{2}");
        let pick = |places: [&Payload; 2]| places.map(Payload::clone);
        for (unit, expected) in [
            (&pick([&payloads[0], &payloads[2]])[..], "{1}\n{3}\n"),
            (&pick([&payloads[1], &payloads[0]]), "{2}\n{1}\n"),
            (&pick([&payloads[0], &others[1]]), "{1}\n{2}\n"),
            (&open, "{1}\n{2}\n"),
        ] {
            assert_eq!(Payload::lines(unit), [expected], "{unit:?}");
        }
        assert!(Payload::lines(&[]).is_empty());
    }

    #[test]
    fn long_runs_are_pieces_of_their_sheets_and_what_is_between_them_is_copied() {
        let line = format!("{{{}}}", "1".repeat(WORTH_A_PIECE / 2));
        let sheet: &'static str = format!("{line}\n{line}\n").leak();
        let ((first, a), (second, b)) = (lines(sheet), lines(sheet));
        let one = Payload::new(Kind::Event, "{1}");
        let two = Payload::new(Kind::Event, "{2}");
        let unit: Vec<_> = [a.clone(), vec![one, two, a[0].clone()], b].concat();
        let pieces = Payload::lines(&unit);
        assert_eq!(pieces.concat(), format!("{sheet}{{1}}\n{{2}}\n{line}\n{sheet}").as_bytes());
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[0].as_ptr(), pieces[2].as_ptr()), (first.as_ptr(), second.as_ptr()));
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
