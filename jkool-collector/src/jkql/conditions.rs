//! Converts the conditions of a statement to conditions on fields, and parses their values.

use super::JkqlError;
use super::resolve::{Resolver, Target};
use crate::condition::{self, Condition, Test, bound};
use crate::expression::Expression;
use crate::field::{FieldName, SEVERITY, TIME};
use crate::filter::Kind;
use jkool_jkql::{Comparison, Name, ParseError, Value, Zone, moment};
use jkool_model::{Severity, Timestamp};
use std::ops::Range;

/// The current time, to which dates are relative, and the time zone.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
}

impl Resolver<'_> {
    /// Converts a tree of conditions: looks up names and parses values.
    pub(super) fn expression(&self, of: &jkool_jkql::Condition, clock: &Clock) -> Result<Expression, JkqlError> {
        use jkool_jkql::Condition as Written;
        let each =
            |parts: &[Written]| parts.iter().map(|part| self.expression(part, clock)).collect::<Result<Vec<_>, _>>();
        Ok(match of {
            Written::All(parts) => Expression::All(each(parts)?),
            Written::Any(parts) => Expression::Any(each(parts)?),
            Written::Not(part) => negated(self.expression(part, clock)?),
            Written::Words { text, begins } => Expression::Words { text: text.clone(), begins: *begins },
            Written::Test { name, test } => match self.target(name)? {
                Target::Message => words(name, test)?,
                Target::Fields(fields) => {
                    let mut tests = Vec::with_capacity(fields.len());
                    for field in fields {
                        tests.push(of_field(&field, test, clock)?);
                    }
                    if tests.len() == 1 { tests.remove(0) } else { Expression::Any(tests) }
                }
            },
            _ => return Err(JkqlError::Impossible("unsupported condition".into())),
        })
    }
}

/// Negates an expression; a single condition is inverted.
fn negated(expression: Expression) -> Expression {
    match expression {
        Expression::Condition(condition) => Condition { negated: !condition.negated, ..condition }.into(),
        other => Expression::Not(Box::new(other)),
    }
}

/// Converts a condition on the message, which can only be searched for words.
fn words(name: &Name, test: &jkool_jkql::Test) -> Result<Expression, ParseError> {
    match test {
        jkool_jkql::Test::Contains(value) => {
            Ok(Expression::Words { text: value.text.clone(), begins: value.text.ends_with('*') })
        }
        _ => Err(ParseError::unknown(
            name.column,
            "`message contains 'words'`, or the words alone",
            "another test",
            [""; 0],
        )),
    }
}

fn of_field(field: &FieldName, test: &jkool_jkql::Test, clock: &Clock) -> Result<Expression, JkqlError> {
    use jkool_jkql::Test as Written;
    let of = |test| Condition::new(field.clone(), test).into();
    Ok(match test {
        Written::Exists => of(Test::Exists),
        Written::Begins(value) => of(Test::Begins(value.text.clone())),
        Written::Contains(value) => of(Test::Contains(value.text.clone())),
        Written::Like(value) => of(like(&value.text)),
        Written::Is(value) if is_time(field) => {
            let Range { start, end } = time(value, clock)?;
            if start == end {
                return Ok(of(Test::Is(start.to_string())));
            }
            let from = of(Test::Above { bound: start as f64, inclusive: true });
            Expression::All(vec![from, of(Test::Below { bound: end as f64, inclusive: false })])
        }
        Written::Is(value) => of(Test::Is(exact(field, value)?)),
        Written::Compare(comparison, value) if is_time(field) => {
            // The condition means the end of the day.
            let Range { start, end } = time(value, clock)?;
            let is_day = start != end;
            of(match comparison {
                Comparison::Below => Test::Below { bound: start as f64, inclusive: false },
                Comparison::AtMost => Test::Below { bound: end as f64, inclusive: !is_day },
                Comparison::Above => Test::Above { bound: end as f64, inclusive: is_day },
                Comparison::AtLeast => Test::Above { bound: start as f64, inclusive: true },
            })
        }
        Written::Compare(comparison, value) => {
            let number = bound(field, &value.text).or_else(|error| {
                // The case of severities does not matter.
                let severity = severity(field, &value.text).map(condition::rank);
                severity.ok_or_else(|| wrong(field, value, &error.to_string()))
            })?;
            of(match comparison {
                Comparison::Below => Test::Below { bound: number, inclusive: false },
                Comparison::AtMost => Test::Below { bound: number, inclusive: true },
                Comparison::Above => Test::Above { bound: number, inclusive: false },
                Comparison::AtLeast => Test::Above { bound: number, inclusive: true },
            })
        }
        _ => return Err(JkqlError::Impossible("unsupported comparison".into())),
    })
}

/// Converts a pattern to the simplest equivalent test.
fn like(pattern: &str) -> Test {
    let is_plain = |text: &str| !text.contains(['%', '_', '\\']);
    let inner = pattern.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    match (pattern.strip_suffix('%'), inner) {
        _ if is_plain(pattern) => Test::Is(pattern.to_owned()),
        (Some(begin), _) if is_plain(begin) && !begin.is_empty() => Test::Begins(begin.to_owned()),
        (_, Some(part)) if is_plain(part) && !part.is_empty() => Test::Contains(part.to_owned()),
        _ => Test::Like(pattern.to_owned()),
    }
}

fn is_time(field: &FieldName) -> bool {
    matches!(field.as_str(), TIME | "start-time-usec" | "end-time-usec")
}

fn time(value: &Value, clock: &Clock) -> Result<Range<i64>, ParseError> {
    moment(&value.text, clock.now.as_usec(), &clock.zone)
        .map_err(|error| ParseError::unknown(value.column, error.expected(), &value.text, [""; 0]))
}

/// Returns the text for comparing a value.
fn exact(field: &FieldName, value: &Value) -> Result<String, ParseError> {
    let text = &value.text;
    match field.as_str() {
        SEVERITY => severity(field, text).map(|severity| severity.to_string()).ok_or_else(|| wrong(field, value, "")),
        "kind" => text.parse().map(|kind: Kind| kind.to_string()).map_err(|error| wrong(field, value, error)),
        // A duration may have a unit.
        name if name.ends_with("-usec") => {
            Ok(bound(field, text).map_or_else(|_| text.clone(), |number| number.to_string()))
        }
        _ => Ok(text.clone()),
    }
}

fn severity(field: &FieldName, text: &str) -> Option<Severity> {
    let is_it = |severity: &&Severity| severity.to_string().eq_ignore_ascii_case(text);
    Severity::ALL.iter().find(is_it).copied().filter(|_| field.as_str() == SEVERITY)
}

fn wrong(field: &FieldName, value: &Value, expected: &str) -> ParseError {
    let severities = Severity::ALL.iter().map(ToString::to_string);
    match field.as_str() {
        SEVERITY => ParseError::unknown(value.column, "a severity such as WARNING", &value.text, severities),
        _ => ParseError::unknown(value.column, expected.trim_start_matches("expected "), &value.text, [""; 0]),
    }
}
