//! The properties of a span.

use jkool_client::RawProperties;
use jkool_client::model::{Property, Scalar};

/// The maximum number in a span, which may be open as long as the program runs.
const MAX: usize = 256;

/// A larger buffer is not kept for other spans.
const MAX_SPARE: usize = 4 << 10;

/// The names of the properties that each span gets when it ends, if the setting is on.
pub(crate) const OF_TIMES: [&str; 2] = ["busy", "idle"];

/// Names are unique. The functions that set a property return false if the limit is reached.
#[derive(Debug, Default, Clone)]
pub(crate) struct Properties {
    raw: RawProperties,
    has_times: bool,
}

impl Properties {
    /// Removes all.
    pub(crate) fn clear(&mut self) {
        self.raw.clear();
        self.has_times = false;
    }

    /// Whether the buffer is small enough to be kept for another span.
    pub(crate) fn is_small(&self) -> bool {
        self.raw.capacity() <= MAX_SPARE
    }

    pub(crate) fn raw(&self) -> &RawProperties {
        &self.raw
    }

    /// Whether a property has the name of one that each span gets when it ends.
    pub(crate) fn has_times(&self) -> bool {
        self.has_times
    }

    pub(crate) fn set(&mut self, name: &str, value: Scalar<'_>) -> bool {
        self.has_room_for(name) && {
            self.raw.set(name, value);
            true
        }
    }

    pub(crate) fn set_usec(&mut self, name: &str, usec: i64) -> bool {
        self.has_room_for(name) && {
            self.raw.set_usec(name, usec);
            true
        }
    }

    pub(crate) fn set_property(&mut self, property: &Property) -> bool {
        self.has_room_for(&property.name) && {
            self.raw.set_property(property);
            true
        }
    }

    /// Appends a property, regardless of the limit, without looking for one with the same name.
    pub(crate) fn push(&mut self, name: &str, value: Scalar<'_>) {
        self.raw.push(name, value);
    }

    /// Sets a property regardless of the limit.
    pub(crate) fn add(&mut self, name: &str, value: Scalar<'_>) {
        self.raw.set(name, value);
    }

    fn has_room_for(&mut self, name: &str) -> bool {
        self.has_times |= OF_TIMES.contains(&name);
        self.raw.len() < MAX || self.raw.has(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX, Properties};
    use jkool_client::model::Scalar;

    #[test]
    fn there_is_an_end() {
        let mut properties = Properties::default();
        let names: Vec<String> = (0..=MAX).map(|n| n.to_string()).collect();
        let mut set = |name: &String| properties.set(name, Scalar::Text(name));
        assert!(names[..MAX].iter().all(&mut set) && !set(&names[MAX]) && set(&names[0]));
        properties.add(&names[MAX], Scalar::Bool(true));
        assert_eq!(properties.raw().len(), MAX + 1);
        properties.clear();
        assert!(properties.raw().is_empty() && !properties.is_small());
    }
}
