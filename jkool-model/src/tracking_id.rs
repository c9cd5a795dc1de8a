//! Tracking ids.

use crate::Text;
use crate::json::{Json, hex};
use serde::{Serialize, Serializer};
use std::fmt;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The id of one event, activity or snapshot, also used to refer to it as a parent.
///
/// New ids are random UUIDs (version 4). Ids of other clients may be any text, which is kept.
///
/// ```
/// use jkool_model::TrackingId;
/// assert_ne!(TrackingId::random(), TrackingId::random());
/// assert_eq!(TrackingId::from("order-42").to_string(), "order-42");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackingId(Repr);

/// A UUID in its usual text form is stored in 16 bytes, and the id of a span in 8. Each text has only one representation, so comparing
/// representations compares texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Uuid(Uuid),
    /// 16 hexadecimal digits.
    Span(u64),
    Text(Text),
}

impl TrackingId {
    /// Creates a new, unique id.
    pub fn random() -> Self {
        Self(Repr::Uuid(Uuid::new_v4()))
    }

    pub(crate) fn from_uuid(uuid: Uuid) -> Self {
        Self(Repr::Uuid(uuid))
    }

    /// The id of a span, as W3C Trace Context writes it: 16 hexadecimal digits.
    ///
    /// ```
    /// use jkool_model::TrackingId;
    /// assert_eq!(TrackingId::from_span_id(0xf067aa0ba902b7).to_string(), "00f067aa0ba902b7");
    /// ```
    pub fn from_span_id(id: u64) -> Self {
        Self(Repr::Span(id))
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Repr::Text(text) if text.is_empty())
    }

    /// Returns the heap memory that it uses, in bytes.
    pub fn heap_size(&self) -> usize {
        match &self.0 {
            Repr::Uuid(_) | Repr::Span(_) => 0,
            Repr::Text(text) => text.len(),
        }
    }

    /// Appends it as a JSON string.
    pub fn append_json(&self, out: &mut Vec<u8>) {
        self.write_json(Json::begin(out, 64)).end();
    }

    /// Writes it among other things.
    #[doc(hidden)]
    pub fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        match &self.0 {
            Repr::Uuid(uuid) => out.uuid(uuid),
            Repr::Span(id) => out.raw(b"\"").raw(&hex(*id)).raw(b"\""),
            Repr::Text(text) => out.text(text),
        }
    }

    fn with_text<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        match &self.0 {
            Repr::Uuid(uuid) => f(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Repr::Span(id) => f(std::str::from_utf8(&hex(*id)).unwrap_or_default()),
            Repr::Text(text) => f(text),
        }
    }
}

impl From<Text> for TrackingId {
    fn from(text: Text) -> Self {
        // A text that is no UUID usually has another length, and a parser would compute the reason.
        let short = match text.len() {
            Hyphenated::LENGTH => canonical(&text).map(Repr::Uuid),
            SPAN => span_id(&text).map(Repr::Span),
            _ => None,
        };
        Self(short.unwrap_or(Repr::Text(text)))
    }
}

/// How many digits the id of a span has.
const SPAN: usize = 16;

fn canonical(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

fn span_id(text: &str) -> Option<u64> {
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.as_bytes().iter().all(is_digit).then(|| u64::from_str_radix(text, 16).ok())?
}

impl From<String> for TrackingId {
    fn from(text: String) -> Self {
        Text::Owned(text).into()
    }
}

impl From<&str> for TrackingId {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl fmt::Debug for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| write!(f, "TrackingId({text})"))
    }
}

impl Serialize for TrackingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::TrackingId;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for text in [
            "11111111-2222-3333-4444-555555555555",
            "AAAAAAAA-2222-3333-4444-555555555555",
            "{11111111-2222-3333-4444-555555555555}",
            "t-1",
            "00f067aa0ba902b7",
            "00F067AA0BA902B7",
            "+0f067aa0ba902b7",
        ] {
            assert_eq!(TrackingId::from(text).to_string(), text);
            assert_eq!(TrackingId::from(text), TrackingId::from(text.to_owned()));
        }
        assert_eq!(TrackingId::from("00f067aa0ba902b7"), TrackingId::from_span_id(0xf0_67aa_0ba9_02b7));
        for id in [0, 1, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX, 0x9a9a_9a9a_a9a9_a9a9] {
            assert_eq!(TrackingId::from_span_id(id).to_string(), format!("{id:016x}"));
        }
        assert_ne!(
            TrackingId::from("aaaaaaaa-2222-3333-4444-555555555555"),
            TrackingId::from("AAAAAAAA-2222-3333-4444-555555555555")
        );
    }
}
