//! A made-up shop: orders are accepted, verified, paid and shipped by services that send messages to each other.

use serde_json::{Value, json};

/// The services, in the order in which an order passes through them.
const STEPS: [(&str, &str, i64); 4] = [
    ("accept", "APPL=WebShop#SERVER=web-1#DATACENTER=Berlin", 12_000),
    ("verify", "APPL=Verification#SERVER=check-2#DATACENTER=Berlin", 48_000),
    ("pay", "APPL=Payment#SERVER=pay-1#DATACENTER=Paris", 230_000),
    ("ship", "APPL=Warehouse#SERVER=store-3#DATACENTER=Paris", 95_000),
];
const BANK: &str = "APPL=BankGateway#SERVER=bank-1#NETADDR=10.0.0.7";

/// `count` orders, one a line and event, the last of which ends about `now`; one starts every `apart` microseconds.
pub fn orders(count: u64, now: i64, apart: i64) -> String {
    (0..count)
        .flat_map(|order| one(order, now - apart * (count - order) as i64))
        .map(|event| format!("{event}\n"))
        .collect()
}

fn one(order: u64, start: i64) -> Vec<Value> {
    // Scattered, but the same each time.
    let chance = |salt: u64| (order * 7919 + salt * 104_729) % 100;
    let (name, activity) = (format!("order-{order}"), format!("activity-{order}"));
    let fails = chance(1) < 7;
    let (mut events, mut time) = (Vec::new(), start);
    let message = |operation: &str, kind: &str, source: &str, time: i64, text: String| {
        json!({
            "type": kind, "operation": operation, "msg-text": text, "severity": "INFO", "source-fqn": source, "corrid": [name],
            "parent-id": activity, "tracking-id": format!("{operation}-{kind}-{order}"), "time-usec": time, "user": "shop",
        })
    };
    for (number, (operation, source, usual)) in STEPS.into_iter().enumerate() {
        let took = usual / 2 + usual * chance(number as u64 + 2) as i64 / 80;
        if number > 0 {
            let mut received =
                message(operation, "RECEIVE", source, time, format!("Order {order} arrived for {operation}"));
            received["severity"] = json!("DEBUG");
            events.push(received);
        }
        let mut done = message(operation, "EVENT", source, time + took, format!("Order {order}: {operation} is done"));
        done["start-time-usec"] = json!(time);
        done["elapsed-time-usec"] = json!(took);
        done["properties"] = json!([{"name": "attempt", "type": "int", "value": 1 + chance(9) / 60}]);
        match operation {
            "accept" => {
                done["snapshots"] = json!([{"name": "Cart", "category": "Order", "type": "SNAPSHOT", "time-usec": time, "properties": [
                    {"name": "items", "type": "int", "value": 1 + chance(3) / 12, "value-type": "counter"},
                    {"name": "total", "type": "double", "value": 19.9 + chance(4) as f64 * 3.7, "value-type": "currency.eur"},
                    {"name": "coupon", "type": "bool", "value": chance(5) > 80},
                ]}]);
            }
            "pay" => {
                events.push(message("authorize", "SEND", source, time + took / 4, format!("Authorize order {order}")));
                let text = format!("Authorization of order {order}");
                let mut asked = message("authorize", "RECEIVE", BANK, time + took / 3, text);
                if fails {
                    asked["severity"] = json!("ERROR");
                }
                events.push(asked);
                events.push(message("answer", "SEND", BANK, time + took / 2, format!("Answer for order {order}")));
                let text = format!("Answer for order {order} is here");
                events.push(message("answer", "RECEIVE", source, time + took / 2 + 900, text));
                done["snapshots"] = json!([{"name": "Payment", "category": "Order", "type": "SNAPSHOT", "time-usec": time, "properties": [
                    {"name": "amount", "type": "double", "value": 19.9 + chance(4) as f64 * 3.7, "value-type": "currency.eur"},
                    {"name": "method", "type": "string", "value": if chance(6) > 50 { "card" } else { "transfer" }},
                ]}]);
                if fails {
                    done["severity"] = json!(if chance(7) > 70 { "CRITICAL" } else { "ERROR" });
                    done["comp-code"] = json!("ERROR");
                    done["msg-text"] = json!(format!("Order {order}: payment was refused, no stock is kept"));
                    done["exception"] = json!(
                        "PaymentError: the bank refused the card\n    at pay::authorize (src/pay.rs:118)\n    at pay::run (src/pay.rs:44)\n\
                         Caused by: HTTP 402 from bank-1\n    at bank::post (src/bank.rs:71)"
                    );
                } else if took > usual {
                    done["severity"] = json!("WARNING");
                    done["msg-text"] = json!(format!("Order {order}: payment was slow"));
                }
            }
            _ => {}
        }
        events.push(done);
        time += took;
        if fails && operation == "pay" {
            break;
        }
        if number + 1 < STEPS.len() {
            events.push(message(
                operation,
                "SEND",
                source,
                time,
                format!("Order {order} goes on to {}", STEPS[number + 1].0),
            ));
            time += 3_000 + chance(8) as i64 * 100;
        }
    }
    events.push(json!({
        "type": "ACTIVITY", "operation": "Order", "tracking-id": activity, "time-usec": time, "start-time-usec": start,
        "end-time-usec": time, "elapsed-time-usec": time - start, "status": if fails { "EXCEPTION" } else { "END" },
        "severity": "INFO", "source-fqn": STEPS[0].1, "corrid": [name],
    }));
    if order.is_multiple_of(5) {
        let load = 0.35 + 0.3 * (order as f64 / 9.0).sin() + chance(9) as f64 / 400.0;
        events.push(json!({
            "type": "SNAPSHOT", "name": "Cpu", "category": "System", "time-usec": start, "source-fqn": STEPS[2].1,
            "properties": [{"name": "load", "type": "double", "value": load, "value-type": "gauge"}],
        }));
        events.push(json!({
            "type": "SNAPSHOT", "name": "Memory", "category": "System", "time-usec": start, "source-fqn": STEPS[2].1,
            "properties": [{"name": "used", "type": "long", "value": 400_000_000 + order * 90_000, "value-type": "size.byte"}],
        }));
    }
    events
}
