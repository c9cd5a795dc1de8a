//! The place in the code where an event was created.

use jkool_model::{Property, Text};

/// The place in the code of a log call.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
}

/// The place as properties.
pub(crate) const MODULE: &str = "module";
pub(crate) const FILE: &str = "file";
pub(crate) const LINE: &str = "line";

impl Code {
    /// Whether it has a property with this name.
    pub(crate) fn has(name: &str) -> bool {
        [MODULE, FILE, LINE].contains(&name)
    }

    pub(crate) fn properties(self) -> [Property; 3] {
        [Property::new(MODULE, self.module), Property::new(FILE, self.file), Property::new(LINE, self.line)]
    }

    /// Adds the place in the code, unless the properties contain it.
    pub(crate) fn add_to(self, properties: &mut Vec<Property>) {
        let own = |name: &Text| properties.iter().any(|property| property.name == *name);
        let missing: Vec<_> = self.properties().into_iter().filter(|property| !own(&property.name)).collect();
        properties.extend(missing);
    }
}
