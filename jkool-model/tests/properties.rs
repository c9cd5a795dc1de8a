//! Whatever an entity holds, it survives its JSON.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "common/arbitrary.rs"]
mod arbitrary;
mod common;

use arbitrary::{activity, event, property, snapshot, source, text};
use jkool_model::{Activity, Entity, Event, Property, Snapshot, SourceFqn, SourceType, TrackingId, TypedValue};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::fmt::Debug;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Written as valid JSON on one line, read as what it was, and written as the same again.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let written = serde_json::to_string(value).unwrap();
    prop_assert!(serde_json::from_str::<Json>(&written).is_ok(), "{written}");
    prop_assert!(!written.contains(['\n', '\r']), "{written}");
    let read: T = serde_json::from_str(&written).map_err(|error| TestCaseError::fail(format!("{error}: {written}")))?;
    prop_assert_eq!(&read, value, "{}", written);
    prop_assert_eq!(serde_json::to_string(&read).unwrap(), written);
    Ok(())
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn every_event_survives(event in event()) {
        survives::<Event>(&event)?;
        survives(&Entity::from(event))?;
    }

    #[test]
    fn every_activity_survives(activity in activity()) {
        survives::<Activity>(&activity)?;
        survives(&Entity::from(activity))?;
    }
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn every_snapshot_survives(snapshot in snapshot()) {
        survives::<Snapshot>(&snapshot)?;
        survives(&Entity::from(snapshot))?;
    }

    #[test]
    fn every_property_survives(property in property()) {
        survives::<Property>(&property)?;
        // A value that fits its type stays as it is.
        let again = TypedValue::new(property.value.clone(), property.data_type.clone());
        prop_assert_eq!(again.value, property.value);
    }

    #[test]
    fn every_source_is_parsed_as_it_was_built(source in source()) {
        prop_assert_eq!(&source.to_string().parse::<SourceFqn>().unwrap(), &source);
        survives(&source)?;
        let elements = source.elements().fold(SourceFqn::builder(), |builder, (kind, name)| builder.element(kind, name));
        prop_assert_eq!(elements.build().unwrap(), source);
    }

    #[test]
    fn builder_and_parser_refuse_the_same_names(name in text(), kind in any::<u8>()) {
        let source_type = SourceType::ALL[usize::from(kind) % SourceType::ALL.len()];
        let built = SourceFqn::builder().element(source_type, &name).build();
        let parsed = format!("{source_type}={name}").parse::<SourceFqn>();
        // To the parser a `#` begins the next element, which comes with another fault.
        if name.contains('#') {
            prop_assert!(built.is_err());
        } else {
            prop_assert_eq!(built, parsed);
        }
    }

    #[test]
    fn every_id_is_the_text_that_it_was_made_of(text in prop_oneof![text(), any::<u128>().prop_map(uuid)]) {
        prop_assert_eq!(TrackingId::from(&*text).to_string(), text);
    }
}

fn uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
