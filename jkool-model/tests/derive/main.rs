//! What `#[derive(Snapshot)]` makes of a struct.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod features;
mod fields;
mod serialized;

use jkool_model::{Property, Snapshot};

fn told(snapshot: &Snapshot) -> Vec<String> {
    let told = |p: &Property| format!("{}: {} {} [{}]", p.name, p.data_type, p.value, p.value_type);
    snapshot.properties.iter().map(told).collect()
}
