//! What an adapter adds to an event.

use crate::emit::code::Code;
use jkool_model::Property;

/// The place in the code, and properties that are JSON already. For logging adapters; programs emit complete events.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct More<'a> {
    pub code: Option<Code>,
    /// Each has a comma before it. None has a name of the event's own properties, or one that the client
    /// [adds](crate::Client::adds_property).
    pub properties: &'a [u8],
}

impl More<'_> {
    pub(crate) const NOTHING: Self = Self { code: None, properties: &[] };

    /// Adds it to the properties of an event that is not encoded.
    pub(crate) fn add_to(self, properties: &mut Vec<Property>) {
        if let Some((_, list)) = self.properties.split_first() {
            let json = [b"[", list, b"]"].concat();
            // Adapters write the JSON of the model, so it can be read.
            properties.extend(serde_json::from_slice::<Vec<Property>>(&json).unwrap_or_default());
        }
        if let Some(code) = self.code {
            code.add_to(properties);
        }
    }
}

impl From<Option<Code>> for More<'_> {
    fn from(code: Option<Code>) -> Self {
        Self { code, properties: &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::More;
    use crate::emit::code::Code;
    use jkool_model::{Property, ValueType};

    #[test]
    fn what_is_json_already_is_read_as_it_was() {
        let told = [
            Property::new("text", "a \"quoted\" one"),
            Property::new("busy", 7_i64).value_type(ValueType::AgeUsec),
            Property::new("large", i128::MAX),
            Property::new("none", f64::NAN),
        ];
        let mut json = Vec::new();
        for property in &told {
            json.push(b',');
            property.append_json(&mut json);
        }
        let mut properties = vec![Property::new("own", 1)];
        let code = Code { module: "m", file: "f", line: 3 };
        More { code: Some(code), properties: &json }.add_to(&mut properties);
        assert_eq!(properties[1..5], told);
        assert_eq!(properties[5..], code.properties());
    }
}
