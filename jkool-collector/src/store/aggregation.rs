//! What can be asked beside entities: groups of them, and figures of their fields.

use crate::field::{FieldName, UnknownField};
use jkool_model::Timestamp;
use std::fmt;
use std::str::FromStr;

/// How to group what a filter lets through, and what to tell of each group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aggregation {
    /// How to group, the outermost first; without any there is one group.
    pub groups: Vec<Group>,
    /// What to tell of each group beside how many entities are in it.
    pub measures: Vec<Measure>,
}

/// A way to group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Group {
    /// By time, in stretches of so many microseconds that begin at its multiples.
    Time(i64),
    /// By the values of a field, those that come most often, so many at most. What has no value is in no group.
    Field(FieldName, usize),
}

/// A figure of the values that a field has in a group: `avg(elapsed-time-usec)`, `p95(properties.amount)`, `distinct(user)`.
///
/// ```
/// use jkool_collector::{Function, Measure};
/// let measure: Measure = "p99.9(elapsed-time-usec)".parse()?;
/// assert_eq!(measure.function, Function::Percentile(99.9));
/// assert_eq!(measure.to_string(), "p99.9(elapsed-time-usec)");
/// # Ok::<(), jkool_collector::InvalidMeasure>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// How the values become one figure.
    pub function: Function,
    /// Whose values.
    pub field: FieldName,
}

/// How values become one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Function {
    /// How many values there are.
    Count,
    /// All of them together.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Their mean.
    Avg,
    /// The value that so many per cent of them are not above, about.
    Percentile(f64),
    /// How many different values there are; of many, about.
    Distinct,
}

/// Text that is no [`Measure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMeasure {
    /// It is no function of a field.
    #[error("expected a measure such as count(user), sum(F), min(F), max(F), avg(F), p95(F) or distinct(F)")]
    Function,
    /// What stands in parentheses is no field.
    #[error(transparent)]
    Field(#[from] UnknownField),
}

/// A group and its figures.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// What its members have in common, one for each way to group.
    pub keys: Vec<Key>,
    /// How many entities are in it.
    pub count: u64,
    /// One for each measure; `None` where there is no value.
    pub values: Vec<Option<f64>>,
}

/// What the members of a group have in common.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Key {
    /// The beginning of a stretch of time.
    Time(Timestamp),
    /// A text; of a very long one, its beginning and a hash.
    Text(String),
    /// A number.
    Number(f64),
}

impl Key {
    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Key::Text(text) => Some(text),
            _ => None,
        }
    }
}

const FUNCTIONS: [(&str, Function); 6] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("min", Function::Min),
    ("max", Function::Max),
    ("avg", Function::Avg),
    ("distinct", Function::Distinct),
];

impl FromStr for Measure {
    type Err = InvalidMeasure;

    fn from_str(text: &str) -> Result<Self, InvalidMeasure> {
        let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
        let (name, field) = parts.ok_or(InvalidMeasure::Function)?;
        let percentile = || name.strip_prefix('p')?.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let function = known.or_else(|| percentile().map(Function::Percentile)).ok_or(InvalidMeasure::Function)?;
        Ok(Self { function, field: field.parse()? })
    }
}

/// As it is parsed.
impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, field } = self;
        match (FUNCTIONS.iter().find(|(_, known)| known == function), function) {
            (None, Function::Percentile(percent)) => write!(f, "p{percent}({field})"),
            (known, _) => write!(f, "{}({field})", known.map_or("count", |(name, _)| name)),
        }
    }
}
