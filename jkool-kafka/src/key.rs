//! The keys of records. Kafka keeps the order of records with the same key.

use jkool_transport::Payload;
use serde::Deserialize;
use std::borrow::Cow;

/// Selects the field that becomes the key of a record.
///
/// Kafka writes the records with the same key to one partition, where they keep their order. Records without a key are distributed over
/// all partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RecordKey {
    /// The operation of an event, or the category of a snapshot, as in TNT4J's Kafka sink.
    #[default]
    Operation,
    /// The source (`source-fqn`): all events of one program stay in order.
    Source,
    /// The first correlator (`corrid`): all events of one order, session or request stay in order.
    Correlator,
    /// No key.
    None,
}

/// The fields of an entity that may become its key. Others are skipped.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "source-fqn")]
    source: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "corrid", alias = "corr-id")]
    correlators: Option<Correlators<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Correlators<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Cow<'a, str>>),
}

impl RecordKey {
    /// The key of a payload, or `None` if it does not have the field or is not valid JSON.
    pub(crate) fn of(self, payload: &Payload) -> Option<Cow<'_, str>> {
        let key = match self {
            Self::Operation => payload.key().map(Cow::Borrowed),
            Self::Source => fields(payload)?.source,
            Self::Correlator => match fields(payload)?.correlators? {
                Correlators::One(correlator) => Some(correlator),
                Correlators::Many(correlators) => correlators.into_iter().next(),
            },
            Self::None => None,
        };
        key.filter(|key| !key.is_empty())
    }
}

fn fields(payload: &Payload) -> Option<Fields<'_>> {
    serde_json::from_slice(payload.body()).ok()
}

#[cfg(test)]
mod tests {
    use super::RecordKey;
    use jkool_transport::{Kind, Payload};

    #[test]
    fn the_key_is_what_the_setting_says() {
        let event = Payload::new(
            Kind::Event,
            r#"{"operation":"Pay","source-fqn":"APPL=shop\u0023SERVER=a","corrid":["order-1","web"],"n":[{}]}"#,
        )
        .with_key("Pay");
        let keys = [RecordKey::Operation, RecordKey::Source, RecordKey::Correlator, RecordKey::None];
        let keys: Vec<_> = keys.into_iter().map(|key| key.of(&event)).collect();
        assert_eq!(keys, [Some("Pay".into()), Some("APPL=shop#SERVER=a".into()), Some("order-1".into()), None]);
    }

    #[test]
    fn a_payload_without_the_field_has_no_key() {
        for body in ["{}", r#"{"corrid":[],"source-fqn":""}"#, r#"{"corrid":null}"#, r#"{"corrid":7}"#, "[1", ""] {
            let payload = Payload::new(Kind::Event, body);
            for key in [RecordKey::Operation, RecordKey::Source, RecordKey::Correlator] {
                assert_eq!(key.of(&payload), None, "{key:?} of {body}");
            }
        }
    }

    #[test]
    fn one_correlator_may_stand_without_a_list() {
        let payload = Payload::new(Kind::Event, r#"{"corr-id":"order-1"}"#);
        assert_eq!(RecordKey::Correlator.of(&payload).as_deref(), Some("order-1"));
    }
}
