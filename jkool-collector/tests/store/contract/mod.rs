//! What every store does, asked of each through the public API: of the embedded one, and of VictoriaLogs where it is installed.

mod aggregates;
mod faults;
mod generated;
mod laws;
mod place;
mod server;

use crate::common::{numbered, records};
use crate::socket::Connection;
use jkool_collector::{
    Aggregation, Collector, Condition, EntityId, Expression, Filter, Group, Store, StoreErrorKind, Test,
};
use jkool_model::Timestamp;
use place::{Place, append, count, find};

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

/// Each law for each store.
macro_rules! contract {
    ($($law:ident),* $(,)?) => {
        mod embedded {
            $(#[test]
            fn $law() {
                super::$law(super::Place::embedded().unwrap());
            })*
        }
        mod cluster {
            $(#[test]
            fn $law() {
                if let Some(place) = super::Place::cluster() {
                    super::$law(place);
                }
            })*
        }
        mod victoria_logs {
            $(#[test]
            fn $law() {
                if let Some(place) = super::Place::victoria_logs() {
                    super::$law(place);
                }
            })*
        }
    };
}

contract!(
    what_is_acknowledged_is_found_at_once_and_after_a_restart,
    what_comes_twice_is_stored_once,
    errors_that_are_alike_are_told_together,
    values_of_any_signs_are_found_and_no_others,
    large_entities_come_back_byte_for_byte,
    those_of_one_time_are_paged_in_the_order_of_arrival,
    only_the_largest_groups_are_told,
    figures_of_many_values_are_right,
    percentiles_of_few_values_are_those_at_the_nearest_rank,
    a_field_that_nothing_can_be_grouped_by_is_told,
    the_collector_answers_the_same_from_each,
);

fn what_is_acknowledged_is_found_at_once_and_after_a_restart(place: Place) {
    for round in 1..=3 {
        let store = place.open();
        append(&store, &records(&numbered(round * 10..round * 10 + 10), NOW)).unwrap();
        assert_eq!(count(&store), round * 10);
        assert_eq!(crate::common::sizes(&store).total(), round as u64 * 10);
    }
    let store = place.open();
    let found = find(&store, 100, None);
    assert_eq!(found.len(), 30);
    for stored in found {
        assert_eq!(store.read_now(|reader| reader.get(stored.id)).unwrap(), Some(stored));
    }
}

fn what_comes_twice_is_stored_once(place: Place) {
    let store = place.open();
    let all = numbered(0..10);
    // The same in another order of fields, as another program writes it.
    let reordered = |json: &String| serde_json::from_str::<serde_json::Value>(json).unwrap().to_string();
    let other: Vec<String> = all.iter().map(reordered).collect();
    assert_ne!(all[0], other[0]);
    for (round, sent) in [&all, &other, &all, &other].into_iter().enumerate() {
        let appended = append(&store, &records(sent, NOW)).unwrap();
        let expected = if round == 0 { (10, 0) } else { (0, 10) };
        assert_eq!((appended.stored, appended.duplicates), expected);
        // Whether it is in an index by now or not.
        crate::common::sizes(&store);
    }
    assert_eq!(count(&store), 10);
}

fn values_of_any_signs_are_found_and_no_others(place: Place) {
    let store = place.open();
    let values = [
        "*",
        "a*",
        "\"",
        "\\",
        "a\"b",
        "or",
        "!*",
        "{store=\"jkool\"}",
        "a b",
        "a|b",
        "(",
        ")",
        "'",
        "`",
        "#",
        "\u{1}",
        "\u{2}",
        "\u{1}a\u{1}",
        "\u{2}\u{3}\u{3}",
        "\u{3}",
        "\n",
        "\t",
        "é",
        "注文",
        "🚀",
        "[\"a\"]",
        "{}",
        "1",
        "1.0",
        "01",
        "-",
        "NaN",
        "\u{0}",
    ];
    let json = |value: &&str| {
        let property = serde_json::json!({"name": format!("p {value}"), "value": value});
        let list = serde_json::json!({"name": "list", "value": [value, format!("{value}x")]});
        serde_json::json!({"operation": "o", "user": value, "properties": [property, list]}).to_string()
    };
    let entities: Vec<String> = values.iter().map(json).collect();
    append(&store, &records(&entities, NOW)).unwrap();
    // So that all are in the index.
    assert_eq!(crate::common::sizes(&store).total(), values.len() as u64);
    let all = find(&store, 1_000, None);
    for value in values {
        for (field, text) in [("user", value), ("properties.list", value), ("properties.list", &format!("{value}x"))] {
            for test in [Test::Is(text.into()), Test::Begins(text.into()), Test::Contains(text.into())] {
                let condition = Condition::new(field.parse().unwrap(), test);
                let expected = all.iter().filter(|stored| condition.matches(stored)).count();
                assert!(expected > 0);
                assert_eq!(how_many(&store, condition.clone().into()), expected, "{condition:?}");
            }
        }
        // The embedded store has signs of its own in names.
        if !value.contains(|c: char| c <= '\u{3}') {
            let named = format!("properties.p {value}").parse().unwrap();
            assert_eq!(how_many(&store, Condition::new(named, Test::Exists).into()), 1, "{value:?}");
        }
    }
    let by_user = Aggregation { groups: vec![Group::Field("user".parse().unwrap(), 100)], measures: vec![] };
    let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &by_user, NOW)).unwrap();
    let mut users: Vec<&str> = rows.iter().filter_map(|row| row.keys[0].as_text()).collect();
    users.sort_unstable();
    let mut expected = values.to_vec();
    expected.sort_unstable();
    assert_eq!(users, expected);
}

fn how_many(store: &Store, expression: Expression) -> usize {
    let mut filter = Filter::default();
    filter.expression = expression;
    store.read_now(|reader| reader.find(&filter, 1_000, None, NOW)).unwrap().len()
}

fn large_entities_come_back_byte_for_byte(place: Place) {
    let store = place.open();
    // Around the sizes at which rows are parted.
    let sizes = [1, 40 << 10, 47 << 10, 48 << 10, 49 << 10, 200 << 10, 2 << 20];
    let json = |size: &usize| {
        format!(r#"{{"operation":"large","msg-text":"beginning {}","user":"u{size}"}}"#, "\\\"é ".repeat(size / 6))
    };
    let entities: Vec<String> = sizes.iter().map(json).collect();
    append(&store, &records(&entities, NOW)).unwrap();
    assert_eq!(crate::common::sizes(&store).total(), sizes.len() as u64);
    let found = find(&store, 100, None);
    assert!(found.iter().rev().map(|stored| &*stored.json).eq(entities.iter().map(String::as_bytes)));
    let words = Expression::Words { text: "beginning".into(), begins: false };
    assert_eq!(how_many(&store, words), sizes.len());
}

fn those_of_one_time_are_paged_in_the_order_of_arrival(place: Place) {
    let store = place.open();
    for part in 0..3 {
        append(&store, &records(&numbered(part * 10..part * 10 + 10), NOW)).unwrap();
        crate::common::sizes(&store);
    }
    let all: Vec<EntityId> = find(&store, 100, None).iter().map(|stored| stored.id).collect();
    assert!(all.is_sorted_by(|one, other| one > other));
    let messages = find(&store, 100, None);
    let numbers = messages.iter().map(|stored| serde_json::from_slice::<serde_json::Value>(&stored.json).unwrap());
    let numbers: Vec<String> = numbers.map(|json| json["msg-text"].as_str().unwrap().to_owned()).collect();
    assert!(numbers.iter().eq(&(0..30).rev().map(|n| format!("number {n}")).collect::<Vec<_>>()));
    let mut paged = Vec::new();
    while let found @ [_, ..] = &*find(&store, 7, paged.last().copied()) {
        paged.extend(found.iter().map(|stored| stored.id));
    }
    assert_eq!(paged, all);
}

fn only_the_largest_groups_are_told(place: Place) {
    let store = place.open();
    let entity = |n: usize| format!(r#"{{"operation":"o{}","user":"u{}"}}"#, [0, 0, 0, 1, 1, 2][n % 6], n % 4);
    append(&store, &records(&(0..24).map(entity).collect::<Vec<_>>(), NOW)).unwrap();
    let groups = vec![Group::Field("operation".parse().unwrap(), 2), Group::Field("user".parse().unwrap(), 1)];
    let ask = Aggregation { groups, measures: vec!["distinct(user)".parse().unwrap()] };
    let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &ask, NOW)).unwrap();
    let operations: Vec<&str> = rows.iter().filter_map(|row| row.keys[0].as_text()).collect();
    assert_eq!(operations, ["o0", "o1"]);
}

fn figures_of_many_values_are_right(place: Place) {
    let store = place.open();
    append(&store, &records(&numbered(0..2_000), NOW)).unwrap();
    let some = |field: &str, test| Condition::new(field.parse().unwrap(), test).into();
    let measures = ["count", "sum", "min", "max", "avg", "p50", "distinct"]
        .map(|name| format!("{name}(properties.number)").parse().unwrap());
    for groups in [vec![], vec![Group::Field("operation".parse().unwrap(), 5)], vec![Group::Time(1_000_000)]] {
        let ask = Aggregation { groups, measures: measures.to_vec() };
        let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &ask, NOW)).unwrap();
        assert_eq!((rows.len(), rows[0].count), (1, 2_000));
        let expected = [2_000.0, 1_999_000.0, 0.0, 1_999.0, 999.5, 1_000.0, 2_000.0];
        for ((value, expected), measure) in rows[0].values.iter().zip(expected).zip(&measures) {
            let value = value.unwrap_or(f64::NAN);
            // Percentiles and distinct counts are about right.
            assert!((value - expected).abs() <= expected * 0.05, "{measure} is {value} and not {expected}");
        }
    }
    assert_eq!(how_many(&store, some("properties.number", Test::Exists)), 1_000, "as many as are asked for");
    assert_eq!(how_many(&store, some("properties.number", Test::Below { bound: 7.0, inclusive: false })), 7);
    assert_eq!(how_many(&store, some("properties.number", Test::Is("1234".into()))), 1);
    let by_number =
        Aggregation { groups: vec![Group::Field("properties.number".parse().unwrap(), 3)], measures: vec![] };
    let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &by_number, NOW)).unwrap();
    assert_eq!(rows.iter().map(|row| row.count).collect::<Vec<_>>(), [1, 1, 1]);
}

fn percentiles_of_few_values_are_those_at_the_nearest_rank(place: Place) {
    let store = place.open();
    let entity = |(operation, number): (&str, i64)| {
        format!(r#"{{"operation":"{operation}","user":"u","properties":[{{"name":"v","value":{number}}}]}}"#)
    };
    let values = [("one", 7), ("two", -100), ("two", 200), ("three", 10), ("three", 20), ("three", 30)];
    append(&store, &records(&values.map(entity), NOW)).unwrap();
    let measures = ["p0", "p33", "p34", "p50", "p95", "p100"].map(|p| format!("{p}(properties.v)").parse().unwrap());
    let by = |name: &str| Group::Field(name.parse().unwrap(), 5);
    let expected = [
        ("one", [7.0, 7.0, 7.0, 7.0, 7.0, 7.0]),
        ("two", [-100.0, -100.0, -100.0, -100.0, 200.0, 200.0]),
        ("three", [10.0, 10.0, 20.0, 20.0, 30.0, 30.0]),
    ];
    for groups in
        [vec![by("operation")], vec![by("operation"), by("user")], vec![by("operation"), Group::Time(1_000_000)]]
    {
        let ask = Aggregation { groups, measures: measures.to_vec() };
        let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &ask, NOW)).unwrap();
        for (operation, expected) in expected {
            let row = rows.iter().find(|row| row.keys[0].as_text() == Some(operation)).unwrap();
            assert_near(&row.values, &expected);
        }
    }
    for groups in [vec![], vec![Group::Time(1_000_000)], vec![by("user")]] {
        let ask = Aggregation { groups, measures: measures.to_vec() };
        let rows = store.read_now(|reader| reader.aggregate(&Filter::default(), &ask, NOW)).unwrap();
        assert_near(&rows[0].values, &[-100.0, 7.0, 10.0, 10.0, 200.0, 200.0]);
    }
}

/// Within the error that a percentile has.
fn assert_near(values: &[Option<f64>], expected: &[f64]) {
    let is_near = |(value, expected): (&Option<f64>, &f64)| {
        value.is_some_and(|value: f64| (value - expected).abs() <= expected.abs() * 0.02)
    };
    assert_eq!(values.len(), expected.len());
    assert!(values.iter().zip(expected).all(is_near), "{values:?} is not {expected:?}");
}

fn a_field_that_nothing_can_be_grouped_by_is_told(place: Place) {
    let store = place.open();
    append(&store, &records(&numbered(0..3), NOW)).unwrap();
    let ask = Aggregation { groups: vec![Group::Field("tracking-id".parse().unwrap(), 2)], measures: vec![] };
    let error = store.read_now(|reader| reader.aggregate(&Filter::default(), &ask, NOW)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NoSuchField);
}

fn errors_that_are_alike_are_told_together(place: Place) {
    let collector = Collector::builder().listen("127.0.0.1:0").store(place.builder()).start().unwrap();
    let errors = (0..7_u64).map(|n| {
        let what = if n < 4 { "declined" } else { "late" };
        let time = NOW.as_usec() as u64 - n * 1_000_000;
        format!(r#"{{"operation":"pay","severity":"ERROR","msg-text":"Order {n} is {what}","time-usec":{time},"tracking-id":"e-{n}"}}"#)
    });
    let body = errors.chain(numbered(0..5)).collect::<Vec<_>>().join("\n");
    let ask = |question: String| Connection::open(collector.address()).ask(question);
    let head = format!("POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(ask(head + &body).status, 202);
    let get = |path: &str| -> serde_json::Value {
        let answer = ask(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let told = get("/api/errors");
    assert_eq!((&told["groups"], &told["looked-at"], &told["total"]), (&2.into(), &7.into(), &7.into()));
    for (group, message, count) in [(0, "Order # is declined", 4), (1, "Order # is late", 3)] {
        let group = &told["errors"][group];
        assert_eq!((&group["message"], &group["count"]), (&message.into(), &count.into()));
        let trend: u64 = group["trend"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(trend, count);
        let events = get(&format!("/api/events?{}", group["query"].as_str().unwrap()));
        assert_eq!(events["events"].as_array().unwrap().len() as u64, count, "{group}");
        assert_eq!(events["events"][0]["id"], group["newest"]);
    }
    assert_eq!(get("/api/errors?q=late")["groups"], 1);
}

fn the_collector_answers_the_same_from_each(place: Place) {
    let collector = Collector::builder().listen("127.0.0.1:0").store(place.builder()).start().unwrap();
    let mut watching = Connection::open(collector.address());
    watching.send("GET /api/tail HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(watching.head().unwrap().status, 200);
    let body = numbered(0..5).join("\n");
    let mut sending = Connection::open(collector.address());
    let head = format!("POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(sending.ask(head + &body).status, 202);
    while !watching.line().contains("number 4") {}
    for (path, part) in [
        ("/", "number 4"),
        ("/charts", "count"),
        ("/map", ""),
        ("/activities", ""),
        ("/errors", "No errors"),
        ("/api/events?text=number&limit=2", "number 3"),
        ("/api/facets?field=APPL", "Counter"),
        ("/api/metrics", "number"),
        ("/api/stats", r#""events":5"#),
        ("/api/aggregate?by=operation&measure=sum(properties.number)", r#"[10.0]"#),
        ("/metrics", "jkool_collector_events 5"),
    ] {
        let mut asking = Connection::open(collector.address());
        let answer = asking.ask(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
    }
}

#[test]
fn all_ways_to_ask_the_embedded_store_agree() {
    laws::all_ways_to_ask_agree(&Place::in_memory, 200);
}

#[test]
fn all_ways_to_ask_a_cluster_agree() {
    laws::all_ways_to_ask_agree(&Place::cluster, 4);
}

#[test]
fn all_ways_to_ask_victoria_logs_agree() {
    laws::all_ways_to_ask_agree(&Place::victoria_logs, 12);
}
