//! Conditions joined by and, or and not.

use crate::condition::{Condition, Test};
use crate::field::{FieldName, FieldValue};
use crate::filter::words_of;
use crate::store::{Search, Stored};
use std::fmt;

/// A tree of conditions for entities, which the index, the tail and every other store evaluate.
///
/// `Display` writes it in the short form of a query line.
///
/// ```
/// use jkool_collector::{Condition, Expression};
/// let failed: Condition = "severity>=ERROR".parse()?;
/// let slow: Condition = "elapsed-time-usec>2s".parse()?;
/// let either = Expression::Any(vec![failed.into(), slow.into()]);
/// assert_eq!(either.to_string(), "severity>=ERROR OR elapsed-time-usec>2000000");
/// # Ok::<(), jkool_collector::InvalidCondition>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expression {
    /// All of these must be true. If there are none, every entity matches.
    All(Vec<Expression>),
    /// At least one of these must be true. If there are none, no entity matches.
    Any(Vec<Expression>),
    /// This must not be true.
    Not(Box<Expression>),
    /// A condition on a field.
    Condition(Condition),
    /// The operation, the message, the exception or a tag must contain these consecutive words, ignoring case and accents. A text without
    /// words matches no entity.
    Words {
        /// The words.
        text: String,
        /// Whether the last word is a prefix.
        begins: bool,
    },
}

impl Expression {
    /// Whether it matches everything, because it is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// The conditions that must all be true.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// Both this and `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut parts = self.into_parts();
        parts.extend(other.into_parts());
        match parts.len() {
            1 => parts.remove(0),
            _ => Self::All(parts),
        }
    }

    fn into_parts(self) -> Vec<Self> {
        match self {
            Self::All(parts) => parts,
            one => vec![one],
        }
    }

    /// Whether `stored` satisfies it.
    pub fn matches(&self, stored: &Stored) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(stored)),
            Self::Any(parts) => any(parts, stored),
            Self::Not(part) => !part.matches(stored),
            Self::Condition(condition) => condition.matches(stored),
            Self::Words { text, begins } => Search::words(text, *begins).matches(&words_of(&stored.entity)),
        }
    }
}

/// Whether one of `parts` is true. There may be hundreds that ask for an id, so the values of a field are read once for
/// all successive equality tests on it.
fn any(parts: &[Expression], stored: &Stored) -> bool {
    let mut known: Option<(&FieldName, Vec<FieldValue<'_>>)> = None;
    parts.iter().any(|part| match part {
        Expression::Condition(condition @ Condition { field, test: Test::Is(_), .. }) => {
            let values = match known.take() {
                Some((of, values)) if of == field => values,
                _ => condition.values(stored),
            };
            let holds = condition.holds(&values);
            known = Some((field, values));
            holds
        }
        part => part.matches(stored),
    })
}

/// Matches everything.
impl Default for Expression {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl From<Condition> for Expression {
    fn from(condition: Condition) -> Self {
        Self::Condition(condition)
    }
}

/// In the short form of a query line.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Self], between: &str| {
            for (index, part) in parts.iter().enumerate() {
                f.write_str(if index > 0 { between } else { "" })?;
                part.operand().fmt(f)?;
            }
            Ok(())
        };
        match self {
            Self::All(parts) if parts.is_empty() => f.write_str("*"),
            Self::Any(parts) if parts.is_empty() => f.write_str("-*"),
            Self::All(parts) => list(f, parts, " "),
            Self::Any(parts) => list(f, parts, " OR "),
            Self::Not(part) => write!(f, "-{}", part.operand()),
            Self::Condition(condition) => condition.short(f),
            Self::Words { text, begins } => {
                Quoted(text).fmt(f)?;
                f.write_str(if *begins { "*" } else { "" })
            }
        }
    }
}

impl Expression {
    /// As a part of another expression.
    fn operand(&self) -> Operand<'_> {
        Operand(self)
    }
}

struct Operand<'a>(&'a Expression);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Condition(Condition { negated: false, .. }) | Expression::Words { .. } => self.0.fmt(f),
            other => write!(f, "({other})"),
        }
    }
}

/// A name or a value, quoted if necessary.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '%' | '#' | '@' | '+');
        let is_word = !["AND", "OR", "NOT"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) && is_word {
            return f.write_str(text);
        }
        f.write_str("\"")?;
        for c in text.chars() {
            f.write_str(if matches!(c, '"' | '\\') { "\\" } else { "" })?;
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn an_expression_is_written_so_that_it_can_be_read() {
        let is = |text: &str| Expression::Condition(text.parse().unwrap());
        let words = |text: &str, begins| Expression::Words { text: text.to_owned(), begins };
        for (expression, text) in [
            (Expression::default(), "*"),
            (Expression::Any(vec![]), "-*"),
            (is("user=alice"), "user:alice"),
            (is("user!=alice"), "-user:alice"),
            (is("user=a \"b\" \\c"), r#"user:"a \"b\" \\c""#),
            (is("user^=al"), "user:al*"),
            (is("user*=a*"), "user:*\"a*\"*"),
            (is("!user"), "-user:*"),
            (is("severity>=WARNING"), "severity>=WARNING"),
            (is("properties.order no<5"), "\"properties.order no\"<5"),
            (words("no stock", false).and(words("pay", true)), "\"no stock\" pay*"),
            (
                Expression::Not(Box::new(Expression::Any(vec![is("pid=1"), is("tid!=2").and(is("pid>3"))])))
                    .and(is("user=or")),
                "(-(pid:1 OR ((-tid:2) pid>3))) user:\"or\"",
            ),
        ] {
            assert_eq!(expression.to_string(), text);
        }
    }
}
