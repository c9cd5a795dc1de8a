//! The statistics of the client, as a snapshot.

use crate::recorder::RecorderStats;
use jkool_client::model::{Property, Snapshot, ValueType};
use jkool_client::{LossReason, Stats};

/// The snapshot of the client's counters and the number of series.
pub(crate) fn snapshot(client: &Stats, recorder: RecorderStats) -> Snapshot {
    let mut snapshot = Snapshot::builder("jkool-client").category("jKool").build();
    let mut add = |name: &'static str, value: u64, value_type: ValueType| {
        snapshot.properties.push(Property::new(name, value).value_type(value_type));
    };
    add("accepted", client.accepted(), ValueType::Counter);
    add("recovered", client.recovered(), ValueType::Counter);
    add("delivered", client.delivered(), ValueType::Counter);
    add("maybe-duplicated", client.maybe_duplicated(), ValueType::Counter);
    add("dropped", LossReason::ALL.iter().map(|reason| client.dropped(*reason)).sum(), ValueType::Counter);
    add("in-memory", client.in_memory(), ValueType::Gauge);
    add("bytes-in-memory", client.bytes_in_memory() as u64, ValueType::SizeByte);
    add("spooled", client.spooled(), ValueType::Gauge);
    add("bytes-spooled", client.bytes_spooled(), ValueType::SizeByte);
    add("series", recorder.series as u64, ValueType::Gauge);
    add("series-refused", recorder.refused, ValueType::Counter);
    for reason in LossReason::ALL.iter().filter(|reason| client.dropped(**reason) > 0) {
        let name = format!("dropped.{}", reason.name());
        snapshot.properties.push(Property::new(name, client.dropped(*reason)).value_type(ValueType::Counter));
    }
    snapshot
}
