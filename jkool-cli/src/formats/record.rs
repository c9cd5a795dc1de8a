//! Joins physical lines to records, because stack traces and JSON may span several lines.

use super::{Format, severity, time};
use std::borrow::Cow;

/// One event's lines, or an array's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    /// How many lines of the input stand before it that say nothing.
    pub(crate) before: u64,
    /// How many it takes itself.
    pub(crate) lines: u64,
}

impl Record {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_json(&self) -> bool {
        starts_json(&self.bytes)
    }

    /// The text; a byte that is no UTF-8 is the character that it is in Latin-1.
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

    /// The bytes, to tell records apart.
    pub(crate) fn content(&self) -> &[u8] {
        &self.bytes
    }
}

/// More lines of text than this are no stack trace.
const LONGEST_TRACE: u64 = 1_000;
/// A record is no longer, in bytes; what is, is divided.
const LARGEST: usize = 16 << 20;

/// Puts lines together.
#[derive(Debug)]
pub(crate) struct Records {
    format: Format,
    open: Option<Open>,
    /// Within an array that has its brackets on lines of their own.
    in_array: bool,
    /// Lines that say nothing, before what is next.
    passed: u64,
}

#[derive(Debug)]
struct Open {
    record: Record,
    kind: Kind,
    /// Empty lines, which belong to it only if something follows that does.
    blank: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json { depth: i64, in_string: bool },
    Text { trace: Trace, has_time: bool },
}

/// Whose stack trace is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    None,
    /// Indented lines, and then the error.
    Python,
    /// The message, and then perhaps a backtrace.
    Rust,
    /// Goroutines, with empty lines between them.
    Go,
}

impl Records {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, open: None, in_array: false, passed: 0 }
    }

    /// Takes a line, without its line break, and gives the record that ends before it, or with it.
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
                // It is given with the next line, or at the end.
                self.open = Some(open);
                Some(before)
            }
        }
    }

    /// What is left at the end, or when nothing has come for a while.
    pub(crate) fn flush(&mut self) -> Option<Record> {
        let open = self.open.take()?;
        self.passed += open.blank;
        Some(open.finish())
    }

    /// Whether a record is open, to which more may come.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// How many lines that say nothing have come since the last record.
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
        // A mark of the byte order is repaired, and counted, with the JSON it stands before.
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

/// `{`, or an array of such.
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

    /// Whether a line that is not empty belongs to it.
    fn takes(&mut self, line: &[u8]) -> bool {
        match &mut self.kind {
            Kind::Json { depth, .. } => {
                // An object on a line of its own: the one before is cut off. Within an array it follows a comma or a bracket.
                let last = self.record.bytes.trim_ascii_end().last();
                *depth > 0 && (!line.starts_with(b"{") || matches!(last, Some(b',' | b'[' | b':')))
            }
            Kind::Text { .. } if self.record.lines >= LONGEST_TRACE => false,
            Kind::Text { trace, has_time } => {
                let text = String::from_utf8_lossy(line);
                if text.starts_with(char::is_whitespace) {
                    // Behind an empty line it belongs to a trace alone.
                    return self.blank == 0 || *trace != Trace::None;
                }
                let takes = match *trace {
                    Trace::Go => !self::has_time(&text) && !text.starts_with("exit status"),
                    Trace::Python if self.blank == 0 => {
                        // The error, with which it ends, unless another follows from it.
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
    // No string of JSON goes over a line break.
    *in_string = false;
}

/// A line that only a stack trace has.
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
