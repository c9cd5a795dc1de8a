//! Entities for tests, as a store returns them.

use crate::filter::Filter;
use crate::store::{EntityId, Record, Store, Stored};
use jkool_model::Timestamp;
use proptest::prelude::*;

/// Parses entities from JSON, newest first.
pub(super) fn stored(entities: &[&str]) -> Vec<Stored> {
    let now = Timestamp::from_usec(1_000_000);
    let store = Store::builder().open().unwrap();
    let records = entities.iter().map(|json| Record::read(json.as_bytes().to_vec().into(), now).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(records)).unwrap();
    store.read_now(|reader| reader.find(&Filter::default(), 100, None, now)).unwrap()
}

/// Generates entities: some have a parent among them, themselves or an unknown one; some have no duration.
pub(super) fn entities() -> impl Strategy<Value = Vec<Stored>> {
    let one = (0..40_u32, 0..50_u32, 0..1_000_i64, prop_oneof![Just(0), 0..600_i64], 0..4_u8, any::<bool>());
    proptest::collection::vec(one, 0..40).prop_map(|all| {
        let stored = |(number, (id, parent, start, took, name, fails)): (usize, (u32, u32, i64, i64, u8, bool))| {
            let severity = if fails { "ERROR" } else { "INFO" };
            let json = format!(
                r#"{{"operation":"op-{name}","tracking-id":"{id}","parent-id":"{parent}","severity":"{severity}","time-usec":{},"start-time-usec":{},"elapsed-time-usec":{took}}}"#,
                start + took + 1,
                start + 1,
            );
            let time = Timestamp::from_usec(start + took + 1);
            let entity = serde_json::from_str(&json).unwrap();
            Stored { id: EntityId::new(time, number as u64), time, received: time, entity, json: json.into() }
        };
        all.into_iter().enumerate().map(stored).collect()
    })
}
