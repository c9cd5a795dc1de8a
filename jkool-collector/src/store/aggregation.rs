//! Aggregations: groups of entities, and measures of their fields.

use crate::field::{FieldName, UnknownField};
use jkool_model::Timestamp;
use std::fmt;
use std::str::FromStr;

/// How to group the entities that match a filter, and what to compute for each group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aggregation {
    /// The levels of groups, the outermost first. If empty, there is one group.
    pub groups: Vec<Group>,
    /// The measures to compute for each group, besides the number of its entities.
    pub measures: Vec<Measure>,
}

/// A way to group.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Group {
    /// By time, in buckets of this number of microseconds, which begin at its multiples.
    Time(i64),
    /// By the values of a field: at most this number of groups, those of the most frequent values. An entity without a value is in no group.
    Field(FieldName, usize),
}

/// A function of the values of a field in a group: `avg(elapsed-time-usec)`, `p95(properties.amount)`, `distinct(user)`.
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
    /// The function.
    pub function: Function,
    /// The field.
    pub field: FieldName,
}

/// A function that computes one number from the values of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Function {
    /// The number of values.
    Count,
    /// The sum of the values.
    Sum,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean of the values.
    Avg,
    /// The approximate percentile, by nearest rank: of `n` sorted values about the one at `ceil(percent / 100 * n)`,
    /// counted from 1.
    Percentile(f64),
    /// The number of different values; approximate if there are many.
    Distinct,
}

/// The error for a text that is not a [`Measure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMeasure {
    /// The text is not a function of a field.
    #[error("expected a measure such as count(user), sum(F), min(F), max(F), avg(F), p95(F) or distinct(F)")]
    Function,
    /// The text in parentheses is not the name of a field.
    #[error(transparent)]
    Field(#[from] UnknownField),
}

/// A group and its measures.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The keys of the group, one for each level.
    pub keys: Vec<Key>,
    /// The number of entities in the group.
    pub count: u64,
    /// The results, one for each measure; `None` if there is no value.
    pub values: Vec<Option<f64>>,
}

/// The key of a group: the value that its entities have in common.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Key {
    /// The start of a time bucket.
    Time(Timestamp),
    /// A text. A very long text is replaced by its beginning and a hash.
    Text(String),
    /// A number.
    Number(f64),
}

impl Key {
    /// Returns the text, if the key is one.
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
