//! Parses entities from JSON, in one pass where possible.

use jkool_model::{Activity, Entity, Event, OpType};

/// Parses an [`Entity`], in most cases in one pass. The model needs two, because the type of an entity may be at its
/// end.
pub(super) fn parse(json: &[u8]) -> Result<Entity, serde_json::Error> {
    match one_pass(json) {
        Some(entity) => Ok(entity),
        None => serde_json::from_slice(json),
    }
}

/// Returns `None` for snapshots, for entities that may be snapshots, and for invalid JSON.
fn one_pass(json: &[u8]) -> Option<Entity> {
    // UTF-8 is checked once, not for each text.
    let json = std::str::from_utf8(json).ok()?;
    let event: Event = serde_json::from_str(json).ok()?;
    match event.op_type {
        OpType::Activity => serde_json::from_str::<Activity>(json).ok().map(Entity::from),
        OpType::Snapshot | OpType::Dataset => None,
        _ => Some(event.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use jkool_model::Entity;
    use proptest::prelude::*;

    /// Keys of entities, snapshots and properties, and unknown ones.
    const KEYS: [&str; 18] = [
        "type",
        "name",
        "operation",
        "severity",
        "msg-text",
        "time-usec",
        "elapsed-time-usec",
        "corrid",
        "tracking-id",
        "parent-id",
        "source-fqn",
        "comp-code",
        "status",
        "snapshots",
        "properties",
        "value",
        "value-type",
        "unknown",
    ];

    /// Values that are valid in some field, and invalid JSON.
    const VALUES: [&str; 28] = [
        "null",
        "true",
        "0",
        "-7",
        "1.5",
        "1e999",
        "9223372036854775808",
        "\"\"",
        "\" \"",
        "\"a\"",
        "\"7\"",
        "\"EVENT\"",
        "\"ACTIVITY\"",
        "\"activity\"",
        "\"SNAPSHOT\"",
        "\"DATASET\"",
        "\"SEND\"",
        "\"ERROR\"",
        "\"long\"",
        "\"BIG\\u0041\"",
        "\"\\ud800\"",
        "\"APPL=a#SERVER=b\"",
        "[]",
        "{}",
        "[\"a\",null,\"\"]",
        "tru",
        "[1",
        "\"\u{1}\"",
    ];

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(&VALUES[..]).prop_map(str::to_owned);
        let object = |inner: BoxedStrategy<String>| {
            prop::collection::vec((prop::sample::select(&KEYS[..]), inner), 0..6).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            })
        };
        let nested = leaf.prop_recursive(3, 24, 4, move |inner| {
            let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(",")));
            prop_oneof![object(inner), list]
        });
        object(nested.boxed())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn in_one_pass_an_entity_is_what_the_model_says(json in json()) {
            let model = serde_json::from_slice::<Entity>(json.as_bytes());
            let told = |read: Result<Entity, serde_json::Error>| read.map_err(|error| error.to_string());
            prop_assert_eq!(told(parse(json.as_bytes())), told(model));
        }
    }

    #[test]
    fn what_is_no_utf_8_is_an_error_wherever_it_stands() {
        for json in [&b"{\"unknown\":\"\xff\"}"[..], b"{\"msg-text\":\"\xff\"}", b"{\"properties\":[{\"x\":\"\xff\"}]}"]
        {
            assert!(parse(json).is_err());
        }
    }

    #[test]
    fn nothing_is_read_deeper_than_the_model_does() {
        let deep = |depth: usize| format!("{{\"unknown\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(deep(100).as_bytes()).is_ok());
        assert!(parse(deep(10_000).as_bytes()).is_err());
    }
}
