//! Rules in a file that map fields of a log to decorations.

use jkool_client::facade::keys;
use jkool_client::model::{Event, Property, TypedValue};
use std::collections::BTreeMap;
use std::path::Path;

/// The rules in TOML:
///
/// ```toml
/// [fields]
/// order_no = "correlator"
/// customer = "user"
/// debug_id = "drop"
///
/// [set]
/// location = "Atlanta, Ga"
/// ```
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// The name of a property, and the decoration to which it is moved; `drop` removes it.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Defaults for events that do not set these fields.
    #[serde(default)]
    set: BTreeMap<String, String>,
}

const DROP: &str = "drop";

impl Rules {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rules: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for (name, decoration) in rules.fields.iter().filter(|(_, decoration)| *decoration != DROP) {
            keys::of_event(decoration)
                .ok_or_else(|| format!("[fields] {name}: {decoration:?} is not a decoration or `drop`"))?;
        }
        for name in rules.set.keys() {
            keys::of_event(name).ok_or_else(|| format!("[set] {name:?} is not a decoration"))?;
        }
        Ok(rules)
    }

    /// A value that is invalid for its decoration stays a property.
    pub(super) fn apply(&self, event: &mut Event) {
        for (name, value) in &self.set {
            if let Some(set) = keys::of_event(name).filter(|_| !says(event, name)) {
                // What does not fit says nothing.
                drop(set(event, TypedValue::from(value.clone())));
            }
        }
        if self.fields.is_empty() {
            return;
        }
        for property in std::mem::take(&mut event.properties) {
            match self.fields.get(&*property.name) {
                None => event.properties.push(property),
                Some(decoration) if decoration == DROP => {}
                Some(decoration) => {
                    let Some(set) = keys::of_event(decoration) else { continue };
                    let Property { name, value, .. } = property;
                    if let Err(value) = set(event, TypedValue::from(value)) {
                        event.properties.push(Property::new(name, value));
                    }
                }
            }
        }
    }
}

/// Whether the event has a value that a rule would set; lists are extended instead.
fn says(event: &Event, name: &str) -> bool {
    match name.replace('-', "_").as_str() {
        "operation" => !event.operation.is_empty(),
        "user" => !event.user.is_empty(),
        "location" => !event.location.is_empty(),
        "resource" => !event.resource.is_empty(),
        "exception" | "error" | "err" => !event.exception.is_empty(),
        "source" | "source_fqn" => event.source.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;
    use jkool_client::model::{Event, Property};

    #[test]
    fn fields_become_decorations() {
        let text = "[fields]\norder_no = \"correlator\"\ncustomer = \"user\"\nnoise = \"drop\"\ncode = \"reason-code\"\n\
                    [set]\nlocation = \"Atlanta, Ga\"\nuser = \"nobody\"";
        let rules = Rules::parse(text).expect("rules");
        let mut event = Event::default();
        event.properties = vec![
            Property::new("order_no", "A-1"),
            Property::new("noise", 1),
            Property::new("code", "x"),
            Property::new("other", 2),
        ];
        rules.apply(&mut event);
        assert_eq!((&*event.location, &*event.user), ("Atlanta, Ga", "nobody"));
        assert_eq!(event.correlators, ["A-1"]);
        assert_eq!(event.properties, [Property::new("code", "x"), Property::new("other", 2)]);
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, words) in [
            ("[fields]\na = \"nonsense\"", "a: \"nonsense\" is not a decoration"),
            ("[set]\nnonsense = \"a\"", "\"nonsense\" is not a decoration"),
            ("[other]\na = 1", "unknown field `other`"),
            ("nonsense", "line 1"),
        ] {
            let error = Rules::parse(text).expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
