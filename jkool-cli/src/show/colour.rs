//! The colours of the output.

use jkool_client::model::Severity;

/// `text` in a colour of the terminal, or unchanged.
pub(super) fn paint(text: &str, code: Option<&str>) -> String {
    match code.filter(|_| !text.is_empty()) {
        Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
        None => text.to_owned(),
    }
}

/// For less important text.
pub(super) const FAINT: &str = "2";

pub(super) fn of_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::None | Severity::Trace | Severity::Debug => Some(FAINT),
        Severity::Info => None,
        Severity::Notice => Some("36"),
        Severity::Warning => Some("33"),
        Severity::Error | Severity::Failure => Some("31"),
        _ => Some("1;31"),
    }
}

/// The colours that no severity has.
const OF_SOURCES: [&str; 6] = ["32", "34", "35", "92", "94", "95"];

/// The colour of a source, always the same for a name.
pub(super) fn of_source(name: &str) -> &'static str {
    let hash = name.bytes().fold(5_381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    OF_SOURCES[hash as usize % OF_SOURCES.len()]
}
