#![doc = include_str!("../README.md")]

mod clause;
mod condition;
mod error;
mod input;
mod jkql;
mod line;
mod moment;
mod period;
mod predicate;
mod statement;

pub use condition::{Comparison, Condition, Name, NameKind, Test, Value};
pub use error::ParseError;
pub use moment::{InvalidMoment, UnknownZone, Zone, moment};
pub use period::{Period, Unit};
pub use statement::{Bucket, Chart, Figure, Function, Kind, Output, Select, Sort, SortBy, Statement};

/// Parses a statement of jKQL.
///
/// # Errors
/// If it cannot be parsed; the error contains the position and what was expected there.
pub fn parse(text: &str) -> Result<Statement, ParseError> {
    input::parse_all(text, jkql::statement)
}

/// Parses a query line: the short form, or `where` followed by a jKQL condition.
///
/// ```
/// let short = jkool_jkql::parse_line("severity>=WARNING -op:Login")?;
/// assert!(matches!(short, jkool_jkql::Condition::All(parts) if parts.len() == 2));
/// # Ok::<(), jkool_jkql::ParseError>(())
/// ```
///
/// # Errors
/// If it is neither; the error contains the position and what was expected there.
pub fn parse_line(text: &str) -> Result<Condition, ParseError> {
    if text.trim().is_empty() {
        return Ok(Condition::default());
    }
    let begins_with_where = text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("where"));
    match begins_with_where {
        true => input::parse_all(text, predicate::where_condition),
        false => input::parse_all(text, line::line),
    }
}

/// Parses a period, as in a `for` clause.
///
/// # Errors
/// If it cannot be parsed.
pub fn parse_period(text: &str) -> Result<Period, ParseError> {
    input::parse_all(text, clause::one_period)
}
