//! A log line as a logging facade has it at hand.

use jkool_model::{OpType, Severity};

/// A log record without key-values, all borrowed: what becomes an event without ever being one, since most records are like
/// this. For logging adapters; a program emits [`Event`](jkool_model::Event)s.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub op_type: OpType,
    pub operation: &'a str,
    pub severity: Severity,
    pub message: &'a str,
    pub code: Option<Code<'a>>,
}

/// Where in the code it was logged.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    pub module: &'a str,
    pub file: &'a str,
    pub line: u32,
}
