//! `jkool send`, over HTTP to a collector.

use crate::common::{Nobody, TempFile, collector, eventually, jkool, run, run_with, stored};
use jkool_model::{CompCode, Entity, Event, OpType, Property, Severity, SourceType, ValueType};
use std::io::Write;
use std::process::Stdio;

fn events(collector: &jkool_collector::Collector) -> Vec<Event> {
    let events = stored(collector).into_iter().map(|stored| match stored.entity {
        Entity::Event(event) => *event,
        other => panic!("{other:?}"),
    });
    events.collect()
}

#[test]
fn one_event_with_all_its_decoration() {
    let collector = collector();
    let ran = run(&[
        "send",
        "Order processed",
        "--url",
        &collector.url(),
        "--operation",
        "ProcessOrder",
        "--severity",
        "error",
        "--type",
        "CALL",
        "--source",
        "APPL=WebOrders#SERVER=?",
        "--corrid",
        "A-100",
        "--corrid",
        "basket-9",
        "--tracking-id",
        "t-1",
        "--parent-id",
        "p-1",
        "--tag",
        "order",
        "--tag",
        "retail",
        "--location",
        "Atlanta, Ga",
        "--user",
        "alice",
        "--resource",
        "orders",
        "--comp-code",
        "ERROR",
        "--reason-code",
        "-51",
        "--exception",
        "no funds",
        "--elapsed",
        "1.5s",
        "--property",
        "amount=42.50:double:currency.usd",
        "--property",
        "url=http://x:80/",
        "--snapshot",
        "Payment@Order:order-no=A-100,amount=42",
    ]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "t-1\n", ""));
    let events = events(&collector);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&*event.message, &*event.operation), ("Order processed", "ProcessOrder"));
    assert_eq!((event.severity, event.op_type), (Severity::Error, OpType::Call));
    let source = event.source.as_ref().unwrap();
    assert_eq!(source.get(SourceType::Appl), Some("WebOrders"));
    assert!(!matches!(source.get(SourceType::Server), None | Some("?")));
    assert_eq!(event.correlators, ["A-100", "basket-9"]);
    assert_eq!(event.tracking_id.as_ref().unwrap().to_string(), "t-1");
    assert_eq!(event.parent_id.as_ref().unwrap().to_string(), "p-1");
    assert_eq!(event.tags, ["order", "retail"]);
    assert_eq!((&*event.location, &*event.user, &*event.resource), ("Atlanta, Ga", "alice", "orders"));
    assert_eq!((event.comp_code, event.reason_code), (Some(CompCode::Error), Some(-51)));
    assert_eq!((&*event.exception, event.elapsed_usec), ("no funds", Some(1_500_000)));
    assert_eq!(
        event.properties,
        [Property::new("amount", 42.5).value_type(ValueType::CurrencyUsd), Property::new("url", "http://x:80/"),]
    );
    let snapshot = &event.snapshots[0];
    assert_eq!((&*snapshot.name, &*snapshot.category), ("Payment", "Order"));
    assert_eq!(snapshot.properties, [Property::new("order-no", "A-100"), Property::new("amount", 42)]);
}

#[test]
fn a_message_alone_gets_an_id() {
    let collector = collector();
    let ran = jkool(&["send", "hello"]).env("JKOOL_URL", collector.url()).output().unwrap();
    assert!(ran.status.success());
    let id = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(events(&collector)[0].tracking_id.as_ref().unwrap().to_string(), id.trim());
}

#[test]
fn bad_lines_of_a_file_are_named_and_the_others_sent() {
    let collector = collector();
    let file = TempFile::new(
        "bad.jsonl",
        "{\"operation\":\"first\",\"msg-text\":\"1\",\"source-fqn\":\"APPL=Own\"}\n\
         {\"operation\":\"second\", nonsense}\n\
         \n\
         [{\"operation\":\"x\"},1]\n\
         {\"operation\":\"late\",\"start-time-usec\":5,\"end-time-usec\":3}\n\
         {\"type\":\"SNAPSHOT\",\"name\":\"Cpu\",\"category\":\"Server\",\"properties\":[{\"name\":\"load\",\"value\":1.5}]}\r\n\
         {\"operation\":\"last\",\"corr-id\":\"c\",\"msg-text\":\"half \\ud800\"}",
    );
    let ran = run(&["send", "--file", file.path(), "--url", &collector.url(), "--source", "APPL=Default"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    let lines: Vec<&str> = ran.err.lines().collect();
    let [second, fourth, fifth, summary] = lines.as_slice() else { panic!("{}", ran.err) };
    assert!(second.starts_with(&format!("{}:2:24: key must be a string", file.path())), "{second}");
    assert!(fourth.starts_with(&format!("{}:4:", file.path())) && fourth.contains("expected an event"), "{fourth}");
    assert!(fifth.starts_with(&format!("{}:5:1: ", file.path())), "{fifth}");
    assert!(
        summary.starts_with("3 delivered in ") && summary.ends_with(", 1 line repaired, 3 lines refused"),
        "{summary}"
    );
    let mut found: Vec<(String, String)> = stored(&collector)
        .into_iter()
        .map(|stored| match &stored.entity {
            Entity::Event(event) => (event.operation.to_string(), stored.entity.source().unwrap().to_string()),
            Entity::Snapshot(snapshot) => (snapshot.name.to_string(), stored.entity.source().unwrap().to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_unstable();
    let pair = |name: &str, source: &str| (name.to_owned(), source.to_owned());
    assert_eq!(found, [pair("Cpu", "APPL=Default"), pair("first", "APPL=Own"), pair("last", "APPL=Default")]);
}

#[test]
fn what_is_nearly_json_is_sent_and_counted() {
    let collector = collector();
    let file = TempFile::new("nearly.jsonl", "");
    std::fs::write(
        file.path(),
        b"\xef\xbb\xbf{\"operation\":\"mark\",\"msg-text\":\"1\"}\n\
          {\"operation\":\"python\",\"msg-text\":\"2\",\"properties\":[{\"name\":\"r\",\"type\":\"double\",\"value\":NaN}]}\n\
          {\"operation\":\"latin\",\"msg-text\":\"caf\xe9\"}\n\
          {\"operation\":\"large\",\"msg-text\":\"4\",\"properties\":[{\"name\":\"r\",\"type\":\"double\",\"value\":1e400}]}\n",
    )
    .unwrap();
    let ran = run(&["send", "--file", file.path(), "--url", &collector.url()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("4 delivered in ") && ran.err.ends_with(", 4 lines repaired\n"), "{}", ran.err);
    let mut found: Vec<_> = events(&collector).iter().map(|event| event.message.to_string()).collect();
    found.sort_unstable();
    assert_eq!(found, ["1", "2", "4", "caf\u{e9}"]);
}

#[test]
fn standard_input_is_read_when_nothing_else_is_said() {
    let collector = collector();
    let lines: String =
        (0..5_000).map(|number| format!("{{\"operation\":\"Count\",\"msg-text\":\"{number}\"}}\n")).collect();
    let ran = run_with(&["send", "--url", &collector.url()], &lines);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.starts_with("5,000 delivered in "), "{}", ran.err);
    let mut numbers: Vec<u32> = events(&collector).iter().map(|event| event.message.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..5_000));
    assert_eq!(run_with(&["send", "--file", "-", "--url", &collector.url()], "{\"operation\":\"x\"}").code, 0);
    // Nothing is nothing to complain about.
    assert_eq!(run_with(&["send", "--url", &collector.url()], "").code, 0);
}

#[test]
fn dead_letters_are_sent_again_as_the_events_that_they_are() {
    let collector = collector();
    // As the spool of a client keeps them.
    let file = TempFile::new(
        "dead-letters.jsonl",
        "{\"error\":\"the server answered 400 Bad Request\",\"kind\":\"event\",\"reason\":\"rejected by the server\",\"entity\":\
         {\"type\":\"EVENT\",\"operation\":\"Pay\",\"msg-text\":\"late\",\"corrid\":[\"A-1\"],\"source-fqn\":\"APPL=Own\",\
         \"time-usec\":1700000000000000,\"properties\":[{\"name\":\"amount\",\"type\":\"double\",\"value\":0.1}]}}\n\
         {\"error\":\"no\",\"kind\":\"event\",\"reason\":\"x\",\"entity\":[]}\n",
    );
    let ran = run(&["send", "--file", file.path(), "--url", &collector.url()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains(":2:1: ") && ran.err.contains("1 delivered in "), "{}", ran.err);
    let found = events(&collector);
    let [event] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((event.operation.as_ref(), event.message.as_ref()), ("Pay", "late"));
    assert_eq!(event.time.unwrap().as_usec(), 1_700_000_000_000_000);
    assert_eq!(event.properties.len(), 1);
    assert_eq!(event.correlators.len(), 1);
}

#[test]
fn what_a_search_shows_as_json_can_be_sent_again() {
    let (from, to) = (collector(), collector());
    assert_eq!(run(&["send", "Grüße, 漢字 \"x\"", "--corrid", "c", "--url", &from.url()]).code, 0);
    let found = run(&["search", "--json", "--url", &from.url()]);
    assert_eq!(run_with(&["send", "--url", &to.url()], &found.out).code, 0);
    assert_eq!(stored(&from)[0].entity, stored(&to)[0].entity);
}

#[test]
fn what_is_sent_back_to_where_it_was_found_is_not_stored_again() {
    const SENT: [&str; 3] = [
        r#"{"severity":"ERROR","tracking-id":"e-1","source-fqn":"APPL=Shop","time-usec":"1457524800123456","operation":"Pay",
            "properties":[{"value":1.50,"name":"amount","type":"double"}],"msg-text":"declined"}"#,
        r#"{"tracking-id":"a-1","operation":"Order","type":"ACTIVITY","status":"END","source-fqn":"APPL=Shop",
            "time-usec":1457524800123456,"elapsed-time-usec":17}"#,
        r#"{"name":"Cpu","category":"Server","type":"SNAPSHOT","tracking-id":"s-1","source-fqn":"APPL=Shop",
            "time-usec":1457524800123456,"properties":[{"name":"load","value":0.25}]}"#,
    ];
    let collector = collector();
    crate::common::store(&collector, &SENT);
    let found = run(&["search", "--json", "--url", &collector.url()]).out;
    for round in 1..3 {
        let ran = run_with(&["send", "--url", &collector.url()], &found);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!((stored(&collector).len(), collector.counts().duplicates), (3, 3 * round));
    }
}

#[test]
fn who_is_not_there_is_told_with_what_to_do() {
    let nobody = Nobody::new();
    let url = nobody.url();
    let ran = run(&["send", "hello", "--url", &url, "--timeout", "200ms"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(ran.err.starts_with(&format!("jkool: 1 not delivered to {url}: ")), "{}", ran.err);
    assert!(ran.err.contains("jkool collect"), "{}", ran.err);
    let ran =
        run_with(&["send", "--url", &url, "--timeout", "200ms"], "{\"operation\":\"x\"}\n{\"operation\":\"y\"}\n");
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("0 delivered in ") && ran.err.contains("2 not delivered"), "{}", ran.err);
}

#[test]
fn wrong_usage_is_told_before_anything_is_sent() {
    let collector = collector();
    for args in [
        &["send", "x", "--property", "n=x:int"][..],
        &["send", "x", "--severity", "BAD"],
        &["send", "x", "--type", "ACTIVITY"],
        &["send", "x", "--token", "y"],
        &["send", "x", "--file", "y"],
        &["send", "--file", "-", "--severity", "ERROR"],
        &["send", "--file", "/nowhere/at/all"],
        &["send", "x", "--source", "nonsense"],
        &["send", "x", "--token-file", "/nowhere/at/all"],
        &["send", "--file", "-", "--rules", "/nowhere/at/all"],
        &["send", "--file", "-", "--format", "nonsense"],
        &["nonsense"],
    ] {
        let ran: crate::common::Ran = jkool(args).env("JKOOL_URL", collector.url()).output().unwrap().into();
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty());
    }
    assert!(stored(&collector).is_empty());
}

#[test]
fn a_token_goes_over_plain_http_to_nobody_else() {
    let ran = jkool(&["send", "x", "--url", "http://192.0.2.1:6580"]).env("JKOOL_TOKEN", "canary-5ec1").output();
    let ran: crate::common::Ran = ran.unwrap().into();
    assert_eq!(ran.code, 2);
    assert!(!ran.err.contains("canary-5ec1"));
}

/// What every import of the same file leaves in a collector.
#[test]
fn a_file_sent_twice_is_stored_once_and_nothing_of_this_process_is_in_it() {
    let collector = collector();
    let text = "2026-11-30 03:14:10,123 ERROR [main] Shop - no stock\n\tat shop.Order.take(Order.java:5)\n\
                level=warn msg=late\n{\"operation\":\"a\",\"msg-text\":\"own\"}\n{\"level\":\"info\",\"msg\":\"other\"}\n";
    let file = TempFile::new("twice.log", text);
    for _ in 0..2 {
        let ran = run(&["send", "--file", file.path(), "--url", &collector.url(), "--source", "APPL=Shop"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.starts_with("4 delivered in "), "{}", ran.err);
    }
    let found = events(&collector);
    assert_eq!(found.len(), 4);
    for event in &found {
        assert_eq!((event.pid, event.tid, &*event.user, &event.properties[..]), (None, None, "", &[][..]), "{event:?}");
        assert_eq!(event.source.as_ref().unwrap().to_string(), "APPL=Shop");
    }
    let trace = found.iter().find(|event| event.severity == Severity::Error).unwrap();
    assert_eq!(&*trace.exception, "\tat shop.Order.take(Order.java:5)");
    assert_eq!(trace.time.unwrap().to_string(), "2026-11-30T03:14:10.123000Z");
}

#[test]
fn a_dry_run_prints_what_would_be_sent_and_a_host_and_port_are_a_url() {
    let collector = collector();
    let rules = TempFile::new("rules.toml", "[fields]\norder = \"correlator\"\n[set]\nlocation = \"Atlanta, Ga\"\n");
    let lines = "level=warn msg=\"order late\" order=A-1\nplain line\n";
    let ran = run_with(&["send", "--dry-run", "--rules", rules.path()], lines);
    assert_eq!((ran.code, ran.err.as_str()), (0, "2 would be sent\n"));
    let first: Event = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((&*first.message, first.severity, &*first.location), ("order late", Severity::Warning, "Atlanta, Ga"));
    assert_eq!(first.correlators, ["A-1"]);
    assert!(stored(&collector).is_empty());
    let url = collector.url();
    let ran = run_with(&["send", "--url", url.trim_start_matches("http://")], lines);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(events(&collector).len(), 2);
    // What was printed can be sent.
    let dry = run_with(&["send", "--dry-run"], lines);
    assert_eq!(run_with(&["send", "--url", &url], &dry.out).code, 0);
    assert_eq!(events(&collector).len(), 4);
}

#[test]
fn compressed_files_and_arrays_are_read() {
    let collector = collector();
    let file = TempFile::new("array.json.gz", "");
    let mut gzip =
        flate2::write::GzEncoder::new(std::fs::File::create(file.path()).unwrap(), flate2::Compression::fast());
    gzip.write_all(b"[\n  {\n    \"msg\": \"one\"\n  },\n  {\"msg\":\"two\"}\n]\n").unwrap();
    gzip.finish().unwrap();
    let ran = run(&["send", "--file", file.path(), "--url", &collector.url()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut found: Vec<_> = events(&collector).iter().map(|event| event.message.to_string()).collect();
    found.sort();
    assert_eq!(found, ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn interrupted_it_says_what_was_delivered() {
    let collector = collector();
    let mut child = jkool(&["send", "--url", &collector.url()]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"operation\":\"a\"}\n{\"operation\":\"b\"}\n{\"operation\":\"c\"}\n").unwrap();
    input.flush().unwrap();
    eventually("delivery", || (stored(&collector).len() == 3).then_some(()));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ran: crate::common::Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.starts_with("3 delivered in ") && ran.err.contains("interrupted"), "{}", ran.err);
    drop(input);
}
