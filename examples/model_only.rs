//! The data model alone, without a client: build an event, write it, read an old client's, read a source name.
//! `cargo run --example model_only`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_model::{Event, Property, Snapshot, SourceFqn, SourceType, Timestamp, ValueType};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Build and write.
    let source = SourceFqn::builder().appl("WebOrders").server("web-1").geoaddr("52.52437,13.41053").build()?;
    let payment = Snapshot::builder("Payment")
        .category("Order")
        .property("order-no", "A-100")
        .add_property(Property::new("order-amount", 250).value_type(ValueType::CurrencyUsd))
        .build();
    let event = Event::builder()
        .operation("ProcessOrder")
        .message("Order processed")
        .source(source)
        .time("2016-03-09T12:00:00Z".parse::<Timestamp>()?)
        .correlator("order-A-100")
        .snapshot(payment)
        .build()?;
    println!("{}\n", serde_json::to_string_pretty(&event)?);

    // Read what TNT4PY sent: a correlator that is no list, another name for the parent, a type `integer`.
    let old: Event = serde_json::from_str(TNT4PY)?;
    println!("read from TNT4PY: {:?}, severity {}, correlators {:?}", old.message, old.severity, old.correlators);
    for Property { name, value, data_type, .. } in &old.properties {
        println!("  property {name} = {value} ({data_type})");
    }
    println!("  in today's words: {}\n", serde_json::to_string(&old)?);

    // Read a source name, and a broken one.
    let source: SourceFqn = "APPL=WebOrders#SERVER=web-1#DATACENTER=DC1".parse()?;
    println!("runs on {}", source.get(SourceType::Server).unwrap_or("?"));
    for broken in ["APPL=WebOrders#SERVER", "APPL=WebOrders#Server=web-1", "APPL=Web=Orders", ""] {
        match broken.parse::<SourceFqn>() {
            Ok(source) => println!("{source} is a source"),
            Err(error) => println!("{broken:?} is none: {error}"),
        }
    }

    // What the service would refuse is told before it is sent.
    match Event::builder().operation("ProcessOrder").build() {
        Ok(event) => println!("{event:?}"),
        Err(error) => println!("no event: {error}"),
    }
    Ok(())
}

const TNT4PY: &str = r#"{"operation": "jKool logger", "type": "EVENT", "time-usec": 1457524800000000,
    "msg-text": "This is an example", "severity": "ERROR", "tracking-id": "t-0", "parent-tracking-id": "p-1",
    "corr-id": "c-9", "wait-time-used": 5, "source-fqn": "APPL=PythonStreaming#SERVER=PythonServer100",
    "properties": [{"name": "order-amount", "value": 250, "type": "integer"}]}"#;
