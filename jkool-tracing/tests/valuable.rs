//! Fields that are `Valuable`. Runs only where tracing has them:
//! `RUSTFLAGS="--cfg tracing_unstable" cargo test -p jkool-tracing --features valuable --test valuable`.
#![cfg(all(tracing_unstable, feature = "valuable"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use ::valuable::Valuable;
use common::{start, value};
use jkool_tracing::model::Value;
use std::collections::BTreeMap;
use tracing::field::valuable;
use tracing::{info, info_span};

#[derive(Valuable)]
struct Order {
    number: u32,
    items: Vec<Item>,
    paid: Paid,
    sizes: (u64, f64),
    notes: BTreeMap<String, Option<bool>>,
    bytes: Vec<u8>,
}

#[derive(Valuable)]
struct Item(String, i128);

#[derive(Valuable)]
enum Paid {
    Not,
    By { card: String },
}

#[test]
fn a_structure_is_a_structure() {
    let order = Order {
        number: 7,
        items: vec![Item("book".into(), i128::MAX)],
        paid: Paid::By { card: "visa".into() },
        sizes: (u64::MAX, 0.5),
        notes: BTreeMap::from([("gift".into(), Some(true)), ("late".into(), None)]),
        bytes: vec![1, 2],
    };
    let (streamed, _default) = start(|builder| builder);
    info!(order = valuable(&order), open = valuable(&Paid::Not), "taken");
    drop(info_span!("s", order = valuable(&order)));
    let expected = serde_json::json!({
        "number": 7, "items": [["book", i128::MAX.to_string()]], "paid": {"By": {"card": "visa"}},
        "sizes": [u64::MAX.to_string(), 0.5], "notes": {"gift": true, "late": null}, "bytes": [1, 2],
    });
    let told = |value: &Value| serde_json::to_value(value).unwrap();
    let (event, activity) = (streamed.event(), streamed.activity());
    assert_eq!(value(&event.properties, "order").map(told), Some(expected.clone()));
    assert_eq!(value(&activity.properties, "order").map(told), Some(expected));
    assert_eq!(value(&event.properties, "open"), Some(&Value::Text("Not".into())));
}
