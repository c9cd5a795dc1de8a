//! Reading an entity from JSON, which each one that comes in goes through.

use jkool_model::{Activity, Entity, Event, OpType};

/// As [`Entity`] is read, and most often in one pass: what kind it is may stand at its end, so that the model reads all of it as
/// plain values first.
pub(super) fn parse(json: &[u8]) -> Result<Entity, serde_json::Error> {
    match one_pass(json) {
        Some(entity) => Ok(entity),
        None => serde_json::from_slice(json),
    }
}

/// `None` for a snapshot, for what may be one, and for what can't be read.
fn one_pass(json: &[u8]) -> Option<Entity> {
    // Checked once, and not again for each text in it.
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

    /// Keys that entities, snapshots and properties have, and some that they don't.
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

    /// Values that are read somehow in some place, and texts that are no JSON.
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
