//! The events as structs that serde's derive serialises: what a user would write first.

use super::{LOCATION, SOURCE, USER, uuid};
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Value {
    Text(&'static str),
    Int(i64),
    Float(f64),
}

#[derive(Debug, Serialize)]
struct Property {
    name: &'static str,
    value: Value,
    #[serde(rename = "type")]
    data_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Snapshot {
    name: &'static str,
    time_usec: u64,
    #[serde(rename = "type")]
    op_type: &'static str,
    category: &'static str,
    properties: [Property; 5],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FullEvent<'a> {
    operation: &'static str,
    #[serde(rename = "type")]
    op_type: &'static str,
    tracking_id: &'a str,
    source_fqn: &'static str,
    severity: &'static str,
    pid: u32,
    tid: u32,
    user: &'static str,
    location: &'static str,
    resource: &'static str,
    time_usec: u64,
    end_time_usec: u64,
    elapsed_time_usec: u64,
    corr_id: [&'static str; 1],
    msg_text: &'a str,
    snapshots: [Snapshot; 1],
}

impl<'a> FullEvent<'a> {
    pub fn new(id: &'a str, message: &'a str, i: u64, time: u64) -> Self {
        let property = |name, value, data_type| Property { name, value, data_type };
        Self {
            operation: "orders",
            op_type: "EVENT",
            tracking_id: id,
            source_fqn: SOURCE,
            severity: "INFO",
            pid: 4242,
            tid: 4243,
            user: USER,
            location: LOCATION,
            resource: "ORDERS.QUEUE",
            time_usec: time,
            end_time_usec: time,
            elapsed_time_usec: i & 63,
            corr_id: ["CID:7f3d12"],
            msg_text: message,
            snapshots: [Snapshot {
                name: "Payment",
                time_usec: time,
                op_type: "SNAPSHOT",
                category: "Order",
                properties: [
                    property("order-no", Value::Int(i as i64), "integer"),
                    property("order-amount", Value::Float(129.95), "decimal"),
                    property("currency", Value::Text("EUR"), "string"),
                    property("customer", Value::Text("acme-corp"), "string"),
                    property("items", Value::Int((i & 7) as i64), "integer"),
                ],
            }],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SmallEvent<'a> {
    operation: &'static str,
    #[serde(rename = "type")]
    op_type: &'static str,
    msg_text: &'a str,
    severity: &'static str,
}

/// The full event, by serde_json.
pub fn full(out: &mut Vec<u8>, message: &str, i: u64, time: u64) {
    let id = uuid::fake(i);
    let id = std::str::from_utf8(&id).expect("ASCII");
    serde_json::to_writer(out, &FullEvent::new(id, message, i, time)).expect("memory");
}

/// The small event, by serde_json.
pub fn small(out: &mut Vec<u8>, message: &str, _: u64, _: u64) {
    let event = SmallEvent { operation: "orders", op_type: "EVENT", msg_text: message, severity: "INFO" };
    serde_json::to_writer(out, &event).expect("memory");
}
