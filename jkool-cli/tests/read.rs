//! `jkool search`, `jkool tail` and `jkool stats`, over HTTP from a collector.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Nobody, collector, eventually, jkool, run, store, while_storing};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};

const ORDERS: [&str; 3] = [
    r#"{"operation":"Accept","msg-text":"Order 1 accepted","time-usec":1457524800123456,"source-fqn":"APPL=Shop#SERVER=web-1","corrid":["order-1"]}"#,
    r#"{"operation":"Pay","msg-text":"Order 1 declined","severity":"ERROR","time-usec":1457524801000000,"source-fqn":"APPL=Bank","corrid":["order-1"],"exception":"no funds"}"#,
    r#"{"operation":"Accept","msg-text":"evil \u001b[2J \u009b31m\nline","time-usec":1457524802000000,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
];

const LINES: [&str; 3] = [
    "2016-03-09T12:00:00.123Z  INFO      Accept  Shop@web-1  Order 1 accepted  [order-1]",
    "2016-03-09T12:00:01.000Z  ERROR     Pay  Bank  Order 1 declined  [order-1]  ! no funds",
    "2016-03-09T12:00:02.000Z  INFO      Accept  Shop@web-1  evil \\u{1b}[2J \\u{9b}31m\\nline",
];

#[test]
fn a_search_shows_lines_the_youngest_first() {
    let collector = collector();
    store(&collector, &ORDERS);
    let url = collector.url();
    let search = |args: &[&str]| run(&[&["search", "--url", &url], args].concat());
    // Without colours, since it is no terminal, and without anything that would drive one.
    assert_eq!(search(&[]).out, format!("{}\n{}\n{}\n", LINES[2], LINES[1], LINES[0]));
    assert_eq!(search(&["order 1"]).out, format!("{}\n{}\n", LINES[1], LINES[0]));
    assert_eq!(search(&["sev>=ERROR OR accepted -corr:order-2"]).out, format!("{}\n{}\n", LINES[1], LINES[0]));
    let wrong = search(&["oper:Pay"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("column 1: expected the name of a field"), "{}", wrong.err);
    assert_eq!(search(&["--severity", ">=ERROR"]).out, format!("{}\n", LINES[1]));
    assert_eq!(search(&["--source", "SERVER=web-1", "--corrid", "order-1"]).out, format!("{}\n", LINES[0]));
    assert_eq!(search(&["--limit", "1"]).out, format!("{}\n", LINES[2]));
    assert_eq!(search(&["--until", "2016-03-09T12:00:01Z"]).out, format!("{}\n", LINES[0]));
    let nothing = search(&["--since", "1h"]);
    assert_eq!((nothing.code, nothing.out.as_str(), nothing.err.as_str()), (1, "", ""));
}

#[test]
fn a_search_gives_files() {
    let collector = collector();
    store(&collector, &ORDERS);
    let url = collector.url();
    let json = run(&["search", "--url", &url, "--json", "--limit", "all"]);
    assert_eq!((json.code, json.out), (0, format!("{}\n{}\n{}\n", ORDERS[2], ORDERS[1], ORDERS[0])));
    let csv = run(&["search", "--url", &url, "--csv", "declined"]);
    let lines: Vec<&str> = csv.out.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}time,severity,") && lines[1].contains(",Pay,Order 1 declined,"),
        "{}",
        csv.out
    );
    assert_eq!((csv.code, lines.len()), (0, 2));
    assert_eq!(run(&["search", "--url", &url, "--csv", "nowhere"]).code, 1);
}

#[test]
fn stats_say_how_much_there_is() {
    let collector = collector();
    store(&collector, &ORDERS);
    let ran = run(&["stats", "--url", &collector.url()]);
    assert_eq!(ran.code, 0);
    for line in
        ["events      3", "  ERROR     1", "  INFO      2", "sources     2", "oldest      2016-03-09T12:00:00.123456Z"]
    {
        assert!(ran.out.lines().any(|found| found == line), "{line}: {}", ran.out);
    }
    let json: serde_json::Value =
        serde_json::from_str(&run(&["stats", "--json", "--url", &collector.url()]).out).unwrap();
    assert_eq!((&json["events"], &json["severities"]["ERROR"]), (&3.into(), &1.into()));
}

#[test]
fn who_is_not_there_or_is_no_collector_is_told() {
    let nobody = Nobody::new();
    let url = nobody.url();
    for command in ["search", "tail", "stats"] {
        let ran = run(&[command, "--url", &url]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
        assert!(ran.err.contains("can't be reached") && ran.err.contains("jkool collect"), "{}", ran.err);
        let ran: common::Ran =
            jkool(&[command, "--url", "http://192.0.2.1"]).env("JKOOL_TOKEN", "canary-5ec1").output().unwrap().into();
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(!ran.err.contains("canary-5ec1"));
        assert_eq!(run(&[command, "--severity", "BAD"]).code, 2);
        assert_eq!(run(&[command, "--url", "not a url"]).code, 2);
    }
    assert_eq!(run(&["search", "--json", "--csv"]).code, 2);
    assert_eq!(run(&["search", "--limit", "0"]).code, 2);
}

/// A running tail.
struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Tail {
    fn new(args: &[&str]) -> Self {
        let mut child = jkool(&[&["tail"], args].concat()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Its exit code.
    fn wait(mut self) -> Option<i32> {
        drop(self.out);
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_tail_shows_what_comes_in_and_ends_after_so_many() {
    let collector = collector();
    store(&collector, &ORDERS);
    let mut tail = Tail::new(&["--url", &collector.url(), "--severity", ">=ERROR", "--limit", "2"]);
    let lines = while_storing(&collector, || [tail.line(), tail.line(), tail.line()]);
    // What was there before is no matter, and the filter holds.
    assert!(
        lines[..2].iter().all(|line| line.contains("Z  ERROR     Fail  ") && !line.contains('\u{1b}')),
        "{lines:?}"
    );
    assert_eq!((lines[2].as_str(), tail.wait()), ("", Some(0)));
    let mut tail = Tail::new(&["--url", &collector.url(), "--json", "--limit", "1"]);
    let line = while_storing(&collector, || tail.line());
    assert!(line.starts_with(r#"{"operation":"#), "{line}");
    assert_eq!(tail.wait(), Some(0));
}

#[test]
fn a_tail_ends_after_so_long() {
    let collector = collector();
    let ran = run(&["tail", "--url", &collector.url(), "--for", "100ms"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn a_tail_that_nobody_reads_ends_quietly() {
    let collector = collector();
    let mut tail = Tail::new(&["--url", &collector.url()]);
    let Tail { mut child, out } = while_storing(&collector, || {
        tail.line();
        tail
    });
    drop(out);
    // No event comes any more by which it would find that out.
    let status = eventually("the end", || child.try_wait().unwrap());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_tail_comes_back_to_a_collector_that_does() {
    let first = collector();
    let address = first.address().to_string();
    let mut tail = Tail::new(&["--url", &first.url()]);
    while_storing(&first, || tail.line());
    drop(first);
    let second = eventually("the port", || jkool_collector::Collector::builder().listen(address.clone()).start().ok());
    let mut err = BufReader::new(tail.child.stderr.take().unwrap());
    let mut said = [String::new(), String::new()];
    for line in &mut said {
        err.read_line(line).unwrap();
    }
    assert!(said[0].contains("trying again") && said[1].contains("connected again"), "{said:?}");
    store(&second, &[r#"{"operation":"OfTheSecond"}"#]);
    while !tail.line().contains("OfTheSecond") {}
    tail.child.kill().unwrap();
    tail.child.wait().unwrap();
}

#[test]
fn an_event_without_a_time_is_shown_with_that_of_its_receipt() {
    let collector = collector();
    store(&collector, &[r#"{"operation":"Timeless"}"#]);
    let year = common::now().to_string()[..4].to_owned();
    let found = run(&["search", "--url", &collector.url(), "timeless"]);
    assert!(found.out.starts_with(&year) && found.out.contains("Z  INFO      Timeless"), "{}", found.out);
    // As it was received it has none.
    let json = run(&["search", "--url", &collector.url(), "--json", "timeless"]);
    assert_eq!(json.out, "{\"operation\":\"Timeless\"}\n");
}
