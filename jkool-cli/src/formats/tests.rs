use super::{Format, Record, Records, parse};
use jkool_client::model::{CompCode, Entity, Event, Severity, Value};
use proptest::prelude::*;

const YEAR: i64 = 2026;

fn records(format: Format, text: &str) -> Vec<Record> {
    let mut records = Records::new(format);
    let mut found: Vec<_> = text.lines().filter_map(|line| records.push(line.as_bytes())).collect();
    found.extend(records.flush());
    found
}

fn events(format: Format, text: &str) -> Vec<Event> {
    let entities =
        records(format, text).into_iter().flat_map(|record| parse(&record, format, YEAR).expect("events").entities);
    entities
        .map(|entity| match entity {
            Entity::Event(event) => *event,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn one(text: &str) -> Event {
    let mut events = events(Format::Auto, text);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn property(event: &Event, name: &str) -> Value {
    let found = event.properties.iter().find(|property| property.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", event.properties)).value.clone()
}

fn time(event: &Event) -> String {
    event.time.expect("a time").to_string()
}

#[test]
fn json_in_other_programs_spelling() {
    for text in [
        r#"{"level":"error","msg":"no stock","ts":1700000000.5,"logger":"shop","trace_id":"t-1","n":3}"#,
        r#"{"severity":"ERROR","message":"no stock","timestamp":"2023-11-14T22:13:20.500Z","target":"shop","traceId":"t-1","n":3}"#,
        r#"{"level":50,"time":1700000000500,"msg":"no stock","logger_name":"shop","requestId":"t-1","n":3}"#,
    ] {
        let event = one(text);
        assert_eq!(
            (&*event.message, &*event.operation, event.severity),
            ("no stock", "shop", Severity::Error),
            "{text}"
        );
        assert_eq!(
            (time(&event).as_str(), &event.correlators[..]),
            ("2023-11-14T22:13:20.500000Z", &["t-1".into()][..])
        );
        assert_eq!(event.properties.len(), 1);
        assert_eq!(property(&event, "n"), Value::Int(3));
    }
    let event = one(r#"{"msg":"x","http":{"status":500,"path":"/"},"level":"loud","list":[1,2]}"#);
    assert_eq!(property(&event, "http.status"), Value::Int(500));
    assert_eq!(property(&event, "level"), Value::Text("loud".into()), "what is no level is kept");
    assert_eq!(property(&event, "list"), Value::List(vec![Value::Int(1), Value::Int(2)]));
}

#[test]
fn json_over_several_lines_and_in_arrays() {
    let messages =
        |text: &str| events(Format::Auto, text).into_iter().map(|event| event.message.into_owned()).collect::<Vec<_>>();
    assert_eq!(messages("{\n  \"msg\": \"a } b\",\n  \"x\": {\n \"y\": 1 }\n}\n{\"msg\":\"b\"}"), ["a } b", "b"]);
    assert_eq!(messages("[\n  {\"msg\":\"a\"},\n  {\n\"msg\":\"b\"\n },\n {\"msg\":\"c\"}\n]\n"), ["a", "b", "c"]);
    assert_eq!(messages("[{\"msg\":\"a\"},{\"msg\":\"b\"}]"), ["a", "b"]);
    assert_eq!(messages("[{\"msg\":\"a\"},\n{\"msg\":\"b\"}]\nplain"), ["a", "b", "plain"]);
    // One that is cut off spoils no other.
    let found = records(Format::Auto, "{\"msg\":\"cut\n{\"msg\":\"a\"}\n{\"msg\":\"b\"}");
    assert_eq!(found.len(), 3);
    assert!(parse(&found[0], Format::Auto, YEAR).is_err() && parse(&found[1], Format::Auto, YEAR).is_ok());
}

#[test]
fn logfmt() {
    let event = one(r#"time=2026-12-01T03:14:10Z level=warn msg="order \"A\" late" took=5ms n=3 zip=00501 ok"#);
    assert_eq!((&*event.message, event.severity), ("order \"A\" late", Severity::Warning));
    assert_eq!(time(&event), "2026-12-01T03:14:10.000000Z");
    assert_eq!((property(&event, "n"), property(&event, "ok")), (Value::Int(3), Value::Bool(true)));
    assert_eq!(property(&event, "zip"), Value::Text("00501".into()));
    assert_eq!(&*one("see a=b for more").message, "see a=b for more");
}

#[test]
fn access_logs() {
    let combined =
        r#"11.0.0.2 - alice [10/Oct/2000:13:55:36 -0700] "GET /orders?id=5 HTTP/1.1" 503 2326 "-" "curl/8 \"x\"""#;
    let event = one(combined);
    assert_eq!((&*event.operation, &*event.resource, &*event.user), ("GET", "/orders", "alice"));
    assert_eq!(
        (event.severity, event.comp_code, event.reason_code),
        (Severity::Error, Some(CompCode::Error), Some(503))
    );
    assert_eq!((time(&event).as_str(), &*event.message), ("2000-10-10T20:55:36.000000Z", combined));
    assert_eq!(property(&event, "http.bytes"), Value::Int(2326));
    let common = one(r#"::1 - - [10/Oct/2000:13:55:36 +0000] "HEAD / HTTP/1.0" 200 -"#);
    assert_eq!((common.severity, &*common.user), (Severity::Info, ""));
    assert!(parse(&records(Format::Access, "nonsense")[0], Format::Access, YEAR).is_err());
}

#[test]
fn syslog_of_both_rfcs() {
    let event = one(r#"<165>1 2026-12-01T03:14:10.003Z web-1 shop 42 ID47 [order@1 id="A \"1\""][x] no stock"#);
    assert_eq!(
        (&*event.message, &*event.operation, event.pid, event.severity),
        ("no stock", "shop", Some(42), Severity::Notice)
    );
    assert_eq!(event.source.as_ref().expect("a source").to_string(), "APPL=shop#SERVER=web-1");
    assert_eq!(property(&event, "order@1.id"), Value::Text("A \"1\"".into()));
    for text in ["<34>Dec  1 03:14:10 web-1 su[42]: failed for root", "Dec  1 03:14:10 web-1 su[42]: failed for root"] {
        let event = one(text);
        assert_eq!(
            (&*event.message, event.pid, time(&event).as_str()),
            ("failed for root", Some(42), "2026-12-01T03:14:10.000000Z")
        );
    }
    assert_eq!(one("<34>Dec  1 03:14:10 web-1 su: x").severity, Severity::Critical);
    assert!(parse(&records(Format::Syslog, "<999>x")[0], Format::Syslog, YEAR).is_err());
}

#[test]
fn plain_lines_and_stack_traces() {
    let java = "2026-12-01 03:14:10,123 ERROR [main] Shop - no stock\n\
                java.lang.IllegalStateException: empty\n\tat shop.Order.take(Order.java:5)\n\t... 3 more\n\
                Caused by: java.io.IOException: gone\n\tat shop.Disk.read(Disk.java:7)\n\
                2026-12-01 03:14:11,000 INFO [main] Shop - next";
    let python = "Traceback (most recent call last):\n  File \"shop.py\", line 3, in <module>\n    take()\nValueError: empty\n\n\
                  During handling of the above exception, another exception occurred:\n\n\
                  Traceback (most recent call last):\n  File \"shop.py\", line 5, in <module>\nKeyError: 'x'\nnext";
    let rust = "thread 'main' panicked at src/main.rs:2:5:\nno stock\nstack backtrace:\n   0: std::rt\n             at /rustc/x.rs:5\n\
                note: run with `RUST_BACKTRACE=full` for more\nnext";
    let go = "panic: no stock\n\ngoroutine 1 [running]:\nmain.take(...)\n\t/shop/main.go:5\nmain.main()\n\t/shop/main.go:9 +0x1d\nexit status 2";
    for (text, first, last) in [
        (
            java,
            "2026-12-01 03:14:10,123 ERROR [main] Shop - no stock",
            "2026-12-01 03:14:11,000 INFO [main] Shop - next",
        ),
        (python, "Traceback (most recent call last):", "next"),
        (rust, "thread 'main' panicked at src/main.rs:2:5:", "next"),
        (go, "panic: no stock", "exit status 2"),
    ] {
        let found = events(Format::Auto, text);
        let [trace, next] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((&*trace.message, &*next.message), (first, last));
        assert!(trace.severity >= Severity::Error && next.severity == Severity::Info, "{text}");
        assert_eq!(format!("{}\n{}\n{}", trace.message, trace.exception, next.message), text);
    }
    let found = events(Format::Auto, "one\n\ntwo\n  more of it\nthree");
    assert_eq!(found.iter().map(|event| &*event.message).collect::<Vec<_>>(), ["one", "two\n  more of it", "three"]);
}

#[test]
fn latin_1_and_a_byte_order_mark() {
    let mut records = Records::new(Format::Auto);
    records.push(b"\xef\xbb\xbfcaf\xe9");
    let parsed = parse(&records.flush().expect("a record"), Format::Auto, YEAR).expect("text");
    let [Entity::Event(event)] = &parsed.entities[..] else { panic!("{parsed:?}") };
    assert_eq!(event.message, "caf\u{e9}");
}

fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::Auto, Format::Json, Format::Logfmt, Format::Access, Format::Syslog, Format::Text])
}

/// Pieces from which confusing lines are made.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b",",
        b":",
        b"=",
        b"\\",
        b" ",
        b"\t",
        b"<34>",
        b"1 ",
        b"2026-12-01 03:14:10",
        b"Dec  1 03:14:10 ",
        b"ERROR",
        b"msg",
        b"level",
        b"-",
        b"Traceback (most recent call last):",
        b"panic: ",
        b"goroutine 1 [running]:",
        b"at ",
        b"\xff",
        "\u{e9}".as_bytes(),
        b"0",
        b"\xef\xbb\xbf",
        b"[10/Oct/2000:13:55:36 -0700] \"GET",
        b"200 ",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_line_panics_and_each_is_counted(format in formats(), lines in prop::collection::vec(line(), 0..30)) {
        let mut records = Records::new(format);
        let mut found: Vec<_> = lines.iter().filter_map(|line| records.push(line)).collect();
        // At the end there may be two: one that is complete, and what follows it.
        while let Some(record) = records.flush() {
            found.push(record);
        }
        let mut counted: u64 = found.iter().map(|record| record.before + record.lines).sum();
        counted += records.passed();
        prop_assert_eq!(counted, lines.len() as u64);
        for record in &found {
            match parse(record, format, YEAR) {
                // An array may be empty.
                Ok(parsed) => prop_assert!(!parsed.entities.is_empty() || record.is_json() || format == Format::Json),
                Err(wrong) => prop_assert!(!wrong.reason.is_empty() && wrong.column > 0),
            }
        }
    }

    #[test]
    fn all_text_is_kept(lines in prop::collection::vec("[ -~]{1,40}", 1..20)) {
        let text = lines.join("\n");
        let found = events(Format::Text, &text);
        let kept: Vec<String> = found.iter().map(|event| match event.exception.is_empty() {
            true => event.message.to_string(),
            false => format!("{}\n{}", event.message, event.exception),
        }).collect();
        let said = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(said(&kept.join("\n")), said(&text));
    }
}
