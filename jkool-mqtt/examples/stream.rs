//! Streams ten events to a broker of MQTT and prints what came of it.
//!
//! It needs a broker, such as mosquitto on this machine, whose url it takes as its argument:
//! `mosquitto -p 1883 &`, `mosquitto_sub -t 'jkool/#' -v &`,
//! `cargo run -p jkool-mqtt --example stream -- mqtt://127.0.0.1:1883`.
#![allow(clippy::print_stdout, reason = "it is a program")]

use jkool_client::Client;
use jkool_mqtt::MqttTransport;
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args().nth(1).ok_or("usage: stream mqtt://host:port")?;
    let transport = Arc::new(MqttTransport::builder().server(server).topic("jkool/{source}/{kind}").build()?);
    let client = Client::builder().transport(Arc::clone(&transport)).build()?;
    for number in 0..10 {
        client.event("ProcessOrder").message(format!("order {number}")).emit();
    }
    let report = client.shutdown(Duration::from_secs(10));
    println!("{report:?}\n{:?}", transport.stats());
    Ok(())
}
