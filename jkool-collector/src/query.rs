//! The query string of a url.

use std::fmt;
use std::str::FromStr;

/// The parameters of a request. Each reader takes out the parameters that it knows; [`finish`](Self::finish) refuses the others.
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

/// The error for a parameter with an invalid value, or with an unknown name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}={value:?}: {expected}")]
pub struct InvalidQuery {
    /// The name of the parameter.
    pub parameter: String,
    /// Its value, truncated to 64 characters.
    pub value: String,
    /// A description of valid values.
    pub expected: String,
}

impl InvalidQuery {
    pub(crate) fn new(parameter: &str, value: &str, expected: impl fmt::Display) -> Self {
        let cut = |text: &str| text.chars().take(64).collect();
        Self { parameter: cut(parameter), value: cut(value), expected: expected.to_string() }
    }
}

impl Query {
    /// Parses a query string or the body of a form. Parameters without a value are ignored.
    pub fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.filter(|(_, value)| !value.is_empty()).map(|(n, v)| (n.into_owned(), v.into_owned())).collect())
    }

    /// Adds a parameter.
    pub fn push(&mut self, parameter: &str, value: impl fmt::Display) {
        self.0.push((parameter.to_owned(), value.to_string()));
    }

    /// Returns all parameters with their values, for the hidden fields of a form.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// Adds all parameters of another query.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Takes a parameter out.
    ///
    /// # Errors
    /// Returns an error if the value is not a `T`, or if the parameter is repeated.
    pub fn take<T>(&mut self, parameter: &str) -> Result<Option<T>, InvalidQuery>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let Some(value) = self.take_text(parameter)? else { return Ok(None) };
        if value.trim().is_empty() {
            return Ok(None);
        }
        value.trim().parse().map(Some).map_err(|error: T::Err| InvalidQuery::new(parameter, &value, error))
    }

    /// Takes a text out, with leading and trailing spaces. It must not be repeated.
    pub(crate) fn take_text(&mut self, parameter: &str) -> Result<Option<String>, InvalidQuery> {
        let mut texts = self.take_texts(parameter);
        match (texts.pop(), texts.is_empty()) {
            (Some(last), false) => Err(InvalidQuery::new(parameter, &last, "expected only once")),
            (last, _) => Ok(last),
        }
    }

    /// Takes all values of a parameter that may be repeated.
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

    /// Checks that no parameter is left.
    ///
    /// # Errors
    /// Returns an error with the first parameter that was not taken out.
    pub fn finish(self) -> Result<(), InvalidQuery> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((parameter, value)) => Err(InvalidQuery::new(&parameter, &value, "no such parameter")),
        }
    }
}

/// Writes the query string of a url, without the `?`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish())
    }
}
