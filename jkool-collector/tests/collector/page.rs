//! The page, without a browser.

mod activities;
mod traces;

use jkool_collector::{Clock, Collector};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn collector(lines: &[&str]) -> Collector {
    let collector = Collector::builder().listen("127.0.0.1:0").start().unwrap();
    if !lines.is_empty() {
        let answer = request(&collector, "POST /event", &lines.join("\n"));
        assert!(answer.status < 300, "{}", answer.body);
    }
    collector
}

fn connect(collector: &Collector, request: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let (host, length) = (collector.address(), body.len());
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: canary-0123456789abcdef\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn request(collector: &Collector, request: &str, body: &str) -> Answer {
    let mut answer = Vec::new();
    connect(collector, request, body).read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn get(collector: &Collector, path: &str) -> Answer {
    request(collector, &format!("GET {path}"), "")
}

/// How many bytes an answer is that travels compressed.
fn zipped(collector: &Collector, path: &str) -> usize {
    let mut answer = Vec::new();
    let asked = format!("GET {path} HTTP/1.1\r\nAccept-Encoding: gzip\r\nX:");
    connect(collector, &asked, "").read_to_end(&mut answer).unwrap();
    let head = String::from_utf8_lossy(&answer).split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
    assert!(head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding"), "{path}: {head}");
    answer.len()
}

/// Where the detail is of the one event that `query` finds.
fn detail(collector: &Collector, query: &str) -> String {
    let page = get(collector, &format!("/?{query}")).body;
    let (_, rest) = page.split_once("class=\"msg\" href=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

const EVENTS: &[&str] = &[
    r#"{"operation":"accept","msg-text":"Order A-1 accepted","tracking-id":"1","parent-id":"4","corrid":["A-1"],"type":"SEND","time-usec":1457524700000000,"elapsed-time-usec":1500,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
    r#"{"operation":"pay","msg-text":"Payment failed","severity":"ERROR","exception":"no money\n  at bank","tracking-id":"2","parent-id":"4","corrid":["A-1"],"type":"RECEIVE","time-usec":1457524701000000,"source-fqn":"APPL=Payment#SERVER=pay-1","snapshots":[{"name":"Cart","category":"Order","properties":[{"name":"total","type":"double","value":12.5,"value-type":"currency.eur"}]}]}"#,
    r#"{"type":"ACTIVITY","operation":"Order","tracking-id":"4","status":"EXCEPTION","time-usec":1457524702000000,"elapsed-time-usec":2000000,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
    r#"{"type":"SNAPSHOT","name":"Cpu","category":"System","time-usec":1457524703000000,"properties":[{"name":"load","type":"double","value":0.5}]}"#,
];

const PAGES: &[&str] = &["/", "/activities", "/errors", "/charts", "/map", "/dashboards/overview"];

#[test]
fn every_page_is_there_with_and_without_events() {
    let (empty, filled) = (collector(&[]), collector(EVENTS));
    for path in PAGES {
        for collector in [&empty, &filled] {
            let page = get(collector, path);
            assert_eq!(page.status, 200, "{path}");
            assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
        }
        assert_eq!(get(&filled, &format!("{path}?text=nothing&since=1h")).status, 200, "{path}");
    }
    let welcome = get(&empty, "/").body;
    for part in [&format!("curl http://{}/event", empty.address()), "jkool send", "jkool demo", "Client::builder()"] {
        assert!(welcome.contains(part), "{part}");
    }
    assert!(get(&filled, "/?text=nothing").body.contains("Clear the filter"));
}

#[test]
fn an_event_is_shown_with_all_that_is_known() {
    let collector = collector(EVENTS);
    let page = get(&collector, &detail(&collector, "operation=pay")).body;
    for part in [
        "Payment failed",
        "no money\n  at bank",
        "currency.eur",
        "/charts?metric=Order%2FCart%2Ftotal#metric",
        "Tracking id",
        "title=\"tracking-id\"",
        "/?parent=4",
        "/?corrid=A-1",
        "/?source=SERVER%3Dpay-1",
        "aria-current=\"true\"",
        "&quot;operation&quot;: &quot;pay&quot;",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("title=\"Contains an error\""), "the activity of both");
    // The event, the one it shares a correlator with, and the activity of both.
    assert_eq!(page.matches("class=\"offset\"").count(), 3);
    let activity = get(&collector, &detail(&collector, "kind=activity")).body;
    assert!(activity.contains("2 entries") && activity.contains("Order A-1 accepted"));
    let activities = get(&collector, "/activities").body;
    for part in ["2 children", "2 s", "EXCEPTION", "ERROR"] {
        assert!(activities.contains(part), "{part}");
    }
}

#[test]
fn charts_and_map_show_what_is_stored() {
    let collector = collector(EVENTS);
    let charts = get(&collector, "/charts?metric=Order/Cart/total").body;
    assert_eq!(charts.matches("<svg class=\"plot\"").count(), 2);
    assert_eq!(charts.matches("<ol class=\"bars\"").count(), 2);
    for part in ["f-s-error", "l-grid", "12.50 €"] {
        assert!(charts.contains(part), "{part}");
    }
    assert!(charts.contains("/?since=2016-03-09T11%3A58%3A20.000000Z&amp;until=2016-03-09T11%3A58%3A21.000000Z"));
    let map = get(&collector, "/map").body;
    for part in [
        "APPL=Shop to APPL=Payment: 1 messages, 1 with errors, 1.0/min, 95 % came within",
        "url(#across-bad)",
        "url(#down-bad)",
    ] {
        assert!(map.contains(part), "{part}");
    }
    for (level, parts) in [
        ("SERVER", ["SERVER=web-1 to SERVER=pay-1: 1 messages", "option value=\"SERVER\" selected"]),
        (
            "SOURCE",
            ["APPL=Shop#SERVER=web-1 to APPL=Payment#SERVER=pay-1: 1 messages", "option value=\"SOURCE\" selected"],
        ),
        // What has no such element stays as it is.
        (
            "CACHE",
            ["APPL=Shop#SERVER=web-1 to APPL=Payment#SERVER=pay-1: 1 messages", "option value=\"CACHE\" selected"],
        ),
    ] {
        let map = get(&collector, &format!("/map?level={level}")).body;
        assert!(parts.iter().all(|part| map.contains(part)) && !map.contains("not counted"), "{level}");
    }
    assert_eq!(get(&collector, "/map?level=").status, 200);
    assert_eq!(get(&collector, "/map?level=appl").status, 400);
    assert!(get(&collector, "/map?since=1h").body.contains("No message went"));
}

#[test]
fn a_watch_marks_the_page_while_there_are_too_many() {
    let now = Clock::default().now().as_usec();
    let event = |severity: &str| format!(r#"{{"operation":"tell","severity":"{severity}","time-usec":{now}}}"#);
    let collector = collector(&[&event("ERROR"), &event("FATAL"), &event("INFO")]);
    let page = |rate: &str| get(&collector, &format!("/?watch=severity%3E%3DERROR&more-than={rate}")).body;
    let marked = page("1/1h");
    for part in [
        "<title>(!) Events",
        "<b>More than 1 in 1 h</b>",
        "href=\"/?since=1h&amp;where=severity%3E%3DERROR\"",
        "data-watch=\"/watch?watch=severity%3E%3DERROR&amp;more-than=1%2F1h\"",
        "type=\"hidden\" name=\"more-than\" value=\"1/1h\"",
    ] {
        assert!(marked.contains(part), "{part}");
    }
    // Received together, the youngest by its time comes first.
    let (first, _) = marked.split_once(">ERROR</span>").unwrap();
    assert!(first.contains(">FATAL</span>"));
    // On every page, with links that keep it.
    let watched = "watch=severity%3E%3DERROR&more-than=1%2F1h";
    let event = marked.split("href=\"/events/").nth(1).and_then(|rest| rest.split(['"', '?']).next()).unwrap();
    for path in [
        "/activities",
        "/errors",
        "/charts",
        "/map",
        "/dashboards",
        "/dashboards/overview",
        "/dashboards/overview/edit",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([format!("/events/{event}"), format!("/traces/{event}"), format!("/compare?one={event}&other={event}")])
    {
        let page = get(&collector, &format!("{path}{}{watched}", if path.contains('?') { '&' } else { '?' }));
        let link = format!("href=\"/charts?{}\"", watched.replace('&', "&amp;"));
        assert!(
            page.status == 200 && page.body.contains("class=\"mark holds\"") && page.body.contains(&link),
            "{path}"
        );
    }
    let quiet = page("2/1h");
    assert!(quiet.contains("Watching, no more than 2 in 1 h so far") && quiet.contains("<title>Events"));
    for (query, parameter) in [
        ("watch=severity%3E%3DERROR", "more-than"),
        ("watch=severity%3E%3DERROR&more-than=5", "more-than"),
        ("watch=severity%3E%3DERROR&more-than=1001/1h", "more-than"),
        ("watch=colour:red&more-than=5/1m", "watch"),
    ] {
        let wrong = get(&collector, &format!("/?{query}"));
        assert_eq!(wrong.status, 400, "{query}");
        assert!(wrong.body.contains(&format!("{parameter}=")) && !wrong.body.contains("data-watch"), "{query}");
        assert_eq!(get(&collector, &format!("/watch?{query}")).status, 400, "{query}");
    }
    // A form that was not filled in.
    assert_eq!(get(&collector, "/?watch=&more-than=5/1m").status, 200);
    assert_eq!(get(&collector, "/watch").status, 400);
}

#[test]
fn charts_draw_what_is_far_apart() {
    let sets: [(&str, &[&str]); 6] = [
        ("1e308 -1e308", &["1", "253402300799999999"]),
        ("1.7976931348623157e308", &["253402300799999999"]),
        ("5e-324 0", &["1457524700000000"]),
        ("-7", &["1457524700000000", "1457524700000001"]),
        ("9223372036854775807 1", &["1000000", "1457524700000000"]),
        ("400000001 400000002", &["1457524700000000", "1460000000000000"]),
    ];
    for (values, times) in sets {
        let event = |value: &str, time: &str| {
            let property = format!(r#"{{"name":"x","type":"double","value":{value}}}"#);
            format!(r#"{{"operation":"far","time-usec":{time},"properties":[{property}]}}"#)
        };
        let events: Vec<_> =
            values.split(' ').flat_map(|value| times.iter().map(move |time| event(value, time))).collect();
        let collector = collector(&events.iter().map(String::as_str).collect::<Vec<_>>());
        let page = get(&collector, "/charts?metric=//x");
        assert_eq!(page.status, 200, "{values}");
        assert_eq!(page.body.matches("<svg class=\"plot\"").count(), 2, "{values}");
        assert!(
            !page.body.contains("NaN") && !page.body.contains("inf\n<") && !page.body.contains("can't be drawn"),
            "{values}"
        );
        assert!(page.body.len() < 300_000, "{values}: {}", page.body.len());
    }
}

#[test]
fn the_filter_is_kept_from_page_to_page_and_taken_apart_by_clicks() {
    let collector = collector(EVENTS);
    let query = "severity=%3E%3DINFO&amp;source=SERVER%3Dweb-1&amp;corrid=A-1";
    let page = get(&collector, &format!("/?{}", query.replace("&amp;", "&"))).body;
    for path in ["/activities", "/charts", "/map", "/tail", "/api/events.jsonl", "/api/events.csv"] {
        assert!(page.contains(&format!("\"{path}?{query}\"")), "{path}");
        if path != "/tail" {
            assert_eq!(get(&collector, &format!("{path}?{}", query.replace("&amp;", "&"))).status, 200, "{path}");
        }
    }
    // Narrower by the operation, wider without the source.
    assert!(page.contains("\"/?severity=%3E%3DINFO&amp;operation=accept&amp;source=SERVER%3Dweb-1&amp;corrid=A-1\""));
    assert!(page.contains("\"/?severity=%3E%3DINFO&amp;corrid=A-1\""));
    assert!(page.contains("Order A-1 accepted") && !page.contains("Payment failed"));
}

#[test]
fn older_events_are_on_further_pages() {
    let event = |number: i32| {
        format!(r#"{{"operation":"count","msg-text":"number {number};","time-usec":{}}}"#, 1_000_000 + number)
    };
    let events: Vec<_> = (0..250).map(event).collect();
    let collector = collector(&events.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut path, mut pages, mut found) = ("/?operation=count".to_owned(), 0, 0);
    loop {
        let page = get(&collector, &path).body;
        (pages, found) = (pages + 1, found + page.matches("class=\"msg\"").count());
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        path = before.rsplit_once('"').unwrap().1.replace("&amp;", "&");
        assert!(path.starts_with("/?operation=count&before="), "{path}");
    }
    assert_eq!((pages, found), (3, 250));
}

#[test]
fn what_can_not_be_understood_is_said_at_its_field() {
    let collector = collector(EVENTS);
    for path in PAGES {
        let page = get(&collector, &format!("{path}?since=soon&until=5m"));
        assert_eq!(page.status, 400, "{path}");
        let (_, field) = page.body.split_once("value=\"soon\"").unwrap();
        assert!(field.split_once("</label>").unwrap().0.contains("a time such as 08:00"), "{path}");
    }
    let page = get(&collector, "/?severity=LOUD&source=web-1&before=x&color=red");
    assert_eq!(page.status, 400);
    for part in ["“LOUD”: expected a severity", "has no `=`", "before=&quot;x&quot;", "no such parameter"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(get(&collector, "/map?severity=LOUD").body.contains("expected a severity"));
    assert_eq!(get(&collector, "/tail?since=soon").status, 400);
}

#[test]
fn snapshots_are_listed_only_when_they_are_asked_for() {
    let collector = collector(EVENTS);
    let rows = |path: &str| get(&collector, path).body.matches("class=\"msg\"").count();
    for (path, count) in [
        ("/", 3),
        ("/?snapshots=shown", 4),
        ("/?kind=snapshot", 1),
        ("/?q=kind:snapshot", 1),
        ("/?q=Cpu.load%3E0.1", 1),
        ("/?severity=NONE", 0),
    ] {
        assert_eq!(rows(path), count, "{path}");
    }
    let page = get(&collector, "/?snapshots=shown").body;
    assert!(page.contains("data-tail=\"/tail?snapshots=shown\"") && page.contains("Hide snapshots"));
    assert_eq!(get(&collector, "/?snapshots=some").status, 400);
}

#[test]
fn the_context_of_an_event_is_not_crowded_by_snapshots() {
    let of_shop = |fields: String| format!(r#"{{{fields},"source-fqn":"APPL=Shop#SERVER=web-1"}}"#);
    let at = |second: u64| format!(r#""time-usec":{}"#, 1_457_524_700_000_000 + second * 1_000_000);
    let snapshot = |n: u64| of_shop(format!(r#""type":"SNAPSHOT","name":"Cpu","tracking-id":"s{n}",{}"#, at(n)));
    let event =
        |n: u64| of_shop(format!(r#""operation":"op{n}","msg-text":"said {n}","tracking-id":"e{n}",{}"#, at(n)));
    let lines: Vec<String> = (0..40).map(|n| if n % 10 == 5 { event(n) } else { snapshot(n) }).collect();
    let collector = collector(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let context = |query: &str| {
        let page = get(&collector, &detail(&collector, query)).body;
        let (_, context) = page.split_once("Context").unwrap();
        context.split_once("</section>").unwrap().0.to_owned()
    };
    let around_event = context("operation=op15");
    for said in ["said 5", "said 15", "said 25", "said 35"] {
        assert!(around_event.contains(said), "{said} is not in {around_event}");
    }
    assert!(!around_event.contains("Cpu"), "{around_event}");
    // Those before and after a snapshot are its context.
    let around_snapshot = context("q=tracking-id:s14+kind:snapshot");
    assert!(around_snapshot.contains("Cpu") && around_snapshot.contains("said 15"), "{around_snapshot}");
}

#[test]
fn what_a_wrong_clock_stamps_is_told_and_not_on_top() {
    let tomorrow = Clock::default().now().as_usec() + 86_400_000_000;
    let ahead = format!(r#"{{"operation":"ahead","msg-text":"from tomorrow","time-usec":{tomorrow}}}"#);
    let collector = collector(&[&[ahead.as_str()], EVENTS].concat());
    let page = get(&collector, "/").body;
    assert!(!page.contains("from tomorrow") && page.contains("1 entry left out"));
    let future = page.split('"').find(|part| part.starts_with("/?since=")).unwrap();
    let page = get(&collector, future).body;
    assert!(page.contains("from tomorrow") && page.contains("ahead</span>"), "{future}");
    assert!(!page.contains("left out"));
}

#[test]
fn a_list_is_summed_up_apart() {
    let collector = collector(EVENTS);
    let summary = get(&collector, "/summary?severity=%3E%3DINFO").body;
    for part in ["ERROR", "Shop", "−", "id=\"strip\"", "where=SERVER%3Dpay-1", "where=%21SERVER%3Dpay-1", "bars of 1 s"]
    {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    assert_eq!(get(&collector, "/summary?severity=LOUD").status, 400);
}

#[test]
fn times_are_taken_as_people_write_them() {
    let collector = collector(EVENTS);
    for since in ["08:00", "yesterday", "1h30m", "9+Mar+2016", "2016-03-09+13:00+Europe/Berlin"] {
        for path in PAGES {
            assert_eq!(get(&collector, &format!("{path}?since={since}")).status, 200, "{path} {since}");
        }
        assert_eq!(get(&collector, &format!("/api/events?since={since}")).status, 200, "{since}");
    }
    let page = get(&collector, "/?since=9+Mar+2016&until=9+Mar+2016").body;
    assert_eq!(page.matches("class=\"msg\"").count(), 3);
}

#[test]
fn what_is_not_there_is_a_page_of_its_own() {
    let collector = collector(EVENTS);
    for path in ["/nothing", "/events/1", "/events/x", "/events/99999999999999999999", "/assets/x.js", "/assets/0/x.js"]
    {
        let page = get(&collector, path);
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("Not found"), "{path}");
    }
}

#[test]
fn files_of_the_page_may_be_kept_by_the_browser() {
    let collector = collector(&[]);
    let page = get(&collector, "/").body;
    for (path, content_type) in
        [("style.css", "text/css"), ("page.js", "text/javascript"), ("favicon.svg", "image/svg+xml")]
    {
        let url = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(path)).unwrap();
        let file = get(&collector, url);
        assert_eq!(file.status, 200);
        assert!(file.head.contains(content_type) && file.head.contains("immutable"), "{}", file.head);
        let (_, tag) = file.head.split_once("etag: ").unwrap();
        let again = format!("GET {url} HTTP/1.1\r\nIf-None-Match: {}\r\nX:", tag.split_once('\r').unwrap().0);
        assert_eq!(request(&collector, &again, "").status, 304);
        // Of another version, it may not be kept.
        let other = get(&collector, &format!("/assets/0/{path}"));
        assert!(other.status == 200 && other.head.contains("cache-control: no-cache"), "{}", other.head);
    }
}

#[test]
fn what_is_large_travels_compressed_and_what_is_live_does_not() {
    let events: Vec<_> = (0..100)
        .map(|number| {
            format!(
                r#"{{"operation":"count","msg-text":"number {number}","source-fqn":"APPL=Shop#SERVER=web-{number}"}}"#
            )
        })
        .collect();
    let collector = collector(&events.iter().map(String::as_str).collect::<Vec<_>>());
    for path in ["/", "/charts", "/api/events?limit=100", "/api/events.jsonl"] {
        let (plain, small) = (get(&collector, path).body.len(), zipped(&collector, path));
        assert!(small * 3 < plain, "{path}: {small} of {plain}");
    }
    let mut stream = connect(&collector, "GET /tail HTTP/1.1\r\nAccept-Encoding: gzip\r\nX:", "");
    let mut head = [0; 1024];
    let count = stream.read(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..count]).to_ascii_lowercase();
    assert!(head.contains("text/event-stream") && !head.contains("content-encoding"), "{head}");
}

/// Hostile in every field that is text.
fn evil() -> String {
    let evil = r##"\"'><script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover=\"alert(1)\" style=\"x"##;
    let mut event = String::from("{");
    for field in [
        "operation",
        "msg-text",
        "tracking-id",
        "parent-id",
        "source-ssn",
        "location",
        "user",
        "resource",
        "exception",
        "mime-type",
        "encoding",
        "charset",
        "relate-type",
        "relate-afqn",
        "relate-bfqn",
        "_guid",
        "tracking-sign",
    ] {
        event.push_str(&format!("\"{field}\":\"{evil}\","));
    }
    event.push_str(&format!(
        r#""source-url":"javascript:alert(1)","corrid":["{evil}"],"msg-tag":["{evil}"],"source-fqn":"APPL={evil}","type":"RECEIVE",
        "severity":"ERROR","properties":[{{"name":"{evil}","type":"{evil}","value":"{evil}","value-type":"{evil}"}}],
        "snapshots":[{{"name":"{evil}","category":"{evil}","properties":[{{"name":"{evil}","type":"int","value":1}}]}}]}}"#
    ));
    event.replace('\n', " ")
}

#[test]
fn nothing_that_an_event_says_becomes_markup() {
    let receive = evil();
    let send = receive.replace("\"RECEIVE\"", "\"SEND\"");
    let activity = receive.replace("\"RECEIVE\"", "\"ACTIVITY\"");
    let snapshot = r#"{"type":"SNAPSHOT","name":"<script>alert(1)</script>","category":"<u onclick=x>","properties":[{"name":"<i>","type":"int","value":1}]}"#;
    let collector = collector(&[&send, &receive, &activity, snapshot]);
    let mut paths: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    let evil = "%22%27%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%22+onmouseover%3D%22x";
    for name in
        ["text", "operation", "corrid", "parent", "source", "since", "severity", "before", "metric", "x%3Cscript%3E"]
    {
        paths.extend(PAGES.iter().map(|path| format!("{path}?{name}={evil}")));
    }
    paths.push(detail(&collector, "severity=ERROR"));
    paths.push(detail(&collector, "kind=activity"));
    paths.push(detail(&collector, "kind=snapshot"));
    for path in paths {
        let page = get(&collector, &path).body;
        assert!(page.contains("</html>"), "{path}");
        // The one script is the page's own; no attribute can hold code or style.
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        assert_eq!(page.matches("<script type=\"module\" src=\"/assets/").count(), 1, "{path}");
        for tag in page.split('<').skip(1).map(|rest| rest.split_once('>').map_or(rest, |(tag, _)| tag)) {
            let tag = without_values(tag).to_ascii_lowercase();
            assert!(!tag.contains(" on") && !tag.contains(" style"), "{path}: <{tag}>");
            assert!(!["img", "style", "u", "i", "iframe"].contains(&tag.split(' ').next().unwrap()), "{path}: <{tag}>");
        }
        assert!(!page.contains("href=\"javascript:"), "{path}");
    }
}

/// A tag with its attributes' values taken out.
fn without_values(tag: &str) -> String {
    tag.split('"').step_by(2).collect()
}

#[test]
fn urls_of_events_are_followed_only_to_the_web_and_say_nothing_of_us() {
    let collector = collector(&[
        r#"{"operation":"good","source-url":"https://shop.example/a?b=1&c=\"2\"","time-usec":1457524700000000}"#,
        r#"{"operation":"bad","source-url":"javascript://shop.example/%0aalert(1)","time-usec":1457524700000000}"#,
    ]);
    let good = get(&collector, &detail(&collector, "operation=good")).body;
    assert!(
        good.contains(r#"<a href="https://shop.example/a?b=1&amp;c=&quot;2&quot;" rel="noopener noreferrer nofollow""#)
    );
    let bad = get(&collector, &detail(&collector, "operation=bad")).body;
    assert!(!bad.contains("href=\"javascript:") && bad.contains("javascript://shop.example"));
}

#[test]
fn a_watcher_is_told_what_there_is_then_what_comes() {
    let collector = collector(EVENTS);
    let mut stream = connect(&collector, "GET /tail?severity=ERROR", "");
    let mut told = String::new();
    let mut until = |part: &str| {
        let mut piece = [0; 4096];
        while !told.contains(part) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "it ended before {part}");
            told.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        told.clone()
    };
    let first = until("Payment failed");
    assert!(first.contains("event: list") && !first.contains("accepted"));
    let event =
        |severity: &str, text: &str| format!(r#"{{"operation":"tell","severity":"{severity}","msg-text":"{text}"}}"#);
    request(&collector, "POST /event", &format!("{}\n{}", event("INFO", "quiet one"), event("ERROR", "loud\\r\\none")));
    let all = until("loud");
    assert!(!all.contains("quiet one"));
    assert!(until("event: total").contains("data: 6"));
}

#[test]
fn a_watcher_of_a_flood_is_told_how_much_was_passed_over() {
    let collector = collector(&[]);
    let mut stream = connect(&collector, "GET /tail", "");
    let mut told = String::new();
    let mut piece = [0; 65_536];
    let mut until = |told: &mut String, part: &str| {
        while !told.contains(part) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "it ended before {part}");
            told.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    };
    until(&mut told, "event: list");
    let events: Vec<_> =
        (0..3_000).map(|number| format!(r#"{{"operation":"flood","msg-text":"drop {number}"}}"#)).collect();
    request(&collector, "POST /event", &events.join("\n"));
    // All of them are accounted for: as a line, or as one that was passed over.
    until(&mut told, "data: 3000");
    let missed = told.lines().collect::<Vec<_>>();
    let missed = missed.windows(2).filter(|pair| pair[0] == "event: missed");
    let missed: usize = missed.map(|pair| pair[1].trim_start_matches("data: ").parse::<usize>().unwrap()).sum();
    let lines = told.matches("class=\"msg\"").count();
    assert_eq!(missed + lines, 3_000);
    assert!(lines < 500, "{lines}");
}

#[test]
fn a_nul_is_shown_as_a_sign() {
    let collector =
        collector(&[r#"{"operation":"nul","msg-text":"a\u0000b\u0001c\u007fd","properties":{"p\u0000":"v\u0000"}}"#]);
    for path in ["/".to_owned(), detail(&collector, "operation=nul")] {
        let page = get(&collector, &path).body;
        assert!(page.contains("a\u{2400}b\u{2401}c\u{2421}d"), "{page}");
        assert!(!page.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')), "{page}");
    }
}

#[test]
fn the_page_of_a_wide_event_is_bounded() {
    let correlators: Vec<String> = (0..6_000).map(|number| format!("\"c-{number}\"")).collect();
    let properties: Vec<String> =
        (0..20_000).map(|number| format!(r#"{{"name":"p-{number}","type":"string","value":"v"}}"#)).collect();
    let wide = format!(
        r#"{{"operation":"wide","tracking-id":"w","corrid":[{}],"properties":[{}]}}"#,
        correlators.join(","),
        properties.join(",")
    );
    let collector = collector(&[&wide, r#"{"operation":"narrow","corrid":["c-999"]}"#]);
    let page = get(&collector, &detail(&collector, "operation=wide"));
    assert_eq!(page.status, 200);
    assert!(page.body.len() < 400_000, "{} bytes", page.body.len());
    assert!(page.body.contains("and 5,900 more") && page.body.contains("and 19,500 more, which an export has"));
    // What shares one of many correlators is related all the same.
    assert!(page.body.contains("narrow"));
}

#[test]
fn errors_that_are_alike_stand_together() {
    let error = |number: u32| {
        format!(
            r#"{{"operation":"<pay>","msg-text":"Order {number} declined by \"bank {number}\"","severity":"ERROR","time-usec":{},"source-fqn":"APPL=Shop#SERVER=web-{number}"}}"#,
            1_457_524_700_000_000 + u64::from(number) * 1_000_000
        )
    };
    let all: Vec<String> = (1..6).map(error).collect();
    let thrown = r#"{"operation":"ship","msg-text":"one","exception":"a.B: 7\n\tat a.B.c(B.java:5)","time-usec":1457524700000000}"#;
    let fine = r#"{"operation":"ship","msg-text":"Order 7 shipped","time-usec":1457524700000000}"#;
    let collector = collector(&[&*all[0], &*all[1], &*all[2], &*all[3], &*all[4], thrown, fine]);
    let page = get(&collector, "/errors").body;
    for part in [
        "2 groups of 6 errors",
        "Order # declined by &quot;…&quot;",
        "&lt;pay&gt;",
        "at a.B.c(B.java:#)",
        "Shop · web-1",
        ", and 2 more",
        "<svg class=\"trend\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The largest comes first, and leads to its events.
    let link = page.split("class=\"message\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let events = get(&collector, &link).body;
    assert_eq!(events.matches("by &quot;bank").count(), 5, "{link}");
    assert!(get(&collector, "/errors?operation=ship").body.contains("1 group of 1 error,"));
    assert!(get(&collector, "/errors?text=shipped").body.contains("No error matches."));
}
