//! Conditions as they were written: names are not yet looked up, values not yet read.

use std::fmt;

/// What is asked of an entity: a tree, the same for jKQL and for the short form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Every one of these. Of none, it is everything.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// Words in the texts of an entity, one after the other.
    Words {
        /// The words.
        text: String,
        /// Whether the last of them only has to begin so.
        begins: bool,
    },
    /// A test of a field.
    Test {
        /// The field.
        name: Name,
        /// What one of its values must be.
        test: Test,
    },
}

impl Default for Condition {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// The name of a field, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Name {
    /// Which field.
    pub kind: NameKind,
    /// Its column in the text, from 1.
    pub column: usize,
}

/// The forms in which a field is named.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameKind {
    /// `severity`, `ElapsedTime`, `order-amount`, `Payment.amount`.
    Bare(String),
    /// `properties('order-amount')`: a property, or a value of any snapshot.
    Property(String),
    /// `snapshots('Payment', 'amount')`, or with the category before: a value of a snapshot.
    Snapshot {
        /// The category, if it is said.
        category: Option<String>,
        /// The snapshot's name.
        name: String,
        /// The name of the value.
        property: String,
    },
}

/// What is asked of the value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Test {
    /// There is any.
    Exists,
    /// It is this.
    Is(Value),
    /// It begins with this.
    Begins(Value),
    /// It contains this.
    Contains(Value),
    /// It fits a pattern, in which `%` is any text and `_` any character.
    Like(Value),
    /// It is above or below this.
    Compare(Comparison, Value),
}

/// How values are compared.
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

/// A value, and where it was written.
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
