//! Tracking ids.

use crate::Text;
use crate::json::Json;
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

/// A UUID in its usual text form is stored in 16 bytes. Each text has only one representation, so comparing representations
/// compares texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Uuid(Uuid),
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

    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Repr::Text(text) if text.is_empty())
    }

    /// Returns the heap memory that it uses, in bytes.
    pub fn heap_size(&self) -> usize {
        match &self.0 {
            Repr::Uuid(_) => 0,
            Repr::Text(text) => text.len(),
        }
    }

    /// Appends it as a JSON string.
    pub fn append_json(&self, out: &mut Vec<u8>) {
        self.write_json(Json::begin(out, 64)).end();
    }

    pub(crate) fn write_json<'a>(&self, out: Json<'a>) -> Json<'a> {
        match &self.0 {
            Repr::Uuid(uuid) => out.uuid(uuid),
            Repr::Text(text) => out.text(text),
        }
    }

    fn with_text<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        match &self.0 {
            Repr::Uuid(uuid) => f(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Repr::Text(text) => f(text),
        }
    }
}

impl From<Text> for TrackingId {
    fn from(text: Text) -> Self {
        // A text that is no UUID usually has another length, and a parser would compute the reason.
        let canonical = (text.len() == Hyphenated::LENGTH)
            .then(|| Uuid::try_parse(&text).ok())
            .flatten()
            .filter(|uuid| uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == &*text);
        Self(canonical.map_or(Repr::Text(text), Repr::Uuid))
    }
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
        ] {
            assert_eq!(TrackingId::from(text).to_string(), text);
            assert_eq!(TrackingId::from(text), TrackingId::from(text.to_owned()));
        }
        assert_ne!(
            TrackingId::from("aaaaaaaa-2222-3333-4444-555555555555"),
            TrackingId::from("AAAAAAAA-2222-3333-4444-555555555555")
        );
    }
}
