//! Parse errors.

use std::collections::BTreeSet;
use std::fmt;

/// A parse error: the position, what was expected there, and what was found instead.
///
/// ```
/// let error = jkool_jkql::parse("get events wher severity = 'ERROR'").unwrap_err();
/// assert_eq!(error.column, 12);
/// assert!(error.to_string().starts_with("column 12: expected "), "{error}");
/// assert!(error.to_string().ends_with("found `wher`; did you mean `where`?"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The column of the error, from 1, in characters.
    pub column: usize,
    /// What was expected there.
    pub expected: Vec<String>,
    /// What was found; empty at the end of the text.
    pub found: String,
    /// A suggestion, if there is a similar name.
    pub nearest: Option<String>,
}

impl ParseError {
    /// Creates an error for an unknown name at `column`, with a suggestion from `known`.
    pub fn unknown(
        column: usize,
        expected: &str,
        found: &str,
        known: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let nearest = nearest(found, known);
        Self { column, expected: vec![expected.to_owned()], found: found.to_owned(), nearest }
    }

    pub(crate) fn at(text: &str, offset: usize, expected: &BTreeSet<&'static str>) -> Self {
        let column = column_of(text, offset);
        let rest = text.get(offset..).unwrap_or_default();
        let word = rest.find(|c: char| c.is_whitespace() || "()<>=!,:".contains(c)).unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let found: String = rest.get(..word.max(first)).unwrap_or_default().chars().take(64).collect();
        // Symbols are similar to everything.
        let words = expected.iter().filter(|word| word.starts_with('`') && word.len() > 4);
        let nearest = nearest(&found, words.map(|word| word.trim_matches('`')));
        Self { column, expected: expected.iter().map(|&text| text.to_owned()).collect(), found, nearest }
    }
}

/// Returns the column of a byte, from 1, in characters.
pub(crate) fn column_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).chars().count() + 1
}

/// Returns the most similar of `known`, if any is similar enough.
fn nearest(found: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let found = found.to_lowercase();
    let distance = |name: &str| {
        let name = name.to_lowercase();
        // The part before the last dot of a name is often omitted.
        let last = name.rsplit(['.', '/']).next().unwrap_or_default();
        [&*name, last].iter().map(|name| strsim::damerau_levenshtein(&found, name)).min().unwrap_or(usize::MAX)
    };
    let near = known.into_iter().map(|name| (distance(name.as_ref()), name.as_ref().len(), name.as_ref().to_owned()));
    let (distance, _, name) = near.min()?;
    (distance <= (found.chars().count() / 3).max(1)).then_some(name)
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: expected ", self.column)?;
        for (index, expected) in self.expected.iter().enumerate() {
            let between = match index {
                0 => "",
                last if last + 1 == self.expected.len() => " or ",
                _ => ", ",
            };
            write!(f, "{between}{expected}")?;
        }
        match self.found.as_str() {
            "" => f.write_str(", found the end")?,
            found => write!(f, ", found `{found}`")?,
        }
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
