//! What an adapter adds to an event.

use crate::emit::code::Code;
use crate::emit::raw_properties::RawProperties;
use jkool_model::Property;

/// The place in the code, and raw properties. For logging adapters; programs emit complete events.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct More<'a> {
    pub code: Option<Code>,
    /// None has a name of the event's own properties, or one that the client [adds](crate::Client::adds_property).
    pub properties: Option<&'a RawProperties>,
}

impl More<'_> {
    pub(crate) const NOTHING: Self = Self { code: None, properties: None };

    /// Adds it to the properties of an event that is not encoded.
    pub(crate) fn add_to(self, properties: &mut Vec<Property>) {
        properties.extend(self.properties.into_iter().flat_map(RawProperties::properties));
        if let Some(code) = self.code {
            code.add_to(properties);
        }
    }
}

impl From<Option<Code>> for More<'_> {
    fn from(code: Option<Code>) -> Self {
        Self { code, properties: None }
    }
}

#[cfg(test)]
mod tests {
    use super::More;
    use crate::emit::code::Code;
    use crate::emit::raw_properties::RawProperties;
    use jkool_model::{Property, ValueType};

    #[test]
    fn what_is_raw_is_read_as_it_was() {
        let told = [
            Property::new("text", "a \"quoted\" one"),
            Property::new("busy", 7_i64).value_type(ValueType::AgeUsec),
            Property::new("large", i128::MAX),
            Property::new("none", f64::NAN),
        ];
        let mut raw = RawProperties::new();
        told.iter().for_each(|property| raw.push_property(property));
        let mut properties = vec![Property::new("own", 1)];
        let code = Code { module: "m", file: "f", line: 3 };
        More { code: Some(code), properties: Some(&raw) }.add_to(&mut properties);
        assert_eq!(properties[1..5], told);
        assert_eq!(properties[5..], code.properties());
    }
}
