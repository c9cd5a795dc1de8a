//! A struct of the program as a snapshot: `#[derive(Snapshot)]`.
//! `cargo run --example derive`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use jkool_client::Client;
use jkool_client::model::{Snapshot, Timestamp, ToSnapshot};
use jkool_examples::Destination;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// A program that has `jkool-model` among its dependencies leaves out `crate`.
#[derive(Snapshot)]
#[jkool(name = "Payment", category = "Order", crate = "jkool_client::model")]
struct Payment {
    #[jkool(rename = "order-no")]
    order_no: String,
    /// With the feature `uuid`; `chrono` and `time` have one, too.
    id: Uuid,
    #[jkool(value_type = "currency.usd")]
    amount: f64,
    took: Duration,
    /// Told when there is one.
    coupon: Option<String>,
    card: Card,
    items: Vec<u32>,
    #[jkool(flatten, value_type = "gauge")]
    stock: BTreeMap<String, i64>,
    #[jkool(with = "at")]
    paid: i64,
    #[jkool(skip)]
    session: String,
}

#[derive(Snapshot)]
#[jkool(crate = "jkool_client::model")]
struct Card {
    #[jkool(with = "ToString::to_string")]
    brand: Brand,
    valid: bool,
}

enum Brand {
    Visa,
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visa => f.write_str("visa"),
        }
    }
}

/// Any function from a reference to a value: here from the seconds of another system.
fn at(seconds: &i64) -> Timestamp {
    Timestamp::from_usec(seconds * 1_000_000)
}

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");

    let client = Client::builder()
        .url(destination.url())
        .token(destination.token())
        .source("APPL=WebOrders#SERVER=?".parse()?)
        .build()?;

    let payment = Payment {
        order_no: "A-100".into(),
        id: Uuid::new_v4(),
        amount: 42.5,
        took: Duration::from_millis(3),
        coupon: None,
        card: Card { brand: Brand::Visa, valid: true },
        items: vec![7, 9],
        stock: BTreeMap::from([("stock.apples".into(), 12)]),
        paid: 1_457_524_800,
        session: "a secret".into(),
    };
    println!("the session {:?} stays here", payment.session);
    // With an event, and alone.
    client.event("ProcessOrder").message("Order A-100 paid").snapshot(&payment).emit();
    client.emit(payment.to_snapshot());

    let report = client.flush(Duration::from_secs(10));
    for received in destination.received()? {
        println!("{received}\n");
    }
    println!("flush: {report}");
    if !report.is_delivered() {
        return Err("not everything was delivered".into());
    }
    Ok(())
}
