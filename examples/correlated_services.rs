//! Two services that share a correlator: what one sends and the other receives becomes one story.
//! `cargo run --example correlated_services`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::model::{Entity, OpType, SourceFqn, SourceType, Timestamp, TrackingId};
use jkool_client::{BuildError, Client};
use jkool_examples::{Destination, Received};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

/// What travels between the services: the order, and what ties its events together.
struct Message {
    order_no: String,
    correlator: String,
    parent: TrackingId,
    sent: SystemTime,
}

/// The first service: takes an order as an activity, and passes it on.
fn take_order(client: &Client, billing: &Sender<Message>, order_no: &str) -> Result<(), Box<dyn Error>> {
    let correlator = format!("order-{order_no}");
    let activity = client.activity("TakeOrder").correlator(correlator.clone()).start();

    client
        .event("SendInvoice")
        .op_type(OpType::Send)
        .message(format!("Order {order_no} goes to billing"))
        .resource("billing-queue")
        .correlator(correlator.clone())
        .parent_id(activity.id())
        .emit();
    let sent = billing.send(Message { order_no: order_no.into(), correlator, parent: activity.id(), sent: now() });

    // Ends the activity, well or with the error, and hands the result back.
    Ok(activity.record(sent)?)
}

/// The second service: receives, and works within the same activity, on the same correlator.
fn bill_orders(client: &Client, orders: Receiver<Message>) {
    for Message { order_no, correlator, parent, sent } in orders {
        client
            .event("ReceiveInvoice")
            .op_type(OpType::Receive)
            .message(format!("Order {order_no} arrived"))
            .message_age(now().duration_since(sent).unwrap_or_default())
            .resource("billing-queue")
            .correlator(correlator.clone())
            .parent_id(parent.clone())
            .emit();
        let charge = client.event("ChargeCard").correlator(correlator).parent_id(parent).start();
        charge.finish();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");
    let client_of = |source: SourceFqn| -> Result<Client, BuildError> {
        Client::builder().url(destination.url()).token(destination.token()).source(source).build()
    };
    let orders = client_of("APPL=WebOrders#SERVER=web-1#DATACENTER=DC1".parse()?)?;
    let billing = client_of("APPL=Billing#SERVER=pay-1#DATACENTER=DC1".parse()?)?;

    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| bill_orders(&billing, receiver));
        let sender = sender; // dropped at the end of this scope, which ends the billing
        ["A-100", "A-101"].iter().try_for_each(|order_no| take_order(&orders, &sender, order_no))
    })?;

    let reports = [&orders, &billing].map(|client| client.flush(Duration::from_secs(10)));
    show(&destination.received()?)?;
    println!("flush: orders {}; billing {}", reports[0], reports[1]);
    if !reports.iter().all(|report| report.is_delivered()) {
        return Err("not everything was delivered".into());
    }
    Ok(())
}

/// The story of each correlator: its events by their time, whatever the order in which they arrived.
fn show(received: &[Received]) -> Result<(), Box<dyn Error>> {
    let mut stories: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for received in received {
        let (correlators, line) = match received.entity.clone() {
            Entity::Activity(it) => {
                (it.correlators, Line::new(it.start_time, it.source, it.op_type, &it.operation, it.elapsed_usec))
            }
            Entity::Event(it) => (
                it.correlators,
                Line::new(it.start_time.or(it.time), it.source, it.op_type, &it.operation, it.elapsed_usec),
            ),
            _ => continue,
        };
        for correlator in correlators {
            stories.entry(correlator.into_owned()).or_default().push(line.clone());
        }
    }
    for (correlator, mut lines) in stories {
        println!("{correlator}");
        lines.sort_by_key(|line| line.at);
        let start = lines.first().map_or(0, |line| line.at);
        for Line { at, text } in lines {
            println!("  +{:>5} µs  {text}", at - start);
        }
        println!();
    }
    Ok(())
}

#[derive(Clone)]
struct Line {
    at: i64,
    text: String,
}

impl Line {
    fn new(
        at: Option<Timestamp>,
        source: Option<SourceFqn>,
        op_type: OpType,
        operation: &str,
        elapsed: Option<i64>,
    ) -> Self {
        let at = at.map_or(0, Timestamp::as_usec);
        let source = source.as_ref().and_then(|source| source.get(SourceType::Appl)).unwrap_or_default();
        let elapsed = elapsed.map_or(String::new(), |elapsed| format!(" took {elapsed} µs"));
        Self { at, text: format!("{source:9}  {op_type:8}  {operation}{elapsed}") }
    }
}

#[expect(clippy::disallowed_methods, reason = "the message carries the time at which it was sent")]
fn now() -> SystemTime {
    SystemTime::now()
}
