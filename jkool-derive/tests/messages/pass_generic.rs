//! Generics, bounds, a name of its own for the model, and a struct of no fields.
use jkool_model as elsewhere;
use jkool_model::{Snapshot, ToSnapshot};

#[derive(Snapshot)]
struct Generic<'a, T: Clone, const N: usize>
where
    T: PartialEq,
{
    values: [T; N],
    text: &'a str,
}

#[derive(Snapshot)]
#[jkool(crate = "elsewhere")]
struct Empty {}

fn main() {
    let snapshot = Generic { values: [1, 2], text: "x" }.to_snapshot();
    assert_eq!(snapshot.properties.len(), 2);
    assert!(Empty {}.to_snapshot().properties.is_empty());
}
