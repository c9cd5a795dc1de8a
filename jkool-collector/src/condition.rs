//! A condition on one field.

use crate::expression::Quoted;
use crate::field::{FieldName, FieldValue, SEVERITY, TIME, values_of};
use crate::filter::severity_of;
use crate::like::is_like;
use crate::store::Stored;
use jkool_model::{Severity, Timestamp};
use std::fmt;
use std::str::FromStr;

/// A condition on one field, in the syntax of the parameter `where`: `user=alice`, `elapsed-time-usec>=1s`, `properties.amount<100`,
/// `location^=Atl`, `resource*=queue`, `user~=a%e`, `exception` (any value). `!` before it negates it.
///
/// For a field with several values, the condition is true if it is true for at least one value; negated, if it is true for none.
/// Severities are compared by their rank: `severity>=WARNING`.
///
/// ```
/// use jkool_collector::Condition;
/// let slow: Condition = "elapsed-time-usec>1.5s".parse()?;
/// assert_eq!(slow.to_string(), "elapsed-time-usec>1500000");
/// # Ok::<(), jkool_collector::InvalidCondition>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The field.
    pub field: FieldName,
    /// The test for its values.
    pub test: Test,
    /// Whether the condition is negated.
    pub negated: bool,
}

/// The test of a [`Condition`] for a value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// The field has any value.
    Exists,
    /// The value equals this text, or this number.
    Is(String),
    /// The value begins with this text.
    Begins(String),
    /// The value contains this text.
    Contains(String),
    /// The value matches a pattern, in which `%` stands for any text and `_` for any character; `\\` before them escapes them.
    Like(String),
    /// The value is a number above, or not below, a bound.
    Above {
        /// The bound.
        bound: f64,
        /// Whether the bound itself is one of them.
        inclusive: bool,
    },
    /// The value is a number below, or not above, a bound.
    Below {
        /// The bound.
        bound: f64,
        /// Whether the bound itself is one of them.
        inclusive: bool,
    },
}

/// The error for a text that is not a [`Condition`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCondition {
    /// The text does not begin with a field.
    #[error(transparent)]
    Field(#[from] crate::field::UnknownField),
    /// The value for `<` or `>` is not a number.
    #[error("expected a number after < or >; of a field in microseconds also 250ms, 1.5s, 2m or 1h")]
    Number,
    /// The value for a severity is not the name of one.
    #[error("expected a severity such as WARNING after < or >")]
    Severity,
    /// The value for the time is not a date.
    #[error("expected a time such as 2026-03-09T12:00:00Z after < or >")]
    Time,
    /// The text after `^=`, `*=` or `~=` is missing.
    #[error("expected some text after ^=, *= or ~=")]
    Text,
}

impl Condition {
    /// Creates a condition that is not negated.
    pub fn new(field: FieldName, test: Test) -> Self {
        Self { field, test, negated: false }
    }

    /// Whether `stored` satisfies it.
    pub fn matches(&self, stored: &Stored) -> bool {
        self.holds(&self.values(stored))
    }

    /// The values of `stored` that it tests.
    pub(crate) fn values<'s>(&self, stored: &'s Stored) -> Vec<FieldValue<'s>> {
        match (self.field.as_str(), &self.test) {
            (TIME, _) => vec![FieldValue::Number(stored.time.as_usec() as f64)],
            (SEVERITY, Test::Above { .. } | Test::Below { .. }) => {
                vec![FieldValue::Number(rank(severity_of(&stored.entity)))]
            }
            (name, _) => values_of(&stored.entity, name),
        }
    }

    /// Whether these values satisfy it.
    pub(crate) fn holds(&self, values: &[FieldValue<'_>]) -> bool {
        values.iter().any(|value| self.test.holds(value)) != self.negated
    }

    /// In the short form of a query line.
    pub(crate) fn short(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, test, negated } = self;
        let name = Quoted(field.as_str());
        f.write_str(if *negated { "-" } else { "" })?;
        match test {
            Test::Exists => write!(f, "{name}:*"),
            Test::Is(text) => write!(f, "{name}:{}", Quoted(text)),
            Test::Begins(text) => write!(f, "{name}:{}*", Quoted(text)),
            Test::Contains(text) => write!(f, "{name}:*{}*", Quoted(text)),
            Test::Like(pattern) => write!(f, "{name}~{}", Quoted(pattern)),
            Test::Above { .. } | Test::Below { .. } => write!(f, "{name}{}", Comparison(field, test)),
        }
    }
}

/// The rank of a severity, as a number.
pub(crate) fn rank(severity: Severity) -> f64 {
    f64::from(severity as u8)
}

/// `>`, `>=`, `<` or `<=` with its bound.
struct Comparison<'a>(&'a FieldName, &'a Test);

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, bound, inclusive) = match self.1 {
            Test::Above { bound, inclusive } => (">", *bound, *inclusive),
            Test::Below { bound, inclusive } => ("<", *bound, *inclusive),
            _ => return Ok(()),
        };
        write!(f, "{sign}{}", if inclusive { "=" } else { "" })?;
        let severity = Severity::ALL.iter().find(|severity| self.0.as_str() == SEVERITY && rank(**severity) == bound);
        match severity {
            Some(severity) => write!(f, "{severity}"),
            None => write!(f, "{bound}"),
        }
    }
}

impl Test {
    pub(crate) fn holds(&self, value: &FieldValue<'_>) -> bool {
        match (self, value) {
            (Test::Exists, _) => true,
            (Test::Is(wanted), FieldValue::Text(text)) => *text == crate::field::cut(wanted),
            (Test::Is(wanted), FieldValue::Number(number)) => number_of(wanted) == Some(*number),
            (Test::Begins(wanted), FieldValue::Text(text)) => text.starts_with(wanted.as_str()),
            (Test::Contains(wanted), FieldValue::Text(text)) => text.contains(wanted.as_str()),
            (Test::Like(pattern), FieldValue::Text(text)) => is_like(text, pattern),
            (Test::Above { bound, inclusive }, FieldValue::Number(number)) => {
                number > bound || (*inclusive && number == bound)
            }
            (Test::Below { bound, inclusive }, FieldValue::Number(number)) => {
                number < bound || (*inclusive && number == bound)
            }
            _ => false,
        }
    }
}

/// The number in a text, unless it loses digits as a float.
pub(crate) fn number_of(text: &str) -> Option<f64> {
    let exact = text.parse::<i128>().map_or(true, |int| int.unsigned_abs() <= 1 << 53);
    text.parse().ok().filter(|number: &f64| number.is_finite() && exact)
}

const UNITS: [(&str, f64); 6] = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 6e7), ("h", 3.6e9), ("d", 8.64e10)];

/// Parses a bound: also with a unit for a field in microseconds, a name for the severity, and a date for the time.
pub(crate) fn bound(field: &FieldName, text: &str) -> Result<f64, InvalidCondition> {
    let text = text.trim();
    match field.as_str() {
        SEVERITY => return text.parse().map(rank).map_err(|_| InvalidCondition::Severity),
        TIME => {
            let time: Option<Timestamp> = text.parse().ok();
            return time.map(|time| time.as_usec() as f64).ok_or(InvalidCondition::Time);
        }
        _ => {}
    }
    let is_time = field.as_str().ends_with("-usec") || field.as_str() == "msg-age";
    let with_unit =
        || UNITS.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * factor));
    let number = text.parse().ok().or_else(|| with_unit().filter(|_| is_time));
    number.filter(|number: &f64| number.is_finite()).ok_or(InvalidCondition::Number)
}

const OPERATORS: [&str; 9] = ["!=", ">=", "<=", "^=", "*=", "~=", "=", ">", "<"];

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        let (text, mut negated) = match text.strip_prefix('!') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let first = OPERATORS.iter().filter_map(|operator| Some((text.find(operator)?, *operator)));
        // The longest operator at the same position: `>=` and not `>`.
        let Some((at, operator)) = first.min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len()))) else {
            return Ok(Self { field: text.trim().parse()?, test: Test::Exists, negated });
        };
        let field: FieldName = text.get(..at).unwrap_or_default().trim().parse()?;
        let value = text.get(at + operator.len()..).unwrap_or_default();
        let some = || if value.is_empty() { Err(InvalidCondition::Text) } else { Ok(value.to_owned()) };
        let inclusive = operator.len() == 2;
        let test = match operator {
            "^=" => Test::Begins(some()?),
            "*=" => Test::Contains(some()?),
            "~=" => Test::Like(some()?),
            ">" | ">=" => Test::Above { bound: bound(&field, value)?, inclusive },
            "<" | "<=" => Test::Below { bound: bound(&field, value)?, inclusive },
            _ => {
                negated ^= operator == "!=";
                Test::Is(value.to_owned())
            }
        };
        Ok(Self { field, test, negated })
    }
}

/// As it is parsed.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, test, negated } = self;
        f.write_str(if *negated { "!" } else { "" })?;
        match test {
            Test::Exists => write!(f, "{field}"),
            Test::Is(text) => write!(f, "{field}={text}"),
            Test::Begins(text) => write!(f, "{field}^={text}"),
            Test::Contains(text) => write!(f, "{field}*={text}"),
            Test::Like(pattern) => write!(f, "{field}~={pattern}"),
            Test::Above { .. } | Test::Below { .. } => write!(f, "{field}{}", Comparison(field, test)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use crate::store::{EntityId, Stored};
    use jkool_model::Timestamp;

    #[test]
    fn what_is_written_is_read_again_and_holds_of_what_it_says() {
        let json = r#"{"operation":"pay","severity":"INFO","user":"alice","elapsed-time-usec":1500000,"properties":[
            {"name":"amount","type":"double","value":12.5},{"name":"order","type":"long","value":9007199254740993},
            {"name":"paid","type":"boolean","value":true}],
            "snapshots":[{"name":"Cart","properties":[{"name":"items","type":"int","value":3}]}]}"#;
        let time = Timestamp::from_usec(1_457_524_800_000_000);
        let entity = serde_json::from_str(json).unwrap();
        let stored = Stored { id: EntityId::new(time, 1), time, received: time, entity, json: json.into() };
        for (text, holds) in [
            ("user=alice", true),
            ("user=Alice", false),
            ("user!=bob", true),
            ("!user=alice", false),
            ("user^=al", true),
            ("user*=lic", true),
            ("user~=a%", true),
            ("user~=_l%c_", true),
            ("user~=%li", false),
            ("user~=alice%", true),
            ("user~=ali\\%e", false),
            ("user~=%i%c%", true),
            ("user~=%", true),
            ("location", false),
            ("!location", true),
            ("location!=x", true),
            ("elapsed-time-usec>1s", true),
            ("elapsed-time-usec>=1500000", true),
            ("elapsed-time-usec>1500ms", false),
            ("elapsed-time-usec<1.6s", true),
            ("properties.amount=12.50", true),
            ("properties.amount<=12.5", true),
            ("properties.order=9007199254740993", true),
            ("properties.order=9007199254740994", false),
            ("properties.paid=true", true),
            ("snapshots./Cart/items>=3", true),
            ("kind=event", true),
            ("severity=INFO", true),
            ("severity>=INFO", true),
            ("severity>INFO", false),
            ("severity<WARNING", true),
            ("time-usec>=2016-03-09T12:00:00Z", true),
            ("time-usec>1457524800000000", false),
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.matches(&stored), holds, "{text}");
            assert_eq!(condition.to_string().parse(), Ok(condition), "{text}");
        }
        for bad in ["", "colour=red", "user>alice", "user^=", "elapsed-time-usec>soon", "pid>1s", "=x", "severity>5"] {
            assert!(bad.parse::<Condition>().is_err(), "{bad}");
        }
    }
}
