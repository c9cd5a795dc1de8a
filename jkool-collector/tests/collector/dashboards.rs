//! Dashboards, over a socket: the API and the page without a browser.

use crate::common::{Folder, records};
use jkool_collector::{Clock, Collector, Store};
use jkool_model::Timestamp;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const NOW: i64 = 1_457_524_800_000_000;
const MINUTE: i64 = 60_000_000;

/// At a time that stands still, with 60 events of the hour before it, one a minute and every fifth of them an error, and half as
/// many of the hour before that.
fn collector() -> Collector {
    let collector = Collector::builder().listen("127.0.0.1:0").clock(Clock::new(|| Timestamp::from_usec(NOW)));
    let collector = collector.start().unwrap();
    let event = |number: i64, apart: i64, end: i64| {
        json!({
            "operation": if number % 2 == 0 { "pay" } else { "ship" }, "severity": if number % 5 == 0 { "ERROR" } else { "INFO" },
            "time-usec": end - MINUTE / 2 - number * apart, "elapsed-time-usec": 1_000 * (number + 1), "source-fqn": "APPL=Shop#SERVER=web-1",
            "properties": [{"name": "amount", "type": "double", "value": 2.5, "value-type": "currency.eur"}],
        })
        .to_string()
    };
    let recent = (0..60).map(|number| event(number, MINUTE, NOW));
    let older = (0..30).map(|number| event(number, 2 * MINUTE, NOW - 60 * MINUTE));
    let events: Vec<String> = recent.chain(older).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(collector.store().append(records(&events, Timestamp::from_usec(NOW)))).unwrap();
    collector
}

/// Status, head in small letters, and body.
fn ask(collector: &Collector, request: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(collector.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (host, length) = (collector.address(), body.len());
    let head = format!("{request} HTTP/1.0\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

fn get(collector: &Collector, path: &str) -> (u16, String) {
    let (status, _, body) = ask(collector, &format!("GET {path}"), "", "");
    (status, body)
}

fn put(collector: &Collector, name: &str, dashboard: &Value) -> (u16, String) {
    let (status, _, body) = ask(collector, &format!("PUT /api/dashboards/{name}"), "", &dashboard.to_string());
    (status, body)
}

/// What a form sends, and where one is led to.
fn post(collector: &Collector, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
    let mut body = String::new();
    for (name, value) in fields {
        let escaped: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        body += &format!("{name}={escaped}&");
    }
    let (status, head, body) =
        ask(collector, &format!("POST {path}"), "Content-Type: application/x-www-form-urlencoded\r\n", &body);
    let to = head.split("location: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
    (status, to.to_owned(), body)
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

fn viewlet(query: &str, kind: &str) -> Value {
    json!({"title": format!("a {kind}"), "query": query, "kind": kind, "width": 4, "height": 2})
}

fn dashboard(viewlets: &[Value]) -> Value {
    json!({"title": "Mine", "since": "1h", "viewlets": viewlets})
}

#[test]
fn a_dashboard_is_saved_shown_and_taken_away_over_the_api() {
    let collector = collector();
    let mine = dashboard(&[viewlet("get number of events", "number")]);
    assert_eq!(get(&collector, "/api/dashboards/mine").0, 404);
    assert_eq!(put(&collector, "mine", &mine).0, 201);
    assert_eq!(put(&collector, "mine", &mine).0, 200);
    let (status, body) = get(&collector, "/api/dashboards/mine");
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (200, mine));
    let names = |collector: &Collector| {
        let list: Value = serde_json::from_str(&get(collector, "/api/dashboards").1).unwrap();
        let named = list["dashboards"].as_array().unwrap().iter();
        named.map(|named| (named["name"].as_str().unwrap().to_owned(), named["built-in"] == true)).collect::<Vec<_>>()
    };
    let built_in = |name: &str| (name.to_owned(), true);
    let all = [built_in("overview"), built_in("processes"), built_in("business"), ("mine".to_owned(), false)];
    assert_eq!(names(&collector), all);
    // What was exported is imported as it was.
    for (name, _) in &all {
        let exported = get(&collector, &format!("/api/dashboards/{name}")).1;
        assert_eq!(put(&collector, "copy", &serde_json::from_str(&exported).unwrap()).1, exported, "{name}");
    }
    assert_eq!(ask(&collector, "DELETE /api/dashboards/copy", "", "").0, 204);
    assert_eq!(ask(&collector, "DELETE /api/dashboards/copy", "", "").0, 404);
    assert_eq!(ask(&collector, "DELETE /api/dashboards/overview", "", "").0, 409);
    assert_eq!(names(&collector), all);
}

#[test]
fn what_is_no_dashboard_is_refused_at_its_place() {
    let collector = collector();
    for (name, body, status, told) in [
        ("mine", "{\n  \"title\": \"x\",", 400, "line 2 column 15"),
        (
            "mine",
            r#"{"title":"x","viewlets":[{"title":"a","query":"get event wher"}]}"#,
            400,
            "viewlets[0].query: column 11: ",
        ),
        ("mine", r#"{"title":"x","viewlets":[{"title":"a","query":"get events","kind":"cake"}]}"#, 400, "cake"),
        ("a.b", r#"{"title":"x","viewlets":[]}"#, 400, "is not a name of a dashboard"),
    ] {
        let (answered, _, answer) = ask(&collector, &format!("PUT /api/dashboards/{name}"), "", body);
        assert_eq!(answered, status, "{body}");
        assert!(answer.contains(told), "{answer}");
    }
    assert_eq!(ask(&collector, "PUT /api/dashboards/mine", "", &" ".repeat(300 << 10)).0, 413);
    assert_eq!(get(&collector, "/api/dashboards/mine").0, 404);
}

#[test]
fn every_kind_draws_its_answer() {
    let collector = collector();
    let kinds = [
        ("get number of events bucketed by minute group by operation", "line", "class=\"line l-c1 d1\""),
        ("get number of events bucketed by minute group by severity", "area", "class=\"area f-s-error\""),
        ("get number of events group by operation, severity", "bar", "class=\"f-s-info\""),
        ("get number of events group by severity", "pie", "20 %"),
        ("get p50(elapsedtime), sum(amount) group by operation", "table", "75.00 €"),
        ("get sum(amount)", "number", "150.00 €"),
        ("get number of events bucketed by minute group by operation", "heatmap", "fill-opacity"),
        ("get events", "map", "No message went"),
    ];
    for (query, kind, drawn) in kinds {
        put(&collector, "mine", &dashboard(&[viewlet(query, kind)]));
        let (status, page) = get(&collector, "/dashboards/mine");
        assert_eq!(status, 200);
        assert!(page.contains(drawn) && !page.contains("NaN"), "{kind}: {page}");
        assert!(!page.contains("fault bar"), "{kind}: {page}");
    }
}

#[test]
fn a_chart_without_a_value_says_so_in_the_place_of_axes() {
    let collector = collector();
    // Of the snapshots that it asks for there is none, though there are entities.
    let query = "get avg(properties('nothing')) bucketed by minute";
    put(
        &collector,
        "empty",
        &dashboard(&[viewlet(query, "line"), viewlet("get avg(elapsedtime) bucketed by minute", "line")]),
    );
    let (_, page) = get(&collector, "/dashboards/empty");
    assert_eq!(
        (page.matches("No data in this time range.").count(), page.matches("class=\"chart\"").count()),
        (1, 1),
        "{page}"
    );
}

#[test]
fn a_viewlet_that_fails_spoils_no_other() {
    let collector = collector();
    let viewlets = [
        viewlet("get avg(colour)", "number"),
        viewlet("get number of events", "heatmap"),
        viewlet("get number of events where severity = 'ERROR'", "number"),
    ];
    put(&collector, "mine", &dashboard(&viewlets));
    let (status, page) = get(&collector, "/dashboards/mine");
    assert_eq!(status, 200);
    for part in
        ["column 9: expected the name of a field", "the kind heatmap needs `bucketed by`", "<p class=\"figure\">12</p>"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_stretch_of_time_leads_to_what_was_counted_in_it() {
    let collector = collector();
    let query = "get number of events where severity = 'ERROR' and operation = 'ship' bucketed by 30 minutes";
    put(&collector, "mine", &dashboard(&[viewlet(query, "area")]));
    let page = get(&collector, "/dashboards/mine").1;
    let links: Vec<_> = page.split("<a href=\"/?").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(links.len(), 2, "{links:?}");
    for link in links {
        let list = get(&collector, &format!("/?{}", link.replace("&amp;", "&"))).1;
        assert_eq!(list.matches("class=\"msg\"").count(), 3, "{link}");
    }
}

#[test]
fn of_many_groups_those_with_the_most_are_shown_and_the_others_told() {
    let collector = collector();
    let event = |number: i64| {
        // Of each operation one more than of the one before.
        let operation = (0..).find(|group| number < group * (group + 1) / 2).unwrap();
        let time = NOW - MINUTE - 1 - number;
        json!({"operation": format!("op-{operation}"), "time-usec": time, "elapsed-time-usec": operation}).to_string()
    };
    let events: Vec<String> = (0..30 * 31 / 2).map(event).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(collector.store().append(records(&events, Timestamp::from_usec(NOW)))).unwrap();
    let shown = |query: &str, kind: &str| {
        put(&collector, "mine", &dashboard(&[viewlet(query, kind)]));
        get(&collector, "/dashboards/mine?since=5m").1
    };
    let many = "where operation like 'op%' bucketed by minute group by operation";
    let page = shown(&format!("get number of events {many}"), "area");
    assert!(page.contains("23 others") && page.contains("op-24") && !page.contains("op-23"), "{page}");
    // 1 + 2 + .. + 23 of the others.
    assert!(page.contains("23 others: 276"), "{page}");
    let page = shown(&format!("get max(elapsedtime) {many}"), "line");
    assert!(page.contains("op-24: 24 µs") && !page.contains("op-23") && page.contains("The first 7 of 30."), "{page}");
    let page = shown("get max(elapsedtime) where operation like 'op%' group by operation limit 5", "table");
    assert!(page.contains("op-26") && !page.contains("op-25") && page.contains("The first 5 of 30."), "{page}");
    // What is drawn leads to all that was counted.
    assert!(!page.contains("q=%28"));
}

#[test]
fn one_time_range_is_for_all_and_the_period_before_is_beside_it() {
    let collector = collector();
    let viewlets = [
        viewlet("get number of events", "number"),
        viewlet("get number of events group by operation", "bar"),
        viewlet("get number of events group by operation", "table"),
        viewlet("get number of events bucketed by minute", "line"),
        viewlet("get number of events for yesterday", "number"),
    ];
    put(&collector, "mine", &dashboard(&viewlets));
    let page = get(&collector, "/dashboards/mine").1;
    assert!(page.contains("<p class=\"figure\">60</p>") && page.contains("▲ 100 % · 30 before"), "{page}");
    // A sentence that says its time keeps it.
    assert!(page.contains("<p class=\"figure\">0</p>"));
    assert!(!page.contains("class=\"before\"") && !page.contains(" was "));
    let page = get(&collector, "/dashboards/mine?compare=before").1;
    for part in ["class=\"before\"", "30<span class=\"hint\"> was 15", "class=\"line l-c0 d1 before\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = get(&collector, "/dashboards/mine?since=10m").1;
    assert!(page.contains("<p class=\"figure\">10</p>"));
    assert_eq!(get(&collector, "/dashboards/mine?since=soon").0, 400);
    assert_eq!(get(&collector, "/dashboards/mine?compare=all").0, 400);
    assert_eq!(get(&collector, "/dashboards/none").0, 404);
}

#[test]
fn forms_alone_make_a_dashboard() {
    let collector = collector();
    let (status, to, _) = post(&collector, "/dashboards", &[("name", "shop"), ("title", "Shop & Co")]);
    assert_eq!((status, to.as_str()), (303, "/dashboards/shop/edit"));
    let (status, _, page) = post(&collector, "/dashboards", &[("name", "shop"), ("title", "Other")]);
    assert!(status == 409 && page.contains("the dashboard &quot;shop&quot; already exists"), "{page}");
    let edit = "/dashboards/shop/edit";
    let preview =
        get(&collector, &format!("{edit}?viewlet=new&title=Rate&query=get+number+of+events&kind=&width=4&height=1")).1;
    assert!(preview.contains("<p class=\"figure\">60</p>"));
    let wrong = get(&collector, &format!("{edit}?viewlet=new&title=Rate&query=get+numbr&kind=&width=4&height=1")).1;
    assert!(wrong.contains("aria-invalid=\"true\"") && wrong.contains("column 5: expected"), "{wrong}");
    let add = |title: &str, query: &str| {
        let version = hidden(&get(&collector, &format!("{edit}?viewlet=new")).1, "version");
        let fields = [("viewlet", "48"), ("version", &version), ("action", "save"), ("title", title), ("query", query)];
        post(&collector, edit, &[&fields[..], &[("kind", "number"), ("width", "4"), ("height", "1")]].concat())
    };
    assert_eq!(add("One", "get number of events").0, 303);
    assert_eq!(add("Two", "get sum(amount)").0, 303);
    let (status, _, page) = add("Three", "get numbr");
    assert!(status == 400 && page.contains("viewlets[2].query: column 5"), "{page}");
    let act = |index: &str, action: &str| {
        let version = hidden(&get(&collector, edit).1, "version");
        post(&collector, edit, &[("viewlet", index), ("version", &version), ("action", action)]).0
    };
    for (index, action) in
        [("1", "earlier"), ("0", "wider"), ("0", "higher"), ("1", "narrower"), ("1", "lower"), ("0", "earlier")]
    {
        assert_eq!(act(index, action), 303, "{action}");
    }
    let shop = || serde_json::from_str::<Value>(&get(&collector, "/api/dashboards/shop").1).unwrap();
    let sizes = |dashboard: &Value| {
        let viewlets = dashboard["viewlets"].as_array().unwrap().iter();
        viewlets.map(|viewlet| json!([viewlet["title"], viewlet["width"], viewlet["height"]])).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&shop()), [json!(["Two", 5, 2]), json!(["One", 3, 1])]);
    assert_eq!(act("1", "remove"), 303);
    assert_eq!(sizes(&shop()), [json!(["Two", 5, 2])]);
    // Who was overtaken is told, and changes nothing.
    let late = post(&collector, edit, &[("viewlet", "0"), ("version", "7"), ("action", "remove")]);
    assert!(late.0 == 409 && late.2.contains("changed by someone else"), "{}", late.2);
    assert_eq!(sizes(&shop()).len(), 1);
    // Imported from what was exported.
    let json = shop().to_string();
    let (status, to, _) = post(&collector, "/dashboards", &[("name", "again"), ("json", &json)]);
    assert_eq!((status, to.as_str()), (303, "/dashboards/again"));
    assert_eq!(serde_json::from_str::<Value>(&get(&collector, "/api/dashboards/again").1).unwrap(), shop());
    let (status, _, page) = post(&collector, "/dashboards", &[("name", "bad"), ("json", "{]")]);
    assert!(status == 400 && page.contains("line 1 column 2"), "{page}");
    assert_eq!(post(&collector, edit, &[("action", "delete")]).1, "/dashboards");
    assert_eq!(get(&collector, "/dashboards/shop").0, 404);
}

#[test]
fn the_editor_keeps_the_other_parameters_of_the_page() {
    let collector = collector();
    let kept = "since=2h&compare=before&watch=op%3apay&more-than=5%2f1h";
    let (status, to, _) = post(&collector, &format!("/dashboards?{kept}"), &[("name", "mine"), ("title", "Mine")]);
    let edit = format!("/dashboards/mine/edit?{kept}");
    assert_eq!((status, &to), (303, &edit));
    let shown = kept.to_uppercase().replace('&', "&AMP;");
    let has = |page: &str, url: &str| page.to_uppercase().contains(&format!("\"{}?{shown}\"", url.to_uppercase()));
    let page = get(&collector, &format!("/dashboards/mine?{kept}")).1;
    assert!(has(&page, "/dashboards/mine/edit"), "{page}");
    let page = get(&collector, &edit).1;
    assert!(has(&page, "/dashboards/mine") && page.contains("id=\"watch\""), "{page}");
    let form = get(&collector, &format!("/dashboards/mine/edit?viewlet=new&title=x&width=4&height=1&{kept}")).1;
    assert!(has(&form, "/dashboards/mine/edit"), "{form}");
    // A preview sends only the fields of the form.
    assert_eq!((hidden(&form, "since"), hidden(&form, "watch")), ("2h".to_owned(), "op:pay".to_owned()));
    let version = hidden(&form, "version");
    let fields = [("viewlet", "new"), ("version", &version), ("title", "x"), ("width", "4"), ("height", "1")];
    let save = |query| post(&collector, &edit, &[&fields[..], &[("action", "save"), ("query", query)]].concat());
    let (status, _, page) = save("get numbr");
    assert!(status == 400 && page.contains("id=\"watch\"") && has(&page, "/dashboards/mine/edit"), "{page}");
    assert_eq!((save("get number of events").0, save("get number of events").0), (303, 409));
    let (_, to, _) = post(&collector, &edit, &[("action", "delete")]);
    assert_eq!(to, format!("/dashboards?{kept}"));
}

#[test]
fn an_arrangement_is_taken_as_a_whole_or_not_at_all() {
    let collector = collector();
    let viewlets =
        ["pay", "ship"].map(|name| viewlet(&format!("get number of events where operation = '{name}'"), "number"));
    assert_eq!(put(&collector, "two", &dashboard(&viewlets)).0, 201);
    let arrange = |places: &str| {
        let version = hidden(&get(&collector, "/dashboards/two/edit").1, "version");
        let fields = [("action", "arrange"), ("version", &*version), ("places", places)];
        post(&collector, "/dashboards/two/edit", &fields).0
    };
    let lies = || -> Vec<(bool, u64, u64)> {
        let json: Value = serde_json::from_str(&get(&collector, "/api/dashboards/two").1).unwrap();
        let of = |one: &Value| {
            (
                one["query"].as_str().unwrap().contains("pay"),
                one["width"].as_u64().unwrap(),
                one["height"].as_u64().unwrap(),
            )
        };
        json["viewlets"].as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(arrange("1:12x1,0:3x4"), 303);
    assert_eq!(lies(), [(false, 12, 1), (true, 3, 4)]);
    // Not an arrangement of these, and not one that there can be.
    assert_eq!((arrange("0:12x1"), arrange("0:13x1,1:1x1")), (303, 400));
    assert_eq!(lies(), [(false, 12, 1), (true, 3, 4)]);
}

#[test]
fn nobody_changes_a_dashboard_without_a_token_or_from_another_site() {
    let collector = Collector::builder().listen("127.0.0.1:0").token("canary-0123456789abcdef").start().unwrap();
    let token = "X-API-Key: canary-0123456789abcdef\r\n";
    let body = r#"{"title":"x","viewlets":[]}"#;
    for (request, body) in [
        ("PUT /api/dashboards/mine", body),
        ("DELETE /api/dashboards/overview", ""),
        ("POST /dashboards", "name=mine&title=x"),
        ("POST /dashboards/overview/edit", "action=rename&title=x"),
    ] {
        assert_eq!(ask(&collector, request, "", body).0, 401, "{request}");
        let elsewhere = format!("{token}Origin: http://evil.test\r\n");
        assert_eq!(ask(&collector, request, &elsewhere, body).0, 403, "{request}");
    }
    assert_eq!(ask(&collector, "PUT /api/dashboards/mine", token, body).0, 201);
    assert_eq!(ask(&collector, "GET /dashboards/mine", token, "").0, 200);
}

#[test]
fn dashboards_are_there_after_a_restart() {
    let folder = Folder::new();
    let start = || {
        let store = Store::builder().file(folder.path("store"));
        Collector::builder().listen("127.0.0.1:0").store(store).start().unwrap()
    };
    let first = start();
    assert_eq!(put(&first, "mine", &dashboard(&[])).0, 201);
    drop(first);
    std::fs::write(folder.path("store/dashboards.json.new"), "half writ").unwrap();
    let second = start();
    assert_eq!(get(&second, "/api/dashboards/mine").0, 200);
    drop(second);
    std::fs::write(folder.path("store/dashboards.json"), "damaged").unwrap();
    let third = start();
    assert_eq!(get(&third, "/api/dashboards/mine").0, 404);
    assert!(third.notices().iter().any(|notice| notice.contains("dashboards.json") && notice.contains("renamed to")));
}
