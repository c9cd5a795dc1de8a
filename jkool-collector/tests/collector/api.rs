//! The read API, over a socket.

use jkool_collector::{Clock, Collector, Record, Retention, Store};
use jkool_model::Timestamp;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The time of the first event.
const START: i64 = 1_457_524_800_000_000;

fn collector() -> Collector {
    Collector::builder().listen("127.0.0.1:0").start().unwrap()
}

/// Stores them straight away: how they are sent is another test's business.
fn store(collector: &Collector, entities: &[Value]) {
    store_lines(collector, &entities.iter().map(Value::to_string).collect::<Vec<_>>());
}

fn store_lines(collector: &Collector, entities: &[String]) {
    let received = Timestamp::from_usec(START + 3_600_000_000);
    let records =
        entities.iter().map(|json| Record::read(json.clone().into_bytes().into(), received).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(collector.store().append(records)).unwrap();
}

/// Five orders, a minute apart, the last with an error.
fn orders() -> Vec<Value> {
    let order = |number: i64| {
        json!({
            "type": "EVENT", "operation": "ProcessOrder", "msg-text": format!("Order {number} processed"),
            "severity": if number == 5 { "ERROR" } else { "INFO" }, "time-usec": START + number * 60_000_000,
            "source-fqn": "APPL=WebOrders#SERVER=web-1", "corrid": [format!("order-{number}")],
            "tracking-id": format!("id-{number}"),
            "snapshots": [{"name": "Cart", "category": "Order", "properties": [
                {"name": "items", "type": "int", "value": number},
            ]}],
        })
    };
    (1..=5).map(order).collect()
}

/// The status, the headers in small letters, and a reader of the body, which ends with the connection.
fn open(collector: &Collector, path: &str) -> (u16, String, BufReader<TcpStream>) {
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", collector.address()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), reader)
}

/// The status, the headers and the body, out of its chunks.
fn fetch(collector: &Collector, path: &str) -> (u16, String, String) {
    let (status, head, mut reader) = open(collector, path);
    let mut body = Vec::new();
    if head.contains("transfer-encoding: chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).unwrap();
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        reader.read_to_end(&mut body).unwrap();
    }
    (status, head, String::from_utf8(body).unwrap())
}

fn get(collector: &Collector, path: &str) -> Value {
    let (status, head, body) = fetch(collector, path);
    assert_eq!(status, 200, "{path}: {body}");
    assert!(head.contains("content-type: application/json"), "{path}: {head}");
    serde_json::from_str(&body).unwrap()
}

/// The error that `path` is refused with.
fn refused(collector: &Collector, path: &str) -> (u16, String) {
    let (status, _, body) = fetch(collector, path);
    let body: Value = serde_json::from_str(&body).unwrap();
    (status, body["error"].as_str().unwrap_or_else(|| panic!("{path}: {body}")).to_owned())
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|item| item["entity"]["msg-text"].as_str().unwrap()).collect()
}

#[test]
fn the_youngest_come_first_page_by_page() {
    let collector = collector();
    store(&collector, &orders());
    let first = get(&collector, "/api/events?limit=2");
    assert_eq!(messages(&first), ["Order 5 processed", "Order 4 processed"]);
    assert_eq!(first["events"][0]["time-usec"], START + 300_000_000);
    assert_eq!(first["events"][0]["received-usec"], START + 3_600_000_000);
    let second = get(&collector, &format!("/api/events?limit=2&before={}", first["next"].as_str().unwrap()));
    assert_eq!(messages(&second), ["Order 3 processed", "Order 2 processed"]);
    let third = get(&collector, &format!("/api/events?limit=2&before={}", second["next"].as_str().unwrap()));
    assert_eq!(messages(&third), ["Order 1 processed"]);
    assert_eq!(third["next"], Value::Null);
    // A page that is just full is the last one, too.
    assert_eq!(get(&collector, "/api/events?limit=5")["next"], Value::Null);
}

#[test]
fn a_filter_finds_what_it_says() {
    let collector = collector();
    store(&collector, &orders());
    for (filter, expected) in [
        ("severity=%3E%3DERROR", vec!["Order 5 processed"]),
        ("text=order+3", vec!["Order 3 processed"]),
        ("corrid=order-2", vec!["Order 2 processed"]),
        ("source=SERVER%3Dweb-1&since=2016-03-09T12:04:00Z", vec!["Order 5 processed", "Order 4 processed"]),
        ("until=2016-03-09T12:02:00Z", vec!["Order 1 processed"]),
        ("operation=NoSuch", vec![]),
    ] {
        assert_eq!(messages(&get(&collector, &format!("/api/events?{filter}"))), expected, "{filter}");
    }
}

#[test]
fn an_entity_is_shown_as_it_was_received() {
    let collector = collector();
    let json = "{\"operation\":\"Pay\",\n\"properties\":[{\"name\":\"n\",\"type\":\"double\",\"value\":0.1000000000000000055511151231257827},\r\n{\"name\":\"long\",\"type\":\"long\",\"value\":9007199254740993}]}";
    store_lines(&collector, &[json.to_owned()]);
    let on_a_line = json.replace(['\n', '\r'], " ");
    let (_, _, body) = fetch(&collector, "/api/events");
    assert!(body.contains(&on_a_line), "{body}");
    assert_eq!(fetch(&collector, "/api/events.jsonl").2, on_a_line + "\n");
}

#[test]
fn one_and_what_is_related_to_it() {
    let collector = collector();
    let mut entities = orders();
    entities.push(json!({"type": "ACTIVITY", "operation": "Checkout", "tracking-id": "checkout", "time-usec": START}));
    entities.push(json!({"operation": "Ship", "msg-text": "Order 3 shipped", "corrid": ["order-3"], "time-usec": START + 1_000_000_000}));
    entities[2]["parent-id"] = "checkout".into();
    store(&collector, &entities);
    let found = get(&collector, "/api/events?text=%22Order+3+processed%22");
    let id = found["events"][0]["id"].as_str().unwrap();
    assert_eq!(get(&collector, &format!("/api/events/{id}")), found["events"][0]);
    let related = get(&collector, &format!("/api/events/{id}/related"));
    let operations: Vec<_> =
        related["events"].as_array().unwrap().iter().map(|item| &item["entity"]["operation"]).collect();
    assert_eq!(operations, ["Checkout", "ProcessOrder", "Ship"]);
    assert_eq!(refused(&collector, "/api/events/32-1").0, 404);
    assert_eq!(refused(&collector, "/api/events/32-1/related").0, 404);
    let (status, error) = refused(&collector, "/api/events/seven");
    assert_eq!(
        (status, error.as_str()),
        (400, "id=\"seven\": expected the id of an event, as in an answer of this API")
    );
}

#[test]
fn an_export_has_all_of_it_in_order() {
    let collector = collector();
    // More than two parts of it.
    let all: Vec<_> = (0..1_234)
        .map(|number| json!({"operation": "Count", "msg-text": format!("n{number}"), "time-usec": START + number}))
        .collect();
    store(&collector, &all);
    let (_, head, body) = fetch(&collector, "/api/events.jsonl");
    assert!(head.contains("content-disposition: attachment; filename=\"events.jsonl\""), "{head}");
    let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all);
    assert_eq!(fetch(&collector, "/api/events.jsonl?limit=501").2.lines().count(), 501);
    let youngest = fetch(&collector, "/api/events.jsonl?order=youngest&limit=1200").2;
    let lines: Vec<Value> = youngest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all.iter().rev().take(1_200).cloned().collect::<Vec<_>>());
    assert_eq!(fetch(&collector, "/api/events.jsonl?text=n7").2.lines().count(), 1);
    assert_eq!(fetch(&collector, "/api/events.csv").2.lines().count(), 1_235);
    // Exactly whole parts, and nothing at all.
    assert_eq!(fetch(&collector, "/api/events.jsonl?limit=1000").2.lines().count(), 1_000);
    assert_eq!(fetch(&collector, "/api/events.jsonl?text=nowhere").2, "");
    assert_eq!(fetch(&collector, "/api/events.csv?text=nowhere").2.lines().count(), 1);
}

#[test]
fn a_spreadsheet_gets_quotes_and_no_formula() {
    let collector = collector();
    store(
        &collector,
        &[
            json!({"operation": "=cmd()", "msg-text": "a, \"b\"\nc", "time-usec": START, "corrid": ["x", "y"],
                "comp-code": "ERROR", "reason-code": -7, "elapsed-time-usec": 5, "tracking-id": "t", "parent-id": "p",
                "exception": "boom", "location": "here", "user": "alice", "resource": "queue", "severity": "ERROR",
                "source-fqn": "APPL=A"}),
            json!({"type": "SNAPSHOT", "name": "Cpu", "category": "Server", "time-usec": START + 1,
                "properties": [{"name": "load", "type": "double", "value": 1.5}]}),
        ],
    );
    assert_eq!(
        fetch(&collector, "/api/events.csv").2,
        "\u{feff}time,severity,kind,type,operation,message,source,correlators,tracking id,parent id,elapsed usec,comp code,\
         reason code,exception,location,user,resource\r\n\
         2016-03-09T12:00:00.000000Z,ERROR,event,EVENT,'=cmd(),\"a, \"\"b\"\"\nc\",APPL=A,x y,t,p,5,ERROR,-7,boom,here,\
         alice,queue\r\n\
         2016-03-09T12:00:00.000001Z,NONE,snapshot,SNAPSHOT,,Cpu@Server,,,,,,,,,,,\r\n"
    );
}

#[test]
fn numbers_over_time_and_by_name() {
    let collector = collector();
    store(&collector, &orders());
    let series = get(&collector, "/api/series?buckets=5");
    let buckets = series["buckets"].as_array().unwrap();
    let count =
        |bucket: &Value| bucket["severities"].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(buckets.iter().map(count).sum::<u64>(), 5);
    assert_eq!(buckets.last().unwrap()["severities"], json!({"ERROR": 1}));
    assert!(buckets[0]["start-usec"].as_i64().unwrap() <= START + 60_000_000);

    assert_eq!(
        get(&collector, "/api/metrics"),
        json!({"metrics": [{"category": "Order", "snapshot": "Cart", "property": "items"}]})
    );
    let series = get(&collector, "/api/series?category=Order&snapshot=Cart&property=items&buckets=1");
    let (values, mut total) = (series["buckets"].as_array().unwrap(), 0.0);
    for value in values {
        total += value["avg"].as_f64().unwrap() * value["count"].as_f64().unwrap();
        assert!(value["min"].as_f64() <= value["max"].as_f64());
    }
    assert_eq!(total, 15.0);
    assert_eq!(get(&collector, "/api/series?property=nothing"), json!({"buckets": []}));

    let top = get(&collector, "/api/top?by=source");
    assert_eq!(
        top,
        json!({"top": [{"name": "APPL=WebOrders#SERVER=web-1", "count": 5, "severities": {"INFO": 4, "ERROR": 1}}]})
    );
    assert_eq!(get(&collector, "/api/top?limit=1")["top"][0]["name"], "ProcessOrder");
    let stats = get(&collector, "/api/stats");
    assert_eq!((&stats["events"], &stats["sources"], &stats["operations"]), (&json!(5), &json!(1), &json!(1)));
    assert_eq!(stats["severities"], json!({"INFO": 4, "ERROR": 1}));
    assert_eq!(
        (&stats["oldest-usec"], &stats["version"]),
        (&json!(START + 60_000_000), &json!(env!("CARGO_PKG_VERSION")))
    );
}

/// Payments by three users, with amounts and times.
fn payments() -> Vec<Value> {
    let payment = |number: i64| {
        json!({
            "operation": if number % 2 == 0 { "Pay" } else { "Refund" }, "user": format!("user-{}", number % 3),
            "severity": if number == 9 { "ERROR" } else { "INFO" }, "time-usec": START + number * 60_000_000,
            "elapsed-time-usec": number * 1_000, "source-fqn": format!("APPL=Shop#SERVER=web.{}", number % 2),
            "properties": [{"name": "amount.net", "type": "double", "value": number as f64 / 2.0},
                {"name": "note", "type": "string", "value": format!("note {number}")}],
            "snapshots": [{"name": "Cart", "category": "Order", "properties": [
                {"name": "items", "type": "int", "value": number}]}],
        })
    };
    (0..10).map(payment).collect()
}

#[test]
fn conditions_hold_for_any_field() {
    let collector = collector();
    store(&collector, &payments());
    let found = |query: &str| {
        let found = get(&collector, &format!("/api/events?{query}").replace('<', "%3C").replace('>', "%3E"));
        let number = |item: &Value| (item["time-usec"].as_i64().unwrap() - START) / 60_000_000;
        found["events"].as_array().unwrap().iter().map(number).collect::<Vec<_>>()
    };
    // Of what is in the index alone, as of what is younger.
    for round in 0..2 {
        for (query, expected) in [
            ("where=user%3Duser-1", vec![7, 4, 1]),
            ("where=user!%3Duser-1&where=user!%3Duser-2", vec![9, 6, 3, 0]),
            ("where=elapsed-time-usec>%3D8ms", vec![9, 8]),
            ("where=elapsed-time-usec<0.0015s&where=elapsed-time-usec>0", vec![1]),
            ("where=properties.amount.net%3D4", vec![8]),
            ("where=properties.amount.net<1", vec![1, 0]),
            ("where=snapshots.Order/Cart/items>8&where=!location", vec![9]),
            ("where=operation^%3DRef&where=user%3Duser-0", vec![9, 3]),
            ("where=properties.note*%3Dte+7", vec![7]),
            ("where=SERVER%3Dweb.1&where=severity%3DERROR", vec![9]),
            ("where=SERVER^%3Dweb&limit=2", vec![9, 8]),
            ("where=properties.note&where=!operation%3DPay&where=kind%3Devent", vec![9, 7, 5, 3, 1]),
            ("where=!severity*%3DINF", vec![9]),
            ("where=exception", vec![]),
            ("text=-pay&where=user%3Duser-1", vec![7, 1]),
        ] {
            assert_eq!(found(query), expected, "{query}, round {round}");
        }
        // Figures make the index follow.
        get(&collector, "/api/stats");
    }
    for (path, expected) in [
        ("/api/events?where=colour%3Dred", "where=\"colour=red\": expected a field: "),
        ("/api/events?where=user%3Ealice", "where=\"user>alice\": expected a number after < or >"),
    ] {
        let (status, error) = refused(&collector, path);
        assert!(status == 400 && error.starts_with(expected), "{path}: {error}");
    }
}

#[test]
fn anything_can_be_counted_by_anything() {
    let collector = collector();
    store(&collector, &payments());
    let rows = |query: &str| {
        let answer = get(&collector, &format!("/api/aggregate?{query}").replace('>', "%3E"));
        let row = |row: &Value| format!("{} {} {}", row["by"], row["count"], row["measures"]);
        answer["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(rows(""), ["[] 10 []"]);
    assert_eq!(rows("by=user"), ["[\"user-0\"] 4 []", "[\"user-1\"] 3 []", "[\"user-2\"] 3 []"]);
    assert_eq!(
        rows("by=operation&by=severity&where=user%3Duser-0&where=severity%3DINFO"),
        ["[\"Pay\",\"INFO\"] 2 []", "[\"Refund\",\"INFO\"] 1 []"]
    );
    let figures = ["sum", "min", "max", "avg", "count"].map(|name| format!("measure={name}(properties.amount.net)"));
    assert_eq!(rows(&figures.join("&")), ["[] 10 [22.5,0.0,4.5,2.25,10.0]"]);
    assert_eq!(
        rows("by=SERVER&measure=max(elapsed-time-usec)&measure=distinct(user)"),
        ["[\"web.0\"] 5 [8000.0,3.0]", "[\"web.1\"] 5 [9000.0,3.0]"]
    );
    assert_eq!(rows("by=snapshots.Order/Cart/items&where=snapshots.Order/Cart/items>8"), ["[9.0] 1 []"]);
    assert_eq!(rows("measure=sum(properties.nothing)"), ["[] 10 [0.0]"]);
    assert_eq!(rows("measure=avg(properties.nothing)"), ["[] 10 [null]"]);
    let p50 = &get(&collector, "/api/aggregate?measure=p50(elapsed-time-usec)")["rows"][0]["measures"][0];
    assert!((3_900.0..5_100.0).contains(&p50.as_f64().unwrap()), "{p50}");
    let over_time = get(&collector, "/api/aggregate?by=time&by=severity&buckets=10");
    assert_eq!(over_time["width-usec"], 60_000_000);
    assert_eq!(over_time["rows"].as_array().unwrap().len(), 10);
    assert_eq!(over_time["rows"][9], json!({"by": [START + 540_000_000, "ERROR"], "count": 1, "measures": []}));
    assert_eq!(rows("by=user&where=user%3Dnobody"), [""; 0]);
    let facets = get(&collector, "/api/facets?field=operation&field=properties.amount.net&limit=1");
    let [operation, amount] = &**facets["facets"].as_array().unwrap() else { panic!("{facets}") };
    assert_eq!(*operation, json!({"field": "operation", "values": [{"value": "Pay", "count": 5}]}));
    assert_eq!(amount["values"].as_array().unwrap().len(), 1);
    assert_eq!(get(&collector, "/api/facets")["facets"].as_array().unwrap().len(), 7);
    for (path, expected) in [
        ("/api/aggregate?by=tracking-id", "can't group by tracking-id"),
        ("/api/aggregate?by=colour", "by=\"colour\": expected time or the name of a field"),
        ("/api/aggregate?measure=median(pid)", "measure=\"median(pid)\": expected a measure such as"),
        ("/api/aggregate?by=user&by=pid&by=tid&limit=100", "limit=\"100\": expected values that result in at most"),
        ("/api/aggregate?by=a&by=b&by=c&by=d", "by=\"a\": expected time or the name"),
    ] {
        let (status, error) = refused(&collector, path);
        assert!(status == 400 && error.starts_with(expected), "{path}: {error}");
    }
}

#[test]
fn what_a_link_says_is_what_it_finds() {
    let collector = collector();
    for (operation, correlator) in [(" Pay ", " A-1 "), ("Pay", "A-1"), ("支払い", "%2F&=")] {
        store(&collector, &[json!({"operation": operation, "corrid": [correlator], "time-usec": START})]);
    }
    for query in ["operation=+Pay+", "operation=Pay", "corrid=+A-1+", "corrid=A-1", "corrid=%252F%26%3D", "text=払"] {
        assert_eq!(get(&collector, &format!("/api/events?{query}"))["events"].as_array().unwrap().len(), 1, "{query}");
    }
}

#[test]
fn who_sent_to_whom() {
    let collector = collector();
    let message = |kind: &str, appl: &str, time: i64| {
        json!({"type": kind, "operation": "Invoice", "severity": if kind == "SEND" { "INFO" } else { "ERROR" },
            "source-fqn": format!("APPL={appl}"), "corrid": ["order-1"], "time-usec": START + time})
    };
    store(&collector, &[message("SEND", "Orders", 1), message("RECEIVE", "Billing", 2)]);
    assert_eq!(
        get(&collector, "/api/flows"),
        json!({"flows": [{"from": "APPL=Orders", "to": "APPL=Billing", "count": 1, "errors": 1, "per-minute": 1.0, "transit-p95-usec": 1}]})
    );
}

#[test]
fn the_tail_tells_what_comes_in_and_ends_with_the_collector() {
    let collector = collector();
    let (status, head, mut reader) = open(&collector, "/api/tail?severity=%3E%3DERROR");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let mut next = || loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the tail ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str::<Value>(data).unwrap();
        }
    };
    // The head is sent when the tail has begun, so nothing from here on is lost.
    let orders = orders();
    store(&collector, &orders);
    let data = next();
    assert_eq!(data["entity"], orders[4]);
    assert_eq!(get(&collector, &format!("/api/events/{}", data["id"].as_str().unwrap())), data);
    // However large it is.
    let large = json!({"operation": "large", "severity": "ERROR", "msg-text": "x".repeat(1 << 20)});
    store(&collector, std::slice::from_ref(&large));
    assert_eq!(next()["entity"], large);
    let rest = std::thread::spawn(move || reader.read_to_end(&mut Vec::new()).map(drop));
    drop(collector);
    rest.join().unwrap().unwrap();
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let collector = collector();
    for (path, expected) in [
        (
            "/api/events?severity=BAD",
            "severity=\"BAD\": expected a severity such as ERROR, >=ERROR, <=INFO or INFO..WARNING",
        ),
        ("/api/events?limit=0", "limit=\"0\": expected a whole number from 1 to 1000"),
        ("/api/events?limit=1001", "limit=\"1001\": expected a whole number from 1 to 1000"),
        ("/api/events?before=x", "before=\"x\": expected the id of an event, as in an answer of this API"),
        ("/api/events?colour=red", "colour=\"red\": no such parameter"),
        ("/api/events?severity=ERROR&severity=FATAL", "severity=\"FATAL\": expected only once"),
        ("/api/events.csv?operation=a&operation=b", "operation=\"b\": expected only once"),
        ("/api/series?since=1h&since=2h", "since=\"2h\": expected only once"),
        ("/api/events?limit=1&limit=2", "limit=\"2\": expected only once"),
        ("/api/top?by=colour", "by=\"colour\": expected operation or source"),
        // What it can't count by is not quietly passed over.
        ("/api/series?category=Order", "category=\"Order\": applies to a property only"),
        ("/api/flows?severity=ERROR", "severity=\"ERROR\": no such parameter"),
    ] {
        assert_eq!(refused(&collector, path), (400, expected.to_owned()), "{path}");
    }
    assert_eq!(refused(&collector, "/api/nothing").0, 404);
}

#[test]
fn the_counts_are_told_as_open_metrics() {
    let collector = collector();
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    let body = "{\"operation\":\"a\"}\n{\"operation\":\"b\"}\nno entity\n";
    let head = format!("POST /event HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
    let (status, head, text) = fetch(&collector, "/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    for line in ["stored_total 2", "refused_total 1", "duplicates_total 0", "events 2", "snapshots 0"] {
        assert!(text.contains(&format!("\njkool_collector_{line}\n")), "{line}: {text}");
    }
    assert!(
        text.starts_with("# TYPE jkool_collector_stored counter\n# HELP ") && text.ends_with("\n# EOF\n"),
        "{text}"
    );
    // What is told of is described before, and once.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(' ').next().unwrap().trim_end_matches("_total");
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{line}");
    }
}

#[test]
fn every_parameter_is_described_and_no_other() {
    let collector = collector();
    let description = get(&collector, "/api/openapi.json");
    let parameter = |parameter: &Value| {
        let resolved = match parameter["$ref"].as_str() {
            Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap(),
            None => parameter,
        };
        (resolved["in"] == "query").then(|| resolved["name"].as_str().unwrap().to_owned())
    };
    let described: Vec<(&str, Vec<String>)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, methods)| methods.get("get").is_some() && *path != "/api/openapi.json")
        .map(|(path, methods)| {
            let parameters = methods["get"]["parameters"].as_array();
            (path.as_str(), parameters.into_iter().flatten().filter_map(parameter).collect())
        })
        .collect();
    let mut all: Vec<&String> = described.iter().flat_map(|(_, parameters)| parameters).collect();
    all.sort_unstable();
    all.dedup();
    assert!(all.len() >= 15, "{all:?}");
    for (path, parameters) in &described {
        for name in &all {
            let url = format!("{}?{name}=7", path.replace("{id}", "32-1").replace("{name}", "overview"));
            // A tail that is taken has no end.
            let (status, _, mut reader) = open(&collector, &url);
            let known = status != 400 || {
                let mut body = String::new();
                reader.read_to_string(&mut body).unwrap();
                !body.contains("no such parameter")
            };
            assert_eq!(known, parameters.contains(name), "{url}");
        }
    }
}

#[test]
fn what_is_described_as_taking_entities_does() {
    let collector = collector();
    let description = get(&collector, "/api/openapi.json");
    let paths = description["paths"].as_object().unwrap().iter();
    let paths: Vec<&String> =
        paths.filter(|(_, item)| item["$ref"] == "#/components/pathItems/Intake").map(|(path, _)| path).collect();
    assert_eq!(paths.len(), 18, "{paths:?}");
    for path in &paths {
        let body = format!(r#"{{"operation":"Described","name":"n","msg-text":"{path}"}}"#);
        let mut stream = TcpStream::connect(collector.address()).unwrap();
        let head = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.split(' ').nth(1) == Some("202"), "{path}: {answer}");
    }
    assert_eq!(get(&collector, "/api/events")["events"].as_array().unwrap().len(), paths.len());
}

/// What is sent is answered, and what is told of it later is the same.
#[test]
fn what_is_mended_or_too_old_is_counted_and_told() {
    let now = Timestamp::from_usec(START);
    let retention = Retention::IN_MEMORY.age(Duration::from_secs(3_600));
    let store = Store::builder().retention(retention).clock(Clock::new(move || now));
    let collector = Collector::builder().listen("127.0.0.1:0").store(store).start().unwrap();
    let post = |body: &[u8]| {
        let mut stream = TcpStream::connect(collector.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
        let head = format!("POST /event HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", collector.address());
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str::<Value>(answer.rsplit_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let event = |usec: i64| format!(r#"{{"operation":"op","time-usec":{usec}}}"#);
    assert_eq!(post(event(START).as_bytes()), json!({"stored": 1, "duplicates": 0}));
    let old = format!("{}\n{}", event(35), event(START - 1));
    assert_eq!(post(old.as_bytes()), json!({"stored": 1, "duplicates": 0, "expired": 1}));
    assert_eq!(post(b"{\"operation\":\"caf\xe9\"}"), json!({"stored": 1, "duplicates": 0, "repaired": 1}));
    let stats = get(&collector, "/api/stats");
    let received = &stats["received"];
    assert_eq!([&received["stored"], &received["expired"], &received["repaired"]], [&json!(3), &json!(1), &json!(1)]);
}

#[test]
fn a_line_is_completed_with_names_and_values_of_the_store() {
    let event = |user: &str| {
        format!(
            r#"{{"operation":"pay","user":"{user}","time-usec":{START},"properties":[{{"name":"order-no","type":"string","value":"x"}}]}}"#
        )
    };
    let collector = collector();
    store_lines(&collector, &["alice", "alice", "al \\\"x\\\"", "bob"].map(event));
    let lines = |line: &str| get(&collector, &format!("/api/complete?line={line}"))["lines"].clone();
    assert_eq!(lines("op:pay%20-us"), json!(["op:pay -user:"]));
    assert_eq!(lines("or"), json!(["order-no:"]));
    assert_eq!(lines("SEV"), json!(["severity:"]));
    assert_eq!(lines("user:al"), json!(["user:alice", "user:\"al \\\"x\\\"\""]));
    assert_eq!(lines("user:")[0], "user:alice");
    assert_eq!(lines("severity%3E%3Der"), json!(["severity>=ERROR"]));
    assert_eq!(lines("order-no:"), json!(["order-no:x"]));
    for none in ["nothing:x", "msg:x", "time:2", "%22no%20stock"] {
        assert_eq!(lines(none), json!([]), "{none}");
    }
    assert!(lines("").as_array().unwrap().len() > 10);
}
