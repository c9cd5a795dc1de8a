//! Fields that are converted by serde.

use crate::told;
use jkool_model::{Snapshot, ToSnapshot};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Serialize, Clone)]
#[serde(rename_all = "kebab-case")]
enum State {
    Open,
    InTransit(u64),
    Lost { since: i32, by: Option<&'static str> },
    At(f32, f64),
}

#[derive(Serialize)]
struct Address {
    #[serde(rename = "zip-code")]
    zip: u16,
    street: Option<String>,
    #[serde(skip)]
    _secret: u8,
    tags: BTreeMap<u8, char>,
}

#[derive(Snapshot)]
struct Order<T> {
    #[jkool(serde)]
    states: [State; 4],
    #[jkool(serde)]
    state: State,
    #[jkool(serde, rename = "is")]
    named: State,
    #[jkool(serde)]
    address: Address,
    #[jkool(serde, value_type = "gauge")]
    any: T,
    #[jkool(serde)]
    absent: Option<u8>,
    #[jkool(serde)]
    unit: (),
}

#[test]
fn whatever_serde_writes_becomes_properties() {
    let lost = State::Lost { since: -3, by: None };
    let order = Order {
        states: [State::Open, State::InTransit(4), lost.clone(), State::At(0.1, 2.0)],
        state: lost,
        named: State::Open,
        address: Address { zip: 10_115, street: None, _secret: 1, tags: BTreeMap::from([(10, 'x'), (9, 'y')]) },
        any: (i128::MAX, true, Some(None::<u8>)),
        absent: None,
        unit: (),
    };
    let expected = [
        r#"states: list ["open",{"in-transit":4},{"lost":{"since":-3}},{"at":[0.1,2.0]}] [none]"#,
        "state.lost.since: int -3 [none]",
        "is: string open [none]",
        "address.zip-code: int 10115 [none]",
        "address.tags.9: char y [none]",
        "address.tags.10: char x [none]",
        "any: list [170141183460469231731687303715884105727,true,null] [gauge]",
    ];
    assert_eq!(told(&order.to_snapshot()), expected);
}

#[derive(Snapshot)]
struct Odd {
    before: u8,
    #[jkool(serde)]
    failing: Failing,
    #[jkool(serde)]
    no_key: BTreeMap<[u8; 2], u8>,
    after: u8,
}

struct Failing;

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("the lock is poisoned"))
    }
}

#[test]
fn what_serde_cannot_write_is_told_and_the_others_stay() {
    let odd = Odd { before: 1, failing: Failing, no_key: BTreeMap::from([([1, 2], 3)]), after: 2 };
    let expected = [
        "before: short 1 [none]",
        "failing: string [failed] the lock is poisoned [none]",
        "no_key: string [failed] the key of a map is neither a text nor a number [none]",
        "after: short 2 [none]",
    ];
    assert_eq!(told(&odd.to_snapshot()), expected);
}

#[derive(Snapshot)]
struct Strange {
    #[jkool(serde)]
    shown: Shown,
    #[jkool(serde)]
    whole: ExactNumber,
    #[jkool(serde)]
    real: ExactNumber,
}

/// Is written by its `Display`, which fails.
struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        Err(fmt::Error)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As serde_json writes a number if any crate of the program enables its feature `arbitrary_precision`.
#[derive(Serialize)]
#[serde(rename = "$serde_json::private::Number")]
struct ExactNumber {
    #[serde(rename = "$serde_json::private::Number")]
    digits: &'static str,
}

#[test]
fn a_display_that_fails_does_not_panic_and_an_exact_number_is_a_number() {
    let strange = Strange { shown: Shown, whole: ExactNumber { digits: "42" }, real: ExactNumber { digits: "2.5" } };
    let expected = ["shown: string half of it[failed] [none]", "whole: int 42 [none]", "real: double 2.5 [none]"];
    assert_eq!(told(&strange.to_snapshot()), expected);
}
