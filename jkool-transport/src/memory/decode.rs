//! Decodes what a memory transport was sent.

use crate::payload::{Kind, Payload};
use serde::de::DeserializeOwned;

/// A payload that could not be decoded.
#[derive(Debug, thiserror::Error)]
#[error("payload {index} ({kind}) cannot be decoded: {source}")]
pub struct DecodeError {
    index: usize,
    kind: Kind,
    line: usize,
    column: usize,
    source: serde_json::Error,
}

impl DecodeError {
    /// Returns the index of the payload, from 0, among all payloads of any kind that the transport holds.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the kind of the payload.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the line in the payload's body, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in that line, from 1; 0 if the error is about the whole body.
    pub fn column(&self) -> usize {
        self.column
    }
}

/// The payloads of one kind, decoded.
pub(super) fn all<T: DeserializeOwned>(payloads: &[Payload], kind: Kind) -> Result<Vec<T>, DecodeError> {
    let of_kind = payloads.iter().enumerate().filter(|(_, payload)| payload.kind() == kind);
    of_kind
        .map(|(index, payload)| {
            serde_json::from_slice(payload.body()).map_err(|source| DecodeError {
                index,
                kind,
                line: source.line(),
                column: source.column(),
                source,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn decodes_one_kind_in_order() {
        let payloads =
            [Payload::new(Kind::Event, "1"), Payload::new(Kind::Log, "\"two\""), Payload::new(Kind::Event, "3")];
        assert_eq!(all::<u32>(&payloads, Kind::Event).expect("numbers"), [1, 3]);
        assert_eq!(all::<String>(&payloads, Kind::Log).expect("texts"), ["two"]);
        assert!(all::<String>(&payloads, Kind::Activity).expect("none").is_empty());
    }

    #[test]
    fn an_error_says_which_and_where() {
        let payloads =
            [Payload::new(Kind::Event, "1"), Payload::new(Kind::Log, "{"), Payload::new(Kind::Event, "[\n 5x]")];
        let error = all::<serde_json::Value>(&payloads, Kind::Event).expect_err("no JSON");
        assert_eq!((error.index(), error.kind(), error.line(), error.column()), (2, Kind::Event, 2, 3));
        assert!(error.to_string().starts_with("payload 2 (event) cannot be decoded: "), "{error}");
        assert!(error.source().is_some());
        assert_eq!(all::<String>(&payloads, Kind::Event).expect_err("another shape").index(), 0);
    }
}
