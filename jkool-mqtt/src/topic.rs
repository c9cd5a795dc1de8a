//! The topic of a message: a fixed text, or one with placeholders for fields of the payload.

use bytes::Bytes;
use jkool_transport::Payload;
use serde::Deserialize;
use std::borrow::Cow;

/// The maximum length of a topic, in bytes.
const MAX: usize = 65_535;

/// The maximum length of a value in a topic, in characters.
const MAX_VALUE: usize = 128;

/// Replaces a value that a payload does not have.
const NONE: &str = "-";

#[derive(Debug, Clone)]
pub(crate) struct Topic {
    parts: Vec<Part>,
    /// The topic, if it has no placeholders.
    fixed: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Kind,
    Operation,
    Source,
    Server,
    Correlator,
}

const PLACES: [(&str, Place); 5] = [
    ("kind", Place::Kind),
    ("operation", Place::Operation),
    ("source", Place::Source),
    ("server", Place::Server),
    ("correlator", Place::Correlator),
];

impl Topic {
    /// # Errors
    /// What is wrong with it, as a text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or(format!("the topic {text:?} has a {{ without a }}"))?;
            let known = || PLACES.map(|(name, _)| format!("{{{name}}}")).join(", ");
            let (_, place) = PLACES.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                format!("the topic {text:?} has an unknown placeholder {{{name}}}; expected one of {}", known())
            })?;
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Place(*place));
            rest = behind;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        if parts.is_empty() {
            return Err("no topic is set".to_owned());
        }
        if let Some(c) = text.chars().find(|c| matches!(c, '+' | '#' | '\0')) {
            return Err(format!("the topic {text:?} contains {c:?}, which is not allowed in a topic to publish to"));
        }
        if text.len() + parts.len() * 4 * MAX_VALUE > MAX {
            return Err("the topic is longer than MQTT allows".to_owned());
        }
        let fixed = match &parts[..] {
            [Part::Text(text)] => Some(Bytes::from(text.clone())),
            _ => None,
        };
        Ok(Self { parts, fixed })
    }

    /// Renders the topic of a payload.
    pub(crate) fn of(&self, payload: &Payload) -> Bytes {
        if let Some(fixed) = &self.fixed {
            return fixed.clone();
        }
        let in_body = |part: &Part| matches!(part, Part::Place(Place::Source | Place::Server | Place::Correlator));
        let fields = if self.parts.iter().any(in_body) { Fields::of(payload) } else { Fields::default() };
        let mut topic = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => topic.push_str(text),
                Part::Place(Place::Kind) => topic.push_str(payload.kind().path()),
                Part::Place(Place::Operation) => push(&mut topic, payload.key()),
                Part::Place(Place::Source) => push(&mut topic, fields.names().next().map(|(_, name)| name)),
                Part::Place(Place::Server) => {
                    push(&mut topic, fields.names().find(|(kind, _)| *kind == "SERVER").map(|(_, name)| name));
                }
                Part::Place(Place::Correlator) => push(&mut topic, fields.correlator()),
            }
        }
        topic.into()
    }
}

/// A value as one level of a topic, without the characters that have a meaning in topics.
fn push(topic: &mut String, value: Option<&str>) {
    match value.filter(|value| !value.is_empty()) {
        None => topic.push_str(NONE),
        Some(value) => topic.extend(value.chars().take(MAX_VALUE).map(|c| match c {
            '/' | '+' | '#' => '_',
            c if c.is_control() => '_',
            c => c,
        })),
    }
}

/// The fields of an entity that may be part of its topic; others are skipped.
#[derive(Default, Deserialize)]
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

impl<'a> Fields<'a> {
    /// `None` if the payload is not valid JSON, or has other types in these fields.
    fn of(payload: &'a Payload) -> Self {
        serde_json::from_slice(payload.body()).unwrap_or_default()
    }

    /// The types and names of the source, `TYPE=name#…`, innermost first.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.source.as_deref().unwrap_or_default().split('#').filter_map(|element| element.split_once('='))
    }

    fn correlator(&self) -> Option<&str> {
        match self.correlators.as_ref()? {
            Correlators::One(correlator) => Some(correlator),
            Correlators::Many(correlators) => correlators.first().map(|first| &**first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Topic;
    use jkool_transport::{Kind, Payload};

    fn topic(template: &str, payload: &Payload) -> String {
        let topic = Topic::parse(template).expect("a topic").of(payload);
        String::from_utf8(topic.to_vec()).expect("UTF-8")
    }

    #[test]
    fn places_are_filled_from_the_payload() {
        let body =
            r#"{"operation":"Pay","source-fqn":"APPL=shop\u0023SERVER=web 1","corrid":["order/1","x"],"n":[{}]}"#;
        let event = Payload::new(Kind::Event, body).with_key("Pay");
        assert_eq!(topic("tnt4jStream", &event), "tnt4jStream");
        assert_eq!(topic("jkool/{server}/{source}/{kind}", &event), "jkool/web 1/shop/event");
        assert_eq!(topic("{operation}", &event), "Pay");
        assert_eq!(topic("a{correlator}b", &event), "aorder_1b");
    }

    #[test]
    fn no_value_makes_a_level_or_a_wildcard() {
        let event = Payload::new(Kind::Event, "{}").with_key("a/+/#\0\r\n");
        assert_eq!(topic("x/{operation}", &event), "x/a_______");
        let long = Payload::new(Kind::Event, "{}").with_key("ä".repeat(1000));
        assert_eq!(topic("{operation}", &long), "ä".repeat(128));
    }

    #[test]
    fn what_a_payload_does_not_have_is_told_apart() {
        for body in ["{}", "[1", "", r#"{"source-fqn":7,"corrid":[]}"#, r#"{"corrid":[],"source-fqn":""}"#] {
            let payload = Payload::new(Kind::Log, body);
            assert_eq!(topic("{source}/{server}/{correlator}/{operation}/{kind}", &payload), "-/-/-/-/log", "{body}");
        }
    }

    #[test]
    fn a_wrong_topic_is_refused() {
        for (text, expected) in [
            ("", "no topic"),
            ("a/#", "'#'"),
            ("a/+/b", "'+'"),
            ("a{", "without a }"),
            ("a/{host}", "expected one of {kind}, {operation}, {source}, {server}, {correlator}"),
        ] {
            let error = Topic::parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
        assert!(Topic::parse(&"x".repeat(70_000)).is_err());
    }
}
