//! `jkool query`, from a collector.

use crate::common::{Nobody, collector, jkool, run, store, while_storing};
use jkool_collector::Collector;
use std::io::{BufRead, BufReader};

/// Three events of two operations, at noon on the 9th of March 2016, UTC.
fn shop() -> Collector {
    let collector = collector();
    let event = |number: i64, operation: &str, severity: &str| {
        format!(
            r#"{{"operation":"{operation}","severity":"{severity}","msg-text":"Order {number}\u001b[2J","elapsed-time-usec":{number},
            "time-usec":{},"tracking-id":"id-{number}","source-fqn":"APPL=Shop"}}"#,
            1_457_524_800_000_000 + number * 60_000_000
        )
    };
    let events = [event(1, "Pay", "INFO"), event(2, "Pay", "INFO"), event(4, "=Ship", "ERROR")];
    store(&collector, &events.each_ref().map(String::as_str));
    collector
}

fn query(shop: &Collector, args: &[&str]) -> crate::common::Ran {
    run(&[&["query", "--url", &shop.url(), "--date", "all", "--tz", "UTC"], args].concat())
}

#[test]
fn an_answer_is_a_table_json_or_csv() {
    let shop = shop();
    let table = query(&shop, &["get number of events, avg(elapsedtime) group by operation"]);
    let expected = "EventName  NumberOf  avg(ElapsedTime)\nPay               2             1.500\n=Ship             1                 4\n";
    assert_eq!((table.code, table.out.as_str(), table.err.as_str()), (0, expected, ""));
    let rows = query(&shop, &["get events fields time, message where elapsed = 4"]);
    assert_eq!(
        rows.out,
        "Time                              Message\n2016-03-09 12:04:00.000000+00:00  Order 4\\u{1b}[2J\n"
    );
    let csv = query(&shop, &["get events fields operation, elapsedtime limit 1", "--output", "csv"]);
    assert_eq!(csv.out, "EventName,ElapsedTime\r\n'=Ship,4\r\n");
    assert!(csv.err.contains("1 of 3 rows") || csv.err.is_empty());
    let json = query(&shop, &["get number of events", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["rows"][0]["NumberOf"], 3);
    let few = query(&shop, &["get events fields id", "--max-rows", "2"]);
    assert_eq!((few.out.lines().count(), few.err.contains("2 of 3 rows")), (3, true), "{}", few.err);
    // No rows is an exit code of its own, as of a search.
    assert_eq!(query(&shop, &["get events where severity = 'FATAL'"]).code, 1);
}

#[test]
fn a_chart_is_drawn_with_characters() {
    let shop = shop();
    let pie = query(&shop, &["get number of events group by severity show as piechart"]);
    let lines: Vec<&str> = pie.out.lines().collect();
    assert!(
        lines[0].starts_with("INFO   2   66.7 %  ███") && lines[1].starts_with("ERROR  1   33.3 %  ███"),
        "{}",
        pie.out
    );
    let lengths = [lines[0], lines[1]].map(|line| line.chars().filter(|c| *c == '█').count());
    assert_eq!(lengths[0] / 2, lengths[1]);
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", pie.out);
    let area = query(&shop, &["get number of events bucketed by minute group by severity show as areachart"]);
    let expected = "ERROR     █  ≤ 1\nINFO   ██    ≤ 1\n       2016-03-09 12:01:00.000000+00:00 … 2016-03-09 12:04:00.000000+00:00\n";
    assert_eq!(area.out, expected);
    assert_eq!(query(&shop, &["get number of events show as number"]).out, "3\n");
    // What can't be drawn so is a table.
    assert!(query(&shop, &["get events fields id show as piechart"]).out.starts_with("EventID\n"));
}

#[test]
fn what_is_wrong_is_marked_at_its_place() {
    let shop = shop();
    let wrong = query(&shop, &["get events wher severity = 'ERROR'"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    let lines: Vec<&str> = wrong.err.lines().collect();
    assert!(
        lines[0].starts_with("jkool: column 12: expected ") && lines[0].ends_with("did you mean `where`?"),
        "{}",
        wrong.err
    );
    assert_eq!(&lines[1..], ["  get events wher severity = 'ERROR'", "             ^"]);
    assert_eq!(query(&shop, &["get events", "--tz", "Mars"]).code, 2);
    let explained = query(&shop, &["get number of events where sev>='ERROR' group by user", "--explain"]);
    assert!(explained.err.contains("where severity>=ERROR\ngrouped by UserName"), "{}", explained.err);
}

#[test]
fn who_is_not_there_or_refuses_us_is_told() {
    let nobody = Nobody::new();
    let ran = run(&["query", "--url", &nobody.url(), "get events"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("can't be reached") && ran.err.contains("jkool collect"), "{}", ran.err);
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-9b01").start().unwrap();
    let args = ["query", "--url", &collector.url(), "get number of events"];
    let refused = run(&args);
    assert!(refused.code == 3 && refused.err.contains("JKOOL_TOKEN"), "{}", refused.err);
    let ran: crate::common::Ran = jkool(&args).env("JKOOL_TOKEN", "canary-9b01").output().unwrap().into();
    assert_eq!((ran.code, ran.out.as_str()), (0, "NumberOf\n       0\n"), "{}", ran.err);
    let ran: crate::common::Ran = jkool(&["query", "--url", "http://192.0.2.1", "get events"])
        .env("JKOOL_TOKEN", "canary-9b02")
        .output()
        .unwrap()
        .into();
    assert!(ran.code == 2 && !ran.err.contains("canary-9b02"), "{}", ran.err);
}

#[test]
fn a_subscription_shows_what_comes_in() {
    let shop = shop();
    let wrong = query_watch(&shop, "get events").wait_with_output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let wrong = query_watch(&shop, "subscribe to evnts").wait_with_output().unwrap();
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("did you mean `events`?"));
    let mut child = query_watch(&shop, "subscribe to events fields operation, message where sev >= 'ERROR'");
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    // Only what comes in behind its beginning is shown, so it comes over and over.
    let mut line = String::new();
    while_storing(&shop, || lines.read_line(&mut line)).unwrap();
    assert!(line.starts_with("Fail  "), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn query_watch(shop: &Collector, statement: &str) -> std::process::Child {
    jkool(&["query", "--url", &shop.url(), "--watch", statement]).spawn().unwrap()
}
