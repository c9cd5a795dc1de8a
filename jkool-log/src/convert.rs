//! From a log record to an event.

use crate::caught::{PANICKED, caught};
use crate::{keys, message, times, value};
use jkool_client::model::{Event, Property, Severity, Text, TypedValue};
use log::kv::{self, Key, VisitSource};
use log::{Level, Record};

/// The event that a record becomes: its target is the operation, its level the severity, its key-values are decoration
/// where a key says so and properties where not. Time, thread and all defaults come with
/// [`Client::emit`](jkool_client::Client::emit); the code location is the [`Logger`](crate::Logger)'s to add.
///
/// What panics while it is formatted becomes `[panicked]`.
///
/// ```
/// use jkool_log::model::Severity;
///
/// let record = log::Record::builder()
///     .target("orders")
///     .level(log::Level::Warn)
///     .args(format_args!("out of stock"))
///     .key_values(&[("location", "Atlanta, Ga"), ("item", "A-100")])
///     .build();
/// let event = jkool_log::convert(&record);
/// assert_eq!((&*event.operation, event.severity, &*event.message), ("orders", Severity::Warning, "out of stock"));
/// assert_eq!((&*event.location, &*event.properties[0].name), ("Atlanta, Ga", "item"));
/// ```
pub fn convert(record: &Record<'_>) -> Event {
    let mut event = Event::default();
    fill(&mut event, record, message::of(record.args()));
    event
}

/// The same into an event that is there already, with the record's message.
pub(crate) fn fill(event: &mut Event, record: &Record<'_>, message: Text) {
    // The macros' own target is the module's path; that one is static.
    event.operation = text(record.module_path_static().filter(|path| *path == record.target()), record.target());
    event.severity = severity(record.level());
    event.message = message;
    // Where key-values come from can be the program's own code. What it gave until it failed is kept.
    caught(|| record.key_values().visit(&mut Decorate(event)).unwrap_or_default());
    times::settle(event);
}

/// Adds the properties `module`, `file` and `line`, where a key-value of that name doesn't say otherwise.
pub(crate) fn add_code_location(event: &mut Event, record: &Record<'_>) {
    let module = record.module_path().map(|path| text(record.module_path_static(), path).into());
    let file = record.file().map(|file| text(record.file_static(), file).into());
    let line = record.line().map(TypedValue::from);
    for (name, value) in [("module", module), ("file", file), ("line", line)] {
        match value {
            Some(value) if event.properties.iter().all(|property| property.name != name) => {
                event.properties.push(Property::new(name, value));
            }
            _ => {}
        }
    }
}

/// Borrows what is static, and copies what is not.
fn text(fixed: Option<&'static str>, text: &str) -> Text {
    fixed.map_or_else(|| text.to_owned().into(), Text::from)
}

pub(crate) fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warn => Severity::Warning,
        Level::Info => Severity::Info,
        Level::Debug => Severity::Debug,
        Level::Trace => Severity::Trace,
    }
}

/// Puts each key-value where it belongs.
struct Decorate<'e>(&'e mut Event);

impl<'kvs> VisitSource<'kvs> for Decorate<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let property = match caught(|| value::typed(&value)) {
            Some(typed) => keys::decorate(self.0, key.as_str(), typed).err(),
            None => Some(PANICKED.into()),
        };
        if let Some(value) = property {
            self.0.properties.push(Property::new(text(key.to_static_str(), key.as_str()), value));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
