//! Search labels (tags): a single one is written as a text, several as a list.

use crate::Text;
use crate::json::Json;
use crate::wire::{self, Wire};
use serde::{Serialize, Serializer};

/// The tag, if there is only one.
fn one(tags: &[Text]) -> Option<&Text> {
    let mut tags = tags.iter().filter(|tag| !tag.is_empty());
    tags.next().filter(|_| tags.next().is_none())
}

/// Writes tags through serde.
pub(crate) struct Written<'a>(pub(crate) &'a Vec<Text>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match one(self.0) {
            Some(tag) => serializer.serialize_str(tag),
            None => wire::Written(self.0).serialize(serializer),
        }
    }
}

pub(crate) fn write_json<'a>(tags: &Vec<Text>, out: Json<'a>) -> Json<'a> {
    match one(tags) {
        Some(tag) => out.text(tag),
        None => tags.write_json(out),
    }
}

pub(crate) fn is_absent(tags: &Vec<Text>) -> bool {
    Wire::is_absent(tags)
}
