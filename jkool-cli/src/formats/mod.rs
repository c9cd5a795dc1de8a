//! Converts the formats of log files to entities. No file here does I/O: bytes in, entities out.

mod access;
mod fields;
mod json;
mod logfmt;
mod record;
mod severity;
mod syslog;
mod text;
mod time;

pub(crate) use record::{Record, Records};

use jkool_client::model::Entity;

/// How lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Each line as what it looks like
    Auto,
    /// JSON: jKool's own, or with keys such as level, msg and ts; one object a line, an array, or over several lines
    Json,
    /// level=info msg="order processed" duration=5ms
    Logfmt,
    /// Access logs of web servers, common and combined
    Access,
    /// Syslog, RFC 5424 and RFC 3164
    Syslog,
    /// Any text, each line an event, stack traces with what they belong to
    Text,
}

/// What a record holds.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) entities: Vec<Entity>,
    /// Whether it was no JSON, and was made such.
    pub(crate) repaired: bool,
}

/// Why a record is no event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Counted from the record's first line, which is 0.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl Wrong {
    fn new(reason: impl Into<String>) -> Self {
        Self { line: 0, column: 1, reason: reason.into() }
    }
}

/// Reads a record. `year` is for times that don't say theirs.
pub(crate) fn parse(record: &Record, format: Format, year: i64) -> Result<Parsed, Wrong> {
    let one = |event| Parsed { entities: vec![Entity::Event(Box::new(event))], repaired: false };
    if format == Format::Json || (format == Format::Auto && record.is_json()) {
        return json::parse(record.bytes());
    }
    let text = record.text();
    let expected = |what| Wrong::new(format!("expected {what}"));
    match format {
        Format::Logfmt => logfmt::parse(&text).map(one).ok_or_else(|| expected("key=value pairs")),
        Format::Access => access::parse(&text).map(one).ok_or_else(|| expected("a line of an access log")),
        Format::Syslog => syslog::parse(&text, year).map(one).ok_or_else(|| expected("a syslog message")),
        Format::Text => Ok(one(text::parse(&text, year))),
        Format::Auto | Format::Json => {
            let known = access::parse(&text).or_else(|| syslog::parse(&text, year));
            let known = known.or_else(|| logfmt::is_likely(&text).then(|| logfmt::parse(&text)).flatten());
            Ok(one(known.unwrap_or_else(|| text::parse(&text, year))))
        }
    }
}

#[cfg(test)]
mod tests;
