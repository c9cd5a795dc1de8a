//! Conditions as written: names are not resolved, and values not parsed.

use std::fmt;

/// A condition on an entity: a tree, the same for jKQL and for the query line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// All of these conditions. An empty list matches everything.
    All(Vec<Condition>),
    /// At least one of these conditions.
    Any(Vec<Condition>),
    /// The negation of a condition.
    Not(Box<Condition>),
    /// Consecutive words in the texts of an entity.
    Words {
        /// The words.
        text: String,
        /// Whether the last word may be a prefix.
        begins: bool,
    },
    /// A test of a field.
    Test {
        /// The field.
        name: Name,
        /// The test that one of its values must pass.
        test: Test,
    },
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// The name of a field, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Name {
    /// The name.
    pub kind: NameKind,
    /// Its column in the text, from 1.
    pub column: usize,
}

/// The forms of field names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameKind {
    /// `severity`, `ElapsedTime`, `order-amount`, `Payment.amount`.
    Bare(String),
    /// `properties('order-amount')`: a property, or a value of any snapshot.
    Property(String),
    /// `snapshots('Payment', 'amount')`, or with the category first: a value of a snapshot.
    Snapshot {
        /// The category, if given.
        category: Option<String>,
        /// The name of the snapshot.
        name: String,
        /// The name of the value.
        property: String,
    },
}

/// A test of the value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Test {
    /// The field has a value.
    Exists,
    /// The value equals this.
    Is(Value),
    /// The value starts with this.
    Begins(Value),
    /// The value contains this.
    Contains(Value),
    /// The value matches a pattern, in which `%` is any text and `_` any character.
    Like(Value),
    /// The value is above or below this.
    Compare(Comparison, Value),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A value, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// Its text, without quotes.
    pub text: String,
    /// Its column in the text, from 1.
    pub column: usize,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(name) => f.write_str(name),
            Self::Property(name) => write!(f, "properties('{name}')"),
            Self::Snapshot { category: Some(category), name, property } => {
                write!(f, "snapshots('{category}', '{name}', '{property}')")
            }
            Self::Snapshot { name, property, .. } => write!(f, "snapshots('{name}', '{property}')"),
        }
    }
}
