//! Runs every example, and looks at what it shows.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_collector::{Clock, Collector, Filter};
use std::path::PathBuf;
use std::process::{Command, Output};

/// An example, as `cargo test` has built it beside this test.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let target: PathBuf = test.ancestors().nth(2).unwrap().into();
    let program = target.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{name} is not built: `cargo build -p jkool-examples --examples`");
    let mut command = Command::new(program);
    for variable in ["JKOOL_TOKEN", "JKOOL_URL", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command
}

/// Standard output of a run that went well.
fn shown(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    assert!(!stdout.contains("incognito"), "the token is shown:\n{stdout}");
    stdout
}

/// All of `expected` are in `text`, in this order.
fn assert_in_order(text: &str, expected: &[&str]) {
    let mut rest = text;
    for part in expected {
        rest = match rest.split_once(part) {
            Some((_, after)) => after,
            None => panic!("{part:?} is not there, or not in its place:\n{text}"),
        };
    }
}

#[test]
fn quickstart() {
    let shown = shown(example("quickstart"));
    assert_in_order(
        &shown,
        &[
            "Streaming to http://127.0.0.1:",
            "1. {\n",
            r#""msg-text": "Test log""#,
            r#""severity": "ERROR""#,
            r#""source-fqn": "APPL=WebOrders#SERVER=web-1#NETADDR=11.0.0.2#DATACENTER=DC1#GEOADDR=52.52437,13.41053""#,
            "2. {\n",
            r#""msg-text": "This is an example""#,
            "3. {\n",
            r#""corrid": ["your-correlator-id"]"#,
            r#""location": "Atlanta, Ga""#,
            "4. {\n",
            r#""name": "Payment""#,
            r#""category": "Order""#,
            r#"{ "name": "order-no", "type": "string", "value": "A-100" }"#,
            r#"{ "name": "order-amount", "type": "int", "value": 250 }"#,
            "0 dropped, 0 pending\n",
            "stats: 4 accepted: 4 delivered, 0 in memory, 0 dropped\n",
        ],
    );
}

#[test]
fn spool() {
    assert_in_order(
        &shown(example("spool")),
        &[
            "first run, flush_durable: 0 delivered meanwhile, 0 dropped, 3 spooled, 0 pending\n",
            "first run, shutdown:      0 delivered meanwhile, 0 dropped, 3 spooled, 0 pending\n",
            "Streaming to http://127.0.0.1:",
            "received: Order 1 processed\n",
            "received: Order 2 processed\n",
            "received: Order 3 processed\n",
            "received: Order 4 processed\n",
            // Some may have been delivered before.
            "second run, flush: ",
            " delivered meanwhile, 0 dropped, 0 pending\n",
            "stats: 1 accepted and 3 recovered: 4 delivered, 0 in memory, 0 dropped\n",
        ],
    );
}

#[test]
fn quickstart_streams_to_where_it_is_told() {
    let collector = Collector::builder().listen("127.0.0.1:0").start().unwrap();
    let mut command = example("quickstart");
    command.env("JKOOL_TOKEN", "canary-5ec1").env("JKOOL_URL", collector.url());
    let shown = shown(command);
    assert_in_order(&shown, &["Streaming to ", &collector.url(), "stats: 4 accepted: 4 delivered"]);
    assert!(!shown.contains("canary-5ec1") && !shown.contains("msg-text"), "{shown}");
    let now = Clock::default().now();
    let stored = collector.store().read_now(|reader| reader.find(&Filter::default(), 10, None, now));
    assert_eq!(stored.unwrap().len(), 4);
}

#[test]
fn each_streams_to_a_collector_that_is_named() {
    let collector = Collector::builder().listen("127.0.0.1:0").start().unwrap();
    let now = Clock::default().now();
    let mut before = 0;
    for name in [
        "async_payments",
        "axum_service",
        "correlated_services",
        "decorated_event",
        "derive",
        "log_adapter",
        "metrics",
        "opentelemetry",
        "quickstart",
        "spool",
        "tracing",
    ] {
        let mut command = example(name);
        command.env("JKOOL_URL", collector.url());
        shown(command);
        let stored = collector.store().read_now(|reader| reader.find_after(&Filter::default(), 10_000, None, now));
        let stored = stored.unwrap().len();
        assert!(stored > before, "{name} has sent nothing");
        before = stored;
    }
}

#[test]
fn log_adapter() {
    let shown = shown(example("log_adapter"));
    assert!(!shown.contains("not streamed"), "{shown}");
    assert_in_order(
        &shown,
        &[
            r#""msg-text": "streamed: the filter lets this target through""#,
            r#""operation": "orders::stock""#,
            r#""msg-text": "Order A-100 processed""#,
            r#""corrid": ["order-A-100"]"#,
            r#""location": "Atlanta, Ga""#,
            r#""msg-text": "Order refused""#,
            r#""severity": "ERROR""#,
            r#""exception": "the amount is no number: invalid digit found in string""#,
            r#""msg-text": "A large order""#,
            r#""severity": "WARNING""#,
            r#""name": "Payment""#,
            "0 dropped, 0 pending\n",
        ],
    );
}

#[test]
fn tracing() {
    let shown = shown(example("tracing"));
    assert_in_order(
        &shown,
        &[
            r#""msg-text": "Order A-100 processed""#,
            r#""location": "Atlanta, Ga""#,
            r#""msg-text": "card charged""#,
            r#""exception": "invalid digit found in string""#,
            r#""msg-text": "Order A-101 refused""#,
            "0 dropped, 0 pending\n",
        ],
    );
    for activity in ["read_amount", "charge_card", "take_order"] {
        assert!(shown.contains(&format!(r#""operation": "{activity}""#)), "{activity}:\n{shown}");
    }
    // The order's number travels with the request.
    assert!(shown.matches(r#""A-100""#).count() >= 4, "{shown}");
    for part in [r#""status": "EXCEPTION""#, r#""name": "Payment""#, r#""name": "otel.kind""#] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
}

#[test]
fn axum_service() {
    assert_in_order(
        &shown(example("axum_service")),
        &[
            "order 1: 200 OK\norder 13: 502 Bad Gateway\n",
            "\nOrders: GET /orders/{id} 200\n  Orders: reserve \n    Orders: GET /items/{id} 200\n",
            "      Stock: GET /items/{id} 200\n",
            "\nOrders: GET /orders/{id} 502\n  Orders: reserve \n    Orders: GET /items/{id} 503\n",
            "      Stock: GET /items/{id} 503\n",
            "\nOrders ─► Stock: 2 calls, 1 failed\n",
        ],
    );
}

#[test]
fn decorated_event() {
    let shown = shown(example("decorated_event"));
    assert_in_order(
        &shown,
        &[
            r#""type": "RECEIVE""#,
            r#""msg-tag": ["order", "retail"]"#,
            r#""corrid": ["A-100", "basket-9"]"#,
            r#""end-time-usec": 1457524800120000"#,
            r#""name": "Payment""#,
            r#""value-type": "currency.usd""#,
            r#""elapsed-time-usec": "#,
            r#""comp-code": "SUCCESS""#,
            r#""comp-code": "ERROR""#,
            r#""exception": "invalid digit found in string""#,
            "0 dropped, 0 pending\n",
        ],
    );
}

#[test]
fn metrics() {
    let shown = shown(example("metrics"));
    assert_in_order(
        &shown,
        &[
            r#""name": "orders""#,
            r#""category": "Shop""#,
            r#""value-type": "counter""#,
            r#""name": "rate", "type": "double""#,
            r#""value": "Orders that were taken""#,
            r#""name": "country", "type": "string""#,
            r#""name": "checkout""#,
            r#""name": "p99.9", "type": "double""#,
            r#""value-type": "age.usec""#,
            "  process.memory  value ",
            " MiB\n",
            "  jkool-client    accepted ",
            "flush: ",
            " 0 in memory, 0 dropped",
        ],
    );
    // Whatever the intervals were, the last has all.
    for total in ["  orders          value 3334.0 ", "  orders          value 6666.0 "] {
        assert!(shown.contains(total), "{total}:\n{shown}");
    }
}

#[test]
fn opentelemetry() {
    let shown = shown(example("opentelemetry"));
    for told in [
        r#""msg-text": "order A-100 is paid""#,
        r#""source-fqn": "APPL=orders"#,
        r#""operation": "checkout""#,
        r#""exception": "card declined""#,
        r#""name": "attempt", "type": "long", "value": 2"#,
        r#""value": 1, "value-type": "counter""#,
        " 0 in memory, 0 dropped",
    ] {
        assert!(shown.contains(told), "{told}:\n{shown}");
    }
}

#[test]
fn derive() {
    let shown = shown(example("derive"));
    assert_in_order(
        &shown,
        &[
            r#""name": "Payment""#,
            r#""category": "Order""#,
            r#"{ "name": "order-no", "type": "string", "value": "A-100" }"#,
            r#""value": 42.5, "value-type": "currency.usd""#,
            r#""name": "took", "type": "long", "value": 3000, "value-type": "age.usec""#,
            r#""name": "card.brand", "type": "string", "value": "visa""#,
            r#""name": "items", "type": "list", "value": [7, 9]"#,
            r#""name": "stock.apples", "type": "long", "value": 12, "value-type": "gauge""#,
            r#""name": "paid", "type": "date.usec", "value": 1457524800000000"#,
            "flush: 2 delivered",
        ],
    );
    assert!(!shown.contains("coupon") && !shown.contains(r#""name": "session""#), "{shown}");
}

#[test]
fn correlated_services() {
    let shown = shown(example("correlated_services"));
    let (first, second) = shown.split_once("\norder-A-101\n").unwrap();
    for story in [first, second] {
        for line in ["ACTIVITY  TakeOrder", "SEND      SendInvoice", "RECEIVE   ReceiveInvoice", "EVENT     ChargeCard"]
        {
            assert!(story.contains(line), "{line}:\n{story}");
        }
    }
    assert_in_order(&shown, &["order-A-100\n", "WebOrders", "Billing", "order-A-101\n", "0 dropped, 0 pending\n"]);
}

#[test]
fn async_payments() {
    let shown = shown(example("async_payments"));
    assert_in_order(&shown, &["the payment is on record", "stats: 1001 accepted: 1001 delivered"]);
}

#[test]
fn testing() {
    assert_eq!(shown(example("testing")).matches("ok: ").count(), 3);
}

#[test]
fn model_only() {
    assert_in_order(
        &shown(example("model_only")),
        &[
            r#""value-type": "currency.usd""#,
            r#"read from TNT4PY: "This is an example""#,
            r#""corrid":["c-9"]"#,
            "runs on web-1",
            "source element 2 at byte 15: `SERVER` has no `=` between type and name",
            "no event: source-fqn is missing",
        ],
    );
}
