//! The fields of entities by name, for filters and for aggregation.

mod value_type;
mod values;

pub(crate) use value_type::value_type_of;
pub(crate) use values::{FieldValue, cut, each_value, hash, is_cut, values_of};

use jkool_model::SourceType;
use std::fmt;
use std::str::FromStr;

/// The name of a field: a name on the wire (`user`, `elapsed-time-usec`), an element of the source (`SERVER`), a property
/// (`properties.NAME`), or a value of a snapshot (`snapshots.CATEGORY/NAME/PROPERTY`).
///
/// In the three parts of the name of a snapshot value, `/` is written as `%2F` and `%` as `%25`. The category may be empty.
///
/// ```
/// use jkool_collector::FieldName;
/// let field: FieldName = "snapshots.Order/Payment/amount".parse()?;
/// assert_eq!(field, FieldName::snapshot("Order", "Payment", "amount"));
/// assert!("colour".parse::<FieldName>().is_err());
/// # Ok::<(), jkool_collector::UnknownField>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName(String);

/// The error for a text that is not the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a field: its name on the wire such as user or elapsed-time-usec, an element of the source such as SERVER, \
     properties.NAME, or snapshots.CATEGORY/NAME/PROPERTY"
)]
pub struct UnknownField;

/// The time of an entity, or when it was received if it has none.
pub(crate) const TIME: &str = "time-usec";
pub(crate) const SEVERITY: &str = "severity";
pub(crate) const CORRELATOR: &str = "corrid";

/// The wire fields that can be queried.
pub(crate) const WIRE: &[&str] = &[
    TIME,
    "kind",
    SEVERITY,
    "operation",
    "source-fqn",
    CORRELATOR,
    "tracking-id",
    "parent-id",
    "type",
    "user",
    "location",
    "resource",
    "exception",
    "comp-code",
    "status",
    "name",
    "category",
    "msg-tag",
    "mime-type",
    "encoding",
    "charset",
    "log-type",
    "relate-type",
    "relate-afqn",
    "relate-bfqn",
    "source-ssn",
    "source-url",
    "_guid",
    "tracking-sign",
    "elapsed-time-usec",
    "wait-time-usec",
    "reason-code",
    "pid",
    "tid",
    "msg-size",
    "msg-age",
    "ttl-sec",
    "start-time-usec",
    "end-time-usec",
];

pub(crate) const PROPERTIES: &str = "properties.";
pub(crate) const SNAPSHOTS: &str = "snapshots.";

impl FieldName {
    /// Creates the name of a property of events and activities.
    pub fn property(name: &str) -> Self {
        Self(format!("{PROPERTIES}{name}"))
    }

    /// Creates the name of a value of a snapshot.
    pub fn snapshot(category: &str, name: &str, property: &str) -> Self {
        let mut key = String::new();
        write_snapshot(&mut key, category, name, property);
        Self(key)
    }

    pub(crate) const fn new(name: String) -> Self {
        Self(name)
    }

    /// Whether the field is a property or a value of a snapshot.
    pub(crate) fn is_own(&self) -> bool {
        self.0.starts_with(PROPERTIES) || self.0.starts_with(SNAPSHOTS)
    }

    /// The name for people: of a property its name, of a snapshot value the names of the snapshot and the value.
    pub(crate) fn short(&self) -> String {
        match self.snapshot_parts() {
            Some([_, snapshot, property]) => format!("{snapshot}.{property}"),
            None => self.0.strip_prefix(PROPERTIES).unwrap_or(&self.0).to_owned(),
        }
    }

    /// As it is parsed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Category, name and property of a snapshot value.
    pub(crate) fn snapshot_parts(&self) -> Option<[String; 3]> {
        let mut parts = self.0.strip_prefix(SNAPSHOTS)?.split('/');
        let mut part = || parts.next().map(|part| part.replace("%2F", "/").replace("%25", "%"));
        Some([part()?, part()?, part()?])
    }
}

/// Appends the key of a snapshot value.
pub(crate) fn write_snapshot(key: &mut String, category: &str, name: &str, property: &str) {
    key.push_str(SNAPSHOTS);
    for (index, part) in [category, name, property].into_iter().enumerate() {
        if index > 0 {
            key.push('/');
        }
        for c in part.chars() {
            match c {
                '/' => key.push_str("%2F"),
                '%' => key.push_str("%25"),
                c => key.push(c),
            }
        }
    }
}

impl FromStr for FieldName {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let is_known = WIRE.contains(&text)
            || SourceType::ALL.iter().any(|source_type| source_type.as_str() == text)
            || text.strip_prefix(PROPERTIES).is_some_and(|name| !name.is_empty())
            || text.strip_prefix(SNAPSHOTS).is_some_and(|parts| parts.split('/').count() == 3);
        if is_known { Ok(Self(text.to_owned())) } else { Err(UnknownField) }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::FieldName;

    #[test]
    fn the_parts_of_a_snapshot_value_come_back_whatever_they_hold() {
        for parts in [["Order", "Payment", "amount"], ["", "a/b", "100%"], ["%2F", "", "x.y"]] {
            let name = FieldName::snapshot(parts[0], parts[1], parts[2]);
            assert_eq!(name.to_string().parse(), Ok(name.clone()));
            assert_eq!(name.snapshot_parts().unwrap(), parts);
        }
        for bad in ["", "colour", "properties.", "snapshots.a/b", "SEVERITY", "server"] {
            assert!(bad.parse::<FieldName>().is_err(), "{bad}");
        }
    }
}
