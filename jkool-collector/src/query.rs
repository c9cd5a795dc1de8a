//! The part of a url behind the `?`.

use std::fmt;
use std::str::FromStr;

/// Names and values, taken out one by one by whoever knows them; what is left at the end is nobody's, and refused.
///
/// ```
/// use jkool_collector::Query;
/// let mut query = Query::parse("limit=5&text=no+stock");
/// assert_eq!(query.take::<usize>("limit")?, Some(5));
/// assert_eq!(query.take::<String>("text")?.as_deref(), Some("no stock"));
/// query.finish()?;
/// # Ok::<(), jkool_collector::InvalidQuery>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A parameter that says nothing understandable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}={value:?}: {expected}")]
pub struct InvalidQuery {
    /// Which.
    pub parameter: String,
    /// What it says, cut to 64 characters.
    pub value: String,
    /// What is wanted in its place.
    pub expected: String,
}

impl InvalidQuery {
    pub(crate) fn new(parameter: &str, value: &str, expected: impl fmt::Display) -> Self {
        let cut = |text: &str| text.chars().take(64).collect();
        Self { parameter: cut(parameter), value: cut(value), expected: expected.to_string() }
    }
}

impl Query {
    /// Reads what a form or a url says. Parameters without a value are as if absent.
    pub fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.filter(|(_, value)| !value.is_empty()).map(|(n, v)| (n.into_owned(), v.into_owned())).collect())
    }

    /// Adds a parameter.
    pub fn push(&mut self, parameter: &str, value: impl fmt::Display) {
        self.0.push((parameter.to_owned(), value.to_string()));
    }

    /// All parameters with their values, for the hidden fields of a form.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// Adds all of another one.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Takes a parameter out; of several the last.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn take<T>(&mut self, parameter: &str) -> Result<Option<T>, InvalidQuery>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let Some(value) = self.take_texts(parameter).pop() else { return Ok(None) };
        if value.trim().is_empty() {
            return Ok(None);
        }
        value.trim().parse().map(Some).map_err(|error: T::Err| InvalidQuery::new(parameter, &value, error))
    }

    /// Takes a text out, with the spaces at its ends; of several the last.
    pub(crate) fn take_text(&mut self, parameter: &str) -> Option<String> {
        self.take_texts(parameter).pop()
    }

    /// Takes all of a parameter that may be repeated.
    pub(crate) fn take_all<T>(&mut self, parameter: &str) -> Result<Vec<T>, InvalidQuery>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let read = |value: String| value.parse().map_err(|error: T::Err| InvalidQuery::new(parameter, &value, error));
        self.take_texts(parameter).into_iter().map(read).collect()
    }

    /// Takes all texts of a parameter out.
    pub(crate) fn take_texts(&mut self, parameter: &str) -> Vec<String> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(name, _)| name == parameter);
        self.0 = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// Names the first parameter that nobody took.
    pub fn finish(self) -> Result<(), InvalidQuery> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((parameter, value)) => Err(InvalidQuery::new(&parameter, &value, "no such parameter")),
        }
    }
}

/// As a url says it, without the `?`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish())
    }
}
