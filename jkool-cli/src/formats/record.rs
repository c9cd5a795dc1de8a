//! Joins physical lines to records, because stack traces and JSON may span several lines.

use super::{Format, severity, time};
use std::borrow::Cow;

/// The lines of one event, or of an array of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    /// The number of blank lines before it.
    pub(crate) before: u64,
    /// The number of its lines.
    pub(crate) lines: u64,
}

impl Record {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_json(&self) -> bool {
        starts_json(&self.bytes)
    }

    /// The text; an invalid UTF-8 byte is read as Latin-1.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.into(),
            Err(_) => self
                .bytes
                .utf8_chunks()
                .fold(String::new(), |mut text, chunk| {
                    text.push_str(chunk.valid());
                    text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
                    text
                })
                .into(),
        }
    }

    /// The bytes, which identify the record.
    pub(crate) fn content(&self) -> &[u8] {
        &self.bytes
    }
}

/// The maximum number of lines of a stack trace.
const LONGEST_TRACE: u64 = 1_000;
/// The maximum length of a record, in bytes; a longer one is split.
const LARGEST: usize = 16 << 20;

/// Joins lines.
#[derive(Debug)]
pub(crate) struct Records {
    format: Format,
    open: Option<Open>,
    /// Inside an array whose brackets are on lines of their own.
    in_array: bool,
    /// The number of blank lines before the next record.
    passed: u64,
}

#[derive(Debug)]
struct Open {
    record: Record,
    kind: Kind,
    /// Blank lines, which are part of the record only if one of its lines follows.
    blank: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json { depth: i64, in_string: bool },
    Text { trace: Trace, has_time: bool },
}

/// The language of the open stack trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    None,
    /// Indented lines, then the error.
    Python,
    /// The message, then an optional backtrace.
    Rust,
    /// Goroutines, with blank lines between them.
    Go,
}

impl Records {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, open: None, in_array: false, passed: 0 }
    }

    /// Adds a line, without its line break, and returns the record that ends before it or with it.
    pub(crate) fn push(&mut self, line: &[u8]) -> Option<Record> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(open) = &mut self.open {
            if line.trim_ascii().is_empty() && matches!(open.kind, Kind::Text { .. }) {
                open.blank += 1;
                return None;
            }
            if open.takes(line) {
                open.add(line);
                return self.open.take_if(|open| open.is_complete()).map(Open::finish);
            }
        }
        let before = self.flush();
        self.begin(line);
        let complete = self.open.take_if(|open| open.is_complete());
        match (before, complete) {
            (before, None) => before,
            (None, Some(open)) => Some(open.finish()),
            (Some(before), Some(open)) => {
                // It is returned with the next line, or at the end.
                self.open = Some(open);
                Some(before)
            }
        }
    }

    /// Returns the open record, at the end or after a pause.
    pub(crate) fn flush(&mut self) -> Option<Record> {
        let open = self.open.take()?;
        self.passed += open.blank;
        Some(open.finish())
    }

    /// Whether a record is open, to which lines may be added.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The number of blank lines since the last record.
    #[cfg(test)]
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    fn begin(&mut self, line: &[u8]) {
        let bytes = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        let trimmed = bytes.trim_ascii();
        let takes_json = matches!(self.format, Format::Auto | Format::Json);
        let is_bracket = match trimmed {
            b"[" => takes_json && !std::mem::replace(&mut self.in_array, true),
            b"]" => std::mem::take(&mut self.in_array),
            _ => false,
        };
        if trimmed.is_empty() || is_bracket {
            self.passed += 1;
            return;
        }
        // A byte order mark is repaired, and counted, with the JSON after it.
        let kept = if starts_json(bytes) { line } else { bytes };
        let kind = match takes_json && starts_json(bytes) {
            true => Kind::Json { depth: 0, in_string: false },
            false => Kind::of_text(bytes),
        };
        let mut open =
            Open { record: Record { before: std::mem::take(&mut self.passed), ..Record::default() }, kind, blank: 0 };
        open.add(kept);
        if self.in_array && matches!(kind, Kind::Json { .. }) && open.is_complete() {
            open.trim_comma();
        }
        self.open = Some(open);
    }
}

/// Whether it begins an object, or an array of objects.
fn starts_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    let mut rest = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    match rest.next() {
        Some(b'{') => true,
        Some(b'[') => matches!(rest.next(), Some(b'{')),
        _ => false,
    }
}

impl Kind {
    fn of_text(line: &[u8]) -> Self {
        let line = String::from_utf8_lossy(line);
        let trace = match &*line {
            line if line.starts_with("Traceback (most recent") => Trace::Python,
            line if line.starts_with("panic: ")
                || line.starts_with("fatal error: ")
                || line.starts_with("goroutine ") =>
            {
                Trace::Go
            }
            line if line.starts_with("thread '") && line.contains("panicked at") => Trace::Rust,
            _ => Trace::None,
        };
        Self::Text { trace, has_time: has_time(&line) }
    }
}

fn has_time(line: &str) -> bool {
    time::leading(line).is_some() || time::leading_bsd(line, 2000).is_some()
}

impl Open {
    fn add(&mut self, line: &[u8]) {
        for _ in 0..std::mem::take(&mut self.blank) {
            self.record.bytes.push(b'\n');
            self.record.lines += 1;
        }
        if !self.record.bytes.is_empty() {
            self.record.bytes.push(b'\n');
        }
        self.record.bytes.extend_from_slice(line);
        self.record.lines += 1;
        if let Kind::Json { depth, in_string } = &mut self.kind {
            scan(line, depth, in_string);
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.kind, Kind::Json { depth: ..=0, .. }) || self.record.bytes.len() >= LARGEST
    }

    /// Whether a line that is not blank belongs to the record.
    fn takes(&mut self, line: &[u8]) -> bool {
        match &mut self.kind {
            Kind::Json { depth, .. } => {
                // A new object on a line of its own: the one before was cut off. In an array it follows a comma or a
                // bracket.
                let last = self.record.bytes.trim_ascii_end().last();
                *depth > 0 && (!line.starts_with(b"{") || matches!(last, Some(b',' | b'[' | b':')))
            }
            Kind::Text { .. } if self.record.lines >= LONGEST_TRACE => false,
            Kind::Text { trace, has_time } => {
                let text = String::from_utf8_lossy(line);
                if text.starts_with(char::is_whitespace) {
                    // After a blank line only lines of a stack trace belong to it.
                    return self.blank == 0 || *trace != Trace::None;
                }
                let takes = match *trace {
                    Trace::Go => !self::has_time(&text) && !text.starts_with("exit status"),
                    Trace::Python if self.blank == 0 => {
                        // The error at the end, unless another one was caused by it.
                        let more = text.starts_with("Traceback (most recent");
                        *trace = if more { Trace::Python } else { Trace::None };
                        true
                    }
                    Trace::Rust if self.blank == 0 => {
                        *trace = Trace::None;
                        true
                    }
                    _ => false,
                };
                if text.starts_with("Traceback (most recent") {
                    *trace = Trace::Python;
                    return true;
                }
                let is_plain = severity::in_text(&text).is_none() && !self::has_time(&text);
                takes || is_trace(&text) || (*has_time && self.blank == 0 && is_plain && is_error_name(&text))
            }
        }
    }

    fn trim_comma(&mut self) {
        let trimmed = self.record.bytes.trim_ascii_end();
        let len = trimmed.strip_suffix(b",").unwrap_or(trimmed).len();
        self.record.bytes.truncate(len);
    }

    fn finish(mut self) -> Record {
        if matches!(self.kind, Kind::Json { depth: ..=0, .. }) {
            self.trim_comma();
        }
        self.record
    }
}

/// Counts open brackets outside of strings.
fn scan(line: &[u8], depth: &mut i64, in_string: &mut bool) {
    let mut escaped = false;
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = *in_string,
            b'"' => *in_string = !*in_string,
            b'{' | b'[' if !*in_string => *depth += 1,
            b'}' | b']' if !*in_string => *depth -= 1,
            _ => {}
        }
    }
    // A JSON string cannot contain a line break.
    *in_string = false;
}

/// Whether only a stack trace has such a line.
pub(super) fn is_trace(line: &str) -> bool {
    const STARTS: [&str; 11] = [
        "Caused by: ",
        "Suppressed: ",
        "Traceback (most recent",
        "stack backtrace:",
        "goroutine ",
        "panic: ",
        "note: run with `RUST_BACKTRACE",
        "During handling of the above exception",
        "The above exception was the direct cause",
        "Exception in thread ",
        "thread '",
    ];
    let inner = line.trim_start();
    let is_indented = inner.len() < line.len();
    STARTS.iter().any(|start| inner.starts_with(start))
        && (!inner.starts_with("thread '") || inner.contains("panicked at"))
        || is_indented && (inner.starts_with("at ") || inner.starts_with("... ") || inner.starts_with("File \""))
}

/// `java.lang.IllegalStateException: no stock`
fn is_error_name(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let is_name = name.contains('.') && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '$' | '_'));
    is_name && ["Exception", "Error", "Throwable"].iter().any(|end| name.ends_with(end))
}
