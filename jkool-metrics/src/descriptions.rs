//! Units and descriptions of metrics, by name.

use metrics::{KeyName, SharedString, Unit};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) unit: Option<Unit>,
    pub(crate) text: Option<SharedString>,
}

#[derive(Debug, Default)]
pub(crate) struct Descriptions(RwLock<HashMap<KeyName, Description>>);

/// A limit that programs do not reach, because names are in their code.
const MOST: usize = 100_000;

impl Descriptions {
    /// The last description counts; a description without a unit keeps the previous unit.
    pub(crate) fn describe(&self, name: &KeyName, unit: Option<Unit>, text: SharedString) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST || all.contains_key(name) {
            let description = all.entry(name.to_retained()).or_default();
            description.unit = unit.or(description.unit);
            description.text = Some(text).filter(|text| !text.is_empty());
        }
    }

    pub(crate) fn get(&self, name: &str) -> Description {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }
}
