//! For tests: entities as a store gives them back.

use crate::filter::Filter;
use crate::store::{Record, Store, Stored};
use jkool_model::Timestamp;

/// Each of JSON, the youngest first.
pub(super) fn stored(entities: &[&str]) -> Vec<Stored> {
    let now = Timestamp::from_usec(1_000_000);
    let store = Store::builder().open().unwrap();
    let records = entities.iter().map(|json| Record::read(json.as_bytes().to_vec().into(), now).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(records)).unwrap();
    store.read_now(|reader| reader.find(&Filter::default(), 100, None, now)).unwrap()
}
