//! Converts a log record to an event.

use crate::{properties, value};
use jkool_client::facade::message::{self, PANICKED};
use jkool_client::facade::{keys, times};
use jkool_client::model::{Event, Property, Severity, Text};
use jkool_client::{Code, catch_panic};
use log::kv::{self, Key, VisitSource};
use log::{Level, Record};

/// Converts a record to an event: its target becomes the operation, its level the severity, and its key-values fields or
/// properties. [`Client::emit`](jkool_client::Client::emit) sets time, thread and defaults, and the [`Logger`](crate::Logger)
/// adds the code location. Use it in a logger of your own.
///
/// A value that panics while it is formatted becomes `[panicked]`.
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

/// Like `convert`, into an existing event, with the formatted message.
pub(crate) fn fill(event: &mut Event, record: &Record<'_>, message: Text) {
    // The default target of the macros is the module path, which is static.
    event.operation = text(record.module_path_static().filter(|path| *path == record.target()), record.target());
    event.severity = severity(record.level());
    event.message = message;
    event.properties.reserve(catch_panic(|| record.key_values().count()).unwrap_or_default().min(MAX_RESERVED));
    // The source of key-values may be the program's own code. Key-values before a failure are kept.
    catch_panic(|| record.key_values().visit(&mut Decorate(event)).unwrap_or_default());
    times::settle(event);
}

/// The maximum initial capacity for properties, because the program's own code may return their number.
const MAX_RESERVED: usize = 16;

/// The code location of a record. It may be missing in a record that is built by hand.
pub(crate) fn code(record: &Record<'_>) -> Option<Code> {
    let (module, file) = (record.module_path_static()?, record.file_static()?);
    Some(Code { module, file, line: record.line()? })
}

/// Borrows static texts and copies others.
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

/// Stores each key-value as a field or property.
struct Decorate<'e>(&'e mut Event);

impl<'kvs> VisitSource<'kvs> for Decorate<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let typed = catch_panic(|| value::typed(&value));
        let name = properties::name(&key);
        let property = match (typed, keys::of_event(name)) {
            (Some(typed), Some(set)) => set(self.0, typed).err(),
            (Some(typed), None) => Some(typed),
            (None, _) => Some(PANICKED.into()),
        };
        if let Some(value) = property {
            let fixed = key.to_static_str().filter(|fixed| *fixed == name);
            self.0.properties.push(Property::new(text(fixed, name), value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod key_tests;
#[cfg(test)]
pub(crate) mod tests;
