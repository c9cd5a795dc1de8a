//! Conversion to properties of a snapshot.

mod containers;
mod scalars;
pub(crate) mod serialized;

use crate::Text;
use crate::property::Property;
use crate::value::Value;

/// A type that can be a field of a struct with `#[derive(Snapshot)]`: it becomes one property, several, or none.
///
/// | a field | becomes |
/// |---|---|
/// | what [`TypedValue`](crate::TypedValue) is made of; `&str`; a `Value` | a property |
/// | [`Duration`](std::time::Duration) | a property in microseconds, `age.usec` |
/// | an IP address | a property, `addr.ip.v4` or `addr.ip.v6` |
/// | `DateTime` (feature `chrono`), `OffsetDateTime`, `UtcDateTime` (feature `time`) | a property that is a time, `date.usec` |
/// | a date or time without an offset (features `chrono`, `time`) | a property with a text, `2016-03-09T12:00:00` |
/// | `TimeDelta` (feature `chrono`), `time::Duration` (feature `time`) | a property in microseconds, `age.usec` |
/// | `Uuid` (feature `uuid`) | a property with a text, `guid` |
/// | `None` | nothing |
/// | a struct with `#[derive(Snapshot)]` | a property a field, `payment.amount` |
/// | a map | a property an entry, `stock.apples`, in the order of the keys |
/// | a list or an array | a property with a list |
///
/// Implement it for a type of your own:
///
/// ```
/// use jkool_model::{Property, Text, ToProperties};
///
/// enum State {
///     Open,
///     Shipped,
/// }
///
/// impl ToProperties for State {
///     fn append_properties(&self, name: Text, properties: &mut Vec<Property>) {
///         let word = match self {
///             Self::Open => "open",
///             Self::Shipped => "shipped",
///         };
///         properties.push(Property::new(name, word));
///     }
/// }
///
/// let mut properties = Vec::new();
/// vec![State::Open, State::Shipped].append_properties("states".into(), &mut properties);
/// assert_eq!(properties[0].value.to_string(), r#"["open","shipped"]"#);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a property of a snapshot",
    label = "no property",
    note = "write `#[jkool(skip)]` to leave the field out",
    note = "write `#[jkool(serde)]` if it implements `serde::Serialize`",
    note = "write `#[jkool(with = \"ToString::to_string\")]`, or another function from a reference to a value",
    note = "or `#[derive(Snapshot)]` above its struct, or implement `ToProperties` for it",
    note = "a type of `chrono`, `time` or `uuid` needs the feature of that name of `jkool-model` or `jkool-client`"
)]
pub trait ToProperties {
    /// Appends it as a property `name`, or, if it has parts, each part as `name.part`. If the name is empty, the parts have
    /// their own names.
    fn append_properties(&self, name: Text, properties: &mut Vec<Property>);

    /// Returns its value as an item of a list: a map if it has parts.
    fn to_value(&self) -> Value {
        let mut parts = Vec::new();
        self.append_properties(Text::default(), &mut parts);
        match parts.pop() {
            Some(only) if parts.is_empty() && only.name.is_empty() => only.value,
            last => Value::Map(parts.into_iter().chain(last).map(|part| (part.name, part.value)).collect()),
        }
    }
}

/// A type with named parts, which `#[jkool(flatten)]` accepts: a struct with `#[derive(Snapshot)]`, a map, and an `Option` of
/// them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields that could be flattened",
    label = "has no fields",
    note = "`#[jkool(flatten)]` is for a struct with `#[derive(Snapshot)]` and for a map; leave it out here"
)]
pub trait PropertySet: ToProperties {}

/// Returns the property name of a part of `whole`.
pub(crate) fn part(whole: &str, name: Text) -> Text {
    match whole {
        "" => name,
        whole => format!("{whole}.{name}").into(),
    }
}
