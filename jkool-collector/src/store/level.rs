//! The levels at which sources are combined on a map.

use crate::field::FieldName;
use jkool_model::{SourceFqn, SourceType};
use std::fmt;
use std::str::FromStr;

/// A level at which sources are combined: not at all, or by the element of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Source,
    Element(SourceType),
}

/// The value of [`Level::Source`] in a URL.
const SOURCE: &str = "SOURCE";

impl Level {
    /// Returns the source that represents `source` at this level. A source without such an element is returned
    /// unchanged.
    pub(crate) fn fold(self, source: &SourceFqn) -> SourceFqn {
        let Self::Element(wanted) = self else { return source.clone() };
        let element = source.elements().find(|(source_type, _)| *source_type == wanted);
        let folded = element.and_then(|(source_type, name)| element_alone(source_type, name));
        folded.unwrap_or_else(|| source.clone())
    }

    /// Returns the field to group by.
    pub(super) fn field(self) -> FieldName {
        FieldName::new(match self {
            Self::Source => "source-fqn".to_owned(),
            Self::Element(source_type) => source_type.to_string(),
        })
    }

    /// Returns the source for a value of [`field`](Self::field).
    pub(super) fn source(self, value: &str) -> Option<SourceFqn> {
        match self {
            Self::Source => value.parse().ok(),
            Self::Element(source_type) => element_alone(source_type, value),
        }
    }
}

fn element_alone(source_type: SourceType, name: &str) -> Option<SourceFqn> {
    SourceFqn::builder().element(source_type, name).build().ok()
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == SOURCE {
            return Ok(Self::Source);
        }
        let wanted = SourceType::ALL.iter().find(|source_type| source_type.as_str() == text);
        wanted
            .map(|wanted| Self::Element(*wanted))
            .ok_or("expected APPL, SERVER, DATACENTER, another element of a source, or SOURCE")
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source => f.write_str(SOURCE),
            Self::Element(source_type) => f.write_str(source_type.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;
    use jkool_model::SourceFqn;

    #[test]
    fn sources_are_folded_into_an_element_that_they_have() {
        let source: SourceFqn = "APPL=Shop#SERVER=web-1#DATACENTER=DC1".parse().unwrap();
        for (level, folded) in
            [("SOURCE", source.as_str()), ("APPL", "APPL=Shop"), ("SERVER", "SERVER=web-1"), ("CACHE", source.as_str())]
        {
            let level: Level = level.parse().unwrap();
            assert_eq!(level.fold(&source).as_str(), folded);
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("appl".parse::<Level>().is_err());
        assert_eq!("SERVER".parse::<Level>().unwrap().source("web-1").unwrap().as_str(), "SERVER=web-1");
    }
}
