//! `/jkool-service/jkql` and the query line, over a socket.

use crate::common::records;
use jkool_collector::{Collector, Request, ask};
use jkool_model::Timestamp;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const NOON: i64 = 1_457_524_800_000_000; // 2016-03-09 12:00 in UTC

/// A shop's events: three orders, of which one fails, an activity around it and a snapshot alone.
fn shop() -> Collector {
    let collector = Collector::builder().listen("127.0.0.1:0").start().unwrap();
    let order = |number: i64, severity: &str, message: &str| {
        json!({
            "type": "EVENT", "operation": "ChargeCard", "severity": severity, "msg-text": message, "user": "alice",
            "time-usec": NOON + number * 1_000_000, "elapsed-time-usec": number * 1_000_000,
            "source-fqn": "APPL=Shop#SERVER=web-1", "tracking-id": format!("id-{number}"), "corrid": ["a", "b"],
            "properties": [{"name": "order-amount", "type": "long", "value": number * 100}],
            "snapshots": [{"name": "Payment", "category": "Order", "properties": [
                {"name": "amount", "type": "double", "value": 1.5}, {"name": "order-amount", "value": number},
            ]}],
        })
    };
    let entities: Vec<String> = [
        order(1, "INFO", "Order 1 paid"),
        order(2, "ERROR", "Order 2: no stock"),
        order(3, "INFO", "Order 3 paid"),
        json!({"type": "ACTIVITY", "operation": "Order", "severity": "ERROR", "status": "EXCEPTION", "time-usec": NOON,
            "tracking-id": "act-1", "elapsed-time-usec": 5_000_000}),
        json!({"type": "SNAPSHOT", "name": "Payment", "category": "Order", "time-usec": NOON, "tracking-id": "snap-1",
            "properties": [{"name": "order-amount", "value": 7}]}),
    ]
    .iter()
    .map(Value::to_string)
    .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(collector.store().append(records(&entities, Timestamp::from_usec(NOON)))).unwrap();
    collector
}

/// The status and the body.
fn send(collector: &Collector, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    stream.write_all(request.replace("HOST", &collector.address().to_string()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn get(collector: &Collector, path: &str, parameters: &[(&str, &str)]) -> (u16, String) {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    send(collector, &format!("GET {path}?{query} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"))
}

fn post(collector: &Collector, parameters: &[(&str, &str)]) -> (u16, Value) {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let head = format!(
        "POST /jkool-service/jkql HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    let (status, body) = send(collector, &(head + &form));
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn an_answer_has_the_shape_of_the_service() {
    let shop = shop();
    let ask = [
        (
            "jk_query",
            "get events fields eventname, elapsedtime, time, correlator, properties('order-amount'), Payment.amount where severity = 'error'",
        ),
        ("jk_date", "'2016-03-09'"),
        ("jk_tz", "Europe/Berlin"),
        ("jk_subid", "my-1"),
        ("jk_trace", "true"),
        ("jk_repo", "ignored"),
    ];
    let (status, mut answer) = post(&shop, &ask);
    assert_eq!(status, 200, "{answer}");
    let volatile = ["time", "jk_elapsed_ms", "trace"].map(|name| answer.as_object_mut().unwrap().remove(name));
    assert!(volatile[0].as_ref().unwrap().is_i64() && volatile[1].as_ref().unwrap().is_u64());
    assert!(volatile[2].as_ref().unwrap().to_string().contains("where severity:ERROR"), "{volatile:?}");
    let range = format!("{} TO {}", NOON - 13 * 3_600_000_000, NOON + 11 * 3_600_000_000);
    assert_eq!(
        answer,
        json!({
            "jk_call": "query", "jk_subid": "my-1", "status": "SUCCESS", "item-type": "Event",
            "rows-found": 1, "row-count": 1, "total-row-count": 1,
            "data-date-range": range, "query-date-filter": range, "timezone": "Europe/Berlin",
            "colhdr": ["EventName", "ElapsedTime", "Time", "Correlator", "properties('order-amount')", "Payment.amount"],
            "coltype": {"EventName": "STRING", "ElapsedTime": "INTEGER", "Time": "TIMESTAMP", "Correlator": "STRING",
                "properties('order-amount')": "STRING", "Payment.amount": "DECIMAL"},
            "collabel": {"EventName": "EventName", "ElapsedTime": "ElapsedTime", "Time": "Time", "Correlator": "Correlator",
                "properties('order-amount')": "properties('order-amount')", "Payment.amount": "Payment.amount"},
            "rows": [{"EventName": "ChargeCard", "ElapsedTime": 2_000_000, "Time": NOON + 2_000_000, "Correlator": ["a", "b"],
                "properties('order-amount')": [200, 2], "Payment.amount": 1.5}],
        })
    );
    let (_, number) = post(&shop, &[("jk_query", "get number of events for all")]);
    assert_eq!((&number["rows"], &number["coltype"]), (&json!([{"NumberOf": 3}]), &json!({"NumberOf": "INTEGER"})));
    // By GET too.
    let (status, body) = get(&shop, "/jkool-service/jkql", &[("jk_query", "get number of events"), ("jk_date", "all")]);
    assert_eq!((status, &serde_json::from_str::<Value>(&body).unwrap()["rows"]), (200, &json!([{"NumberOf": 3}])));
    // Without a period it is today, which this was not.
    assert_eq!(post(&shop, &[("jk_query", "get number of events")]).1["rows"], json!([{"NumberOf": 0}]));
    let few = post(&shop, &[("jk_query", "get entities for all"), ("jk_maxrows", "2")]).1;
    assert_eq!((&few["row-count"], &few["rows-found"], &few["item-type"]), (&json!(2), &json!(5), &json!("Entity")));
}

#[test]
fn a_failure_has_the_shape_of_the_service() {
    let shop = shop();
    for (parameters, error) in [
        (&[("jk_query", "get evnts"), ("jk_subid", "x")][..], "column 5: expected "),
        (&[("jk_query", "get events where colour = 1"), ("jk_subid", "x")], "column 18: expected the name of a field"),
        (&[("jk_query", "get events where order-amuont = 1"), ("jk_subid", "x")], "did you mean `order-amount`?"),
        (&[("jk_query", "get events where evntname = 1"), ("jk_subid", "x")], "did you mean `EventName`?"),
        (&[("jk_query", "get events where severity = 'EROR'"), ("jk_subid", "x")], "did you mean `ERROR`?"),
        (&[("jk_query", "get events where time > 'soon'"), ("jk_subid", "x")], "column 25: expected a date such as"),
        (&[("jk_query", "get events where message like '%x%'"), ("jk_subid", "x")], "message contains"),
        (&[("jk_query", "get avg(order-amount)"), ("jk_subid", "x")], "use one of properties.order-amount, snapshots."),
        (&[("jk_query", "get events group by severity"), ("jk_subid", "x")], "`group by` needs an aggregate"),
        (&[("jk_query", "get number of events group by id for all"), ("jk_subid", "x")], "can't group by"),
        (&[("jk_query", "subscribe to events"), ("jk_subid", "x")], "WebSocket"),
        (&[("jk_query", "get events"), ("jk_tz", "Mars"), ("jk_subid", "x")], "expected a time zone"),
        (&[("jk_query", "get events"), ("jk_date", "soon"), ("jk_subid", "x")], "expected `all`"),
        (&[("jk_query", "get events"), ("jk_maxrows", "0"), ("jk_subid", "x")], "jk_maxrows"),
        (&[("jk_subid", "x")], "a statement is required"),
    ] {
        let (status, answer) = post(&shop, parameters);
        assert_eq!(status, 400, "{parameters:?}: {answer}");
        assert!(answer["jk_error"].as_str().unwrap().contains(error), "{parameters:?}: {answer}");
        let expected = (&json!("ERROR"), &json!("query"), &json!("x"));
        assert_eq!((&answer["jk_ccode"], &answer["jk_call"], &answer["jk_subid"]), expected);
        assert!(answer["jk_elapsed_ms"].is_u64());
    }
}

#[test]
fn a_statement_needs_a_token_where_there_is_one() {
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-4a11").start().unwrap();
    let query = ("jk_query", "get number of events");
    let form = |parameters: &[(&str, &str)]| {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let head = "POST /jkool-service/jkql HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: ";
        send(&collector, &format!("{head}{}\r\n\r\n{form}", form.len())).0
    };
    assert_eq!(form(&[query]), 401);
    assert_eq!(form(&[query, ("jk_token", "canary-4a12")]), 401);
    assert_eq!(form(&[query, ("jk_token", "canary-4a11")]), 200);
    let with_header = "GET /jkool-service/jkql?jk_query=get+events HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n";
    assert_eq!(send(&collector, &format!("{with_header}\r\n")).0, 401);
    assert_eq!(send(&collector, &format!("{with_header}X-API-Key: canary-4a11\r\n\r\n")).0, 200);
}

/// The lines of all blocks of a language.
fn examples(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = include_str!("../../../docs/jkql.md").split(&*fence).skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap().lines()).collect()
}

#[test]
fn every_example_of_the_document_is_answered() {
    let shop = shop();
    for statement in examples("jkql").into_iter().filter(|statement| !statement.starts_with("subscribe")) {
        let request = Request::new(statement, Timestamp::from_usec(NOON + 60_000_000));
        let answer = shop.store().read_now(|reader| Ok(ask(reader, &request))).unwrap();
        let answer = answer.unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()), "{statement}: {answer:?}");
    }
    for line in examples("line") {
        let (status, body) = get(&shop, "/api/events", &[("q", line)]);
        assert_eq!(status, 200, "{line}: {body}");
    }
}

#[test]
fn what_the_examples_say_is_so() {
    let shop = shop();
    let rows = |statement: &str| {
        let request = Request::new(statement, Timestamp::from_usec(NOON + 60_000_000));
        shop.store()
            .read_now(|reader| Ok(ask(reader, &request)))
            .unwrap()
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
            .rows
    };
    for (statement, expected) in [
        (
            "get events fields id where severity >= 'ERROR' and operation like 'Charge%' for latest hour sort by elapsedtime desc",
            json!([["id-2"]]),
        ),
        ("get events fields id sort by elapsedtime desc limit 2", json!([["id-3"], ["id-2"]])),
        ("get number of events group by severity for today", json!([["INFO", 2], ["ERROR", 1]])),
        ("get number of events group by severity sort by number of events asc", json!([["ERROR", 1], ["INFO", 2]])),
        (
            "get max(elapsedtime), number of events group by operation sort by p95(elapsedtime) desc",
            json!([["ChargeCard", 3_000_000, 3]]),
        ),
        ("get number of events bucketed by minute group by severity", json!([[NOON, "INFO", 2], [NOON, "ERROR", 1]])),
        ("get snapshots fields id, properties('order-amount') where name = 'Payment'", json!([["snap-1", 7]])),
        ("get activities fields id where status = 'EXCEPTION'", json!([["act-1"]])),
        (
            "find 'no stock' in events limit 1",
            json!([[
                NOON + 2_000_000,
                "ERROR",
                "ChargeCard",
                "Order 2: no stock",
                null,
                2_000_000,
                "Shop",
                "web-1",
                ["a", "b"],
                "id-2"
            ]]),
        ),
        ("get events fields id where message contains 'NO st*'", json!([["id-2"]])),
        ("get events fields id where Payment.amount > 1 and order-amount in (100, '3')", json!([["id-3"], ["id-1"]])),
        ("get events fields id where time < '12:00:02'", json!([["id-1"]])),
        ("get events fields id where time = 'yesterday'", json!([])),
        ("get events fields id where elapsedtime between 2s and 3s", json!([["id-3"], ["id-2"]])),
        ("get events fields id where elapsedtime = 2s", json!([["id-2"]])),
        ("get number of events for yesterday", json!([[0]])),
        (
            "compare number of events group by severity for today with yesterday",
            json!([["INFO", 2, null, null], ["ERROR", 1, null, null]]),
        ),
        ("compare number of events for today with 'today'", json!([[3, 3, 0]])),
        (
            "compare number of events bucketed by second for '12:00:01' to '12:00:02' with '12:00:02' to '12:00:03'",
            json!([[NOON + 1_000_000, 1, 1, 0]]),
        ),
    ] {
        assert_eq!(json!(rows(statement)), expected, "{statement}");
    }
}

#[test]
fn the_query_line_filters_lists_figures_and_pages() {
    let shop = shop();
    let count = |line: &str| {
        let (status, body) = get(&shop, "/api/events", &[("q", line)]);
        assert_eq!(status, 200, "{line}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["events"].as_array().unwrap().len()
    };
    for (line, expected) in [
        ("", 5),
        ("severity>=ERROR", 2),
        ("sev:error -kind:activity", 1),
        ("\"no stock\" OR id:id-1", 2),
        ("stock -order", 0),
        ("order-amount:7", 1),
        ("Payment.order-amount>=3", 2),
        ("properties.order-amount:100..200", 2),
        ("elapsed>2s", 2),
        ("op:*Card user:a*", 3),
        ("user~a_i%", 3),
        ("where severity = 'ERROR' and not operation = 'Order'", 1),
    ] {
        assert_eq!(count(line), expected, "{line}");
    }
    let (status, body) = get(&shop, "/api/events", &[("q", "order-amonut:7")]);
    assert_eq!(status, 400);
    assert!(body.contains("column 1") && body.contains("did you mean `order-amount`?"), "{body}");
    let (_, body) = get(&shop, "/api/aggregate", &[("q", "severity>=ERROR -kind:activity"), ("by", "severity")]);
    assert!(body.contains(r#"{"by":["ERROR"],"count":1"#), "{body}");
    // The page has a field for it, keeps what was typed when it is wrong, and its links say the same.
    let (status, body) = get(&shop, "/", &[("q", "order-amount>100 (op:ChargeCard OR \"no stock\")")]);
    assert_eq!(status, 200);
    assert!(
        body.contains(
            "name=\"q\" value=\"(properties.order-amount&gt;100 OR snapshots.Order/Payment/order-amount&gt;100)"
        ),
        "{body}"
    );
    assert!(body.contains("Order 3 paid") && !body.contains("Order 1 paid"), "{body}");
    let (status, body) = get(&shop, "/", &[("q", "order-amount>>1")]);
    assert_eq!(status, 400);
    assert!(body.contains("name=\"q\" value=\"order-amount&gt;&gt;1\"") && body.contains("column"), "{body}");
}
