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

/// The format of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Detects the format of each line
    Auto,
    /// JSON of jKool, or with keys such as level, msg and ts; one object per line, an array, or over several lines
    Json,
    /// level=info msg="order processed" duration=5ms
    Logfmt,
    /// Access logs of web servers, common or combined
    Access,
    /// Syslog, RFC 5424 or RFC 3164
    Syslog,
    /// Text: each line is an event, together with its stack trace
    Text,
}

/// The content of a record.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) entities: Vec<Entity>,
    /// Whether its JSON was invalid and was repaired.
    pub(crate) repaired: bool,
}

/// Why a record is not an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The line in the record, from 0.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl Wrong {
    fn new(reason: impl Into<String>) -> Self {
        Self { line: 0, column: 1, reason: reason.into() }
    }
}

/// Reads a record. `year` is for times without a year.
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
