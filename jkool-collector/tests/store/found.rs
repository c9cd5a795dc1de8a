//! What is stored is found again.

use crate::common::{filter, records};
use jkool_collector::{Aggregation, Filter, Group, Key, Measure, MetricName, Store, StoreErrorKind};
use jkool_model::{Severity, Timestamp};

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

async fn store(entities: &[impl AsRef<str>]) -> Store {
    let store = Store::builder().open().unwrap();
    store.append(records(entities, NOW)).await.unwrap();
    store
}

const ENTITIES: &[&str] = &[
    r#"{"operation":"accept","msg-text":"Order A-1 accepted","severity":"INFO","tracking-id":"1","corrid":["A-1"],"type":"SEND","time-usec":1457524700000000,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
    r#"{"operation":"pay","msg-text":"Payment of A-1 failed","severity":"ERROR","tracking-id":"2","parent-id":"4","corrid":["A-1"],"type":"RECEIVE","time-usec":1457524701000000,"source-fqn":"APPL=Payment#SERVER=pay-1","snapshots":[{"name":"Cart","category":"Order","properties":[{"name":"total","type":"double","value":12.5}]}]}"#,
    r#"{"operation":"pay","msg-text":"no time","tracking-id":"3","source-fqn":"APPL=Payment#SERVER=pay-1"}"#,
    r#"{"type":"ACTIVITY","operation":"Order","tracking-id":"4","time-usec":1457524702000000,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
    r#"{"type":"SNAPSHOT","name":"Cpu","category":"System","time-usec":1457524703000000,"properties":[{"name":"load","type":"double","value":0.5}]}"#,
];

#[tokio::test]
async fn each_part_of_a_filter_is_heeded_by_store_and_tail_alike() {
    let store = store(ENTITIES).await;
    for (query, expected) in [
        ("", "3 Cpu 4 2 1"),
        ("kind=activity", "4"),
        ("kind=snapshot", "Cpu"),
        ("severity=>=WARNING", "2"),
        ("severity=<=NONE", "Cpu"),
        ("operation=pay", "3 2"),
        ("operation=nothing", ""),
        ("source=SERVER%3Dpay-1", "3 2"),
        ("source=SERVER%3Dweb-1%23APPL%3DShop", "4 1"),
        ("source=SERVER%3Dweb-1%23APPL%3DPayment", ""),
        ("text=a-1", "2 1"),
        ("text=pay* fail*", "2"),
        ("text=\"order a\"", "1"),
        ("text=...", ""),
        ("text=accepted&severity=ERROR", ""),
        ("corrid=A-1", "2 1"),
        ("corrid=A-1&text=payment", "2"),
        ("parent=4", "2"),
        ("since=1h", "3 Cpu 4 2 1"),
        ("since=98s", "3 Cpu 4"),
        ("until=98s", "2 1"),
        ("since=2016-03-09T12:00:00Z", "3"),
    ] {
        let filter = filter(query);
        let (found, all) = store
            .read(move |reader| {
                Ok((reader.find(&filter, 10, None, NOW)?, reader.find(&Filter::default(), 10, None, NOW)?))
            })
            .await
            .unwrap();
        let names = |stored: &[jkool_collector::Stored]| {
            let name = |stored: &jkool_collector::Stored| match &stored.entity {
                jkool_model::Entity::Snapshot(snapshot) => snapshot.name.to_string(),
                entity => entity.tracking_id().unwrap().to_string(),
            };
            stored.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&found), expected, "{query}");
        let filter = crate::common::filter(query);
        let matched: Vec<_> = all.into_iter().filter(|stored| filter.matches(stored, NOW)).collect();
        assert_eq!(names(&matched), expected, "the tail, {query}");
    }
}

#[tokio::test]
async fn charts_count_what_was_stored() {
    let store = store(ENTITIES).await;
    let read = store.read(|reader| {
        let all = Filter::default();
        let cart = MetricName { category: "Order".into(), snapshot: "Cart".into(), property: "total".into() };
        Ok((
            reader.histogram(&all, 10, NOW)?,
            reader.histogram(&filter("text=a-1"), 10, NOW)?,
            reader.top_operations(&all, 10, NOW)?,
            reader.top_sources(&all, 10, NOW)?,
            reader.metric(&cart, &all, 10, NOW)?,
            reader.metric_names()?.len(),
            reader.flows(&all, NOW)?,
            reader.sizes()?,
        ))
    });
    let (all, some, operations, sources, metric, metric_names, flows, sizes) = read.await.unwrap();
    assert_eq!(all.iter().map(|bucket| bucket.severities.total()).sum::<u64>(), 5);
    assert_eq!(all.iter().map(|bucket| bucket.severities.of(Severity::Error)).sum::<u64>(), 1);
    assert_eq!(some.iter().map(|bucket| bucket.severities.total()).sum::<u64>(), 2);
    assert_eq!((&*operations[0].name, operations[0].severities.total()), ("pay", 2));
    assert_eq!(sources.len(), 2);
    assert_eq!((metric.len(), metric[0].avg, metric_names), (1, 12.5, 2));
    assert_eq!((flows.len(), flows[0].count, flows[0].errors), (1, 1, 1));
    assert_eq!((flows[0].from.as_str(), flows[0].to.as_str()), ("APPL=Shop#SERVER=web-1", "APPL=Payment#SERVER=pay-1"));
    assert_eq!((sizes.events, sizes.activities, sizes.snapshots, sizes.sources), (3, 1, 1, 2));
}

#[tokio::test]
async fn what_belongs_together_is_found() {
    let store = store(ENTITIES).await;
    let related = store
        .read(|reader| {
            let payment = reader.find(&filter("severity=ERROR"), 1, None, NOW)?.remove(0);
            reader.related(&payment, 10)
        })
        .await
        .unwrap();
    let ids: Vec<_> = related.iter().map(|stored| stored.entity.tracking_id().unwrap().to_string()).collect();
    assert_eq!(ids, ["1", "2", "4"]);
}

#[tokio::test]
async fn the_same_again_is_stored_once_and_the_same_id_with_something_else_twice() {
    let store = store(ENTITIES).await;
    let again = |json| records(&[json], NOW);
    assert_eq!(store.append(again(ENTITIES[0])).await.unwrap().duplicates, 1);
    assert_eq!(store.append(again(r#"{"operation":"other","tracking-id":"1"}"#)).await.unwrap().stored, 1);
    assert_eq!(store.append(again(r#"{"operation":"no id"}"#)).await.unwrap().stored, 1);
    assert_eq!(store.append(again(r#"{"operation":"no id"}"#)).await.unwrap().stored, 1);
}

#[tokio::test]
async fn a_question_that_takes_too_long_ends_and_the_store_goes_on() {
    let store = Store::builder().patience(std::time::Duration::ZERO).open().unwrap();
    store.append(records(&crate::common::numbered(0..2_000), NOW)).await.unwrap();
    let slow = store.read(|reader| reader.histogram(&filter("text=number"), 10, NOW)).await;
    assert_eq!(slow.unwrap_err().kind(), StoreErrorKind::TooSlow);
    assert_eq!(store.append(records(&crate::common::numbered(2_000..2_001), NOW)).await.unwrap().stored, 1);
}

#[tokio::test]
async fn the_map_knows_sources_and_correlators_of_any_length() {
    let long = "x".repeat(2_000);
    let message = |kind: &str, id: u32, name: &str| {
        let source = format!("APPL={name}{long}#SERVER={long}");
        format!(
            r#"{{"operation":"o","type":"{kind}","tracking-id":"{id}","time-usec":{id},"corrid":["{long}"],"source-fqn":"{source}"}}"#
        )
    };
    let store = store(&[&*message("SEND", 1, "a")]).await;
    // What is in the index, and what may wait for it.
    crate::common::sizes(&store);
    store.append(records(&[message("RECEIVE", 2, "b")], NOW)).await.unwrap();
    for _ in 0..2 {
        let flows = store.read(|reader| reader.flows(&Filter::default(), NOW)).await.unwrap();
        let [flow] = &*flows else { panic!("{flows:?}") };
        assert_eq!(flow.from.as_str(), format!("APPL=a{long}#SERVER={long}"));
        assert_eq!(flow.to.as_str(), format!("APPL=b{long}#SERVER={long}"));
        crate::common::sizes(&store);
    }
}

#[tokio::test]
async fn a_message_has_failed_when_its_receiver_tells_of_an_error_later() {
    let event = |kind: &str, appl: &str, time: i64, corrid: &str, severity: &str| {
        format!(
            r#"{{"operation":"o","type":"{kind}","severity":"{severity}","time-usec":{},"corrid":["{corrid}"],"source-fqn":"APPL={appl}"}}"#,
            time * 1_000_000
        )
    };
    let store = store(&[
        event("EVENT", "Bank", 5, "a", "ERROR"),
        event("SEND", "Shop", 10, "a", "INFO"),
        event("RECEIVE", "Bank", 12, "a", "INFO"),
        event("SEND", "Shop", 20, "b", "INFO"),
        event("RECEIVE", "Bank", 27, "b", "INFO"),
        event("EVENT", "Bank", 30, "b", "FAILURE"),
        // Of somebody else, and of another order.
        event("EVENT", "Shop", 31, "a", "ERROR"),
        event("EVENT", "Bank", 190, "c", "ERROR"),
    ])
    .await;
    crate::common::sizes(&store);
    let flows = store.read(|reader| reader.flows(&Filter::default(), NOW)).await.unwrap();
    let [flow] = &*flows else { panic!("{flows:?}") };
    assert_eq!((flow.count, flow.errors, flow.transit_p95_usec), (2, 1, 7_000_000));
    // Of the three minutes and some in which something was told.
    assert!((0.6..0.65).contains(&flow.per_minute), "{flow:?}");
}

#[tokio::test]
async fn the_most_frequent_are_those_of_all_segments_together() {
    let store = Store::builder().open().unwrap();
    // In each segment another is the most frequent, and "c" is in all.
    for names in ["aaacc", "bbbcc", "dddcc", "ec"] {
        let json: Vec<_> = names.chars().map(|name| format!(r#"{{"operation":"{name}"}}"#)).collect();
        store.append(records(&json, NOW)).await.unwrap();
        crate::common::sizes(&store);
    }
    let top = store.read(|reader| reader.top_operations(&Filter::default(), 3, NOW)).await.unwrap();
    let top: Vec<_> = top.iter().map(|top| (&*top.name, top.severities.total())).collect();
    assert_eq!(top, [("c", 7), ("a", 3), ("b", 3)]);
}

#[tokio::test]
async fn figures_of_a_few_among_thousands_of_groups() {
    let store = Store::builder().open().unwrap();
    // Two segments; the one of the common ones is here the first, there the last.
    for segment in 0..2 {
        let rare = (0..3_000).map(|number| (format!("rare-{number:04}-{segment}"), number));
        let common = (0..200).map(|number| (["a-common", "z-common"][number % 2].to_owned(), 1_000 + number));
        let events = rare.chain(common).map(|(name, took)| {
            format!(r#"{{"operation":"{name}","elapsed-time-usec":{took},"time-usec":{}}}"#, took + 1)
        });
        store.append(records(&events.collect::<Vec<_>>(), NOW)).await.unwrap();
        crate::common::sizes(&store);
    }
    let measure = |measure: &str| measure.parse::<Measure>().unwrap();
    let measures: Vec<_> =
        ["p50", "max", "avg", "count", "p100"].map(|name| measure(&format!("{name}(elapsed-time-usec)"))).into();
    for (limit, found) in [(2, 2), (10_000, 6_002)] {
        let groups = vec![Group::Field("operation".parse().unwrap(), limit)];
        let aggregation = Aggregation { groups, measures: measures.clone() };
        let rows = store.read(move |reader| reader.aggregate(&Filter::default(), &aggregation, NOW)).await.unwrap();
        assert_eq!(rows.len(), found);
        for (row, (name, least)) in rows.iter().zip([("a-common", 1_000.0), ("z-common", 1_001.0)]) {
            assert_eq!((&*row.keys, row.count), (&[Key::Text(name.to_owned())][..], 200));
            let [Some(p50), max, avg, count, p100] = *row.values else { panic!("{row:?}") };
            assert!((p50 - (least + 98.0)).abs() < 12.0, "{row:?}");
            assert_eq!([max, avg, count, p100], [least + 198.0, least + 99.0, 200.0, least + 198.0].map(Some));
        }
    }
}

#[tokio::test]
async fn what_has_a_value_twice_is_one_that_has_it() {
    let store = store(&[
        r#"{"operation":"pay","corrid":["c","c"],"msg-tag":["t","t"],"time-usec":1}"#,
        r#"{"operation":"pay","corrid":["c","d"],"msg-tag":["t"],"time-usec":2}"#,
    ])
    .await;
    for field in ["corrid", "msg-tag"] {
        for time in [None, Some(60)] {
            let groups = time.map(Group::Time).into_iter().chain([Group::Field(field.parse().unwrap(), 10)]).collect();
            let aggregation = Aggregation { groups, measures: Vec::new() };
            let rows = store.read(move |reader| reader.aggregate(&Filter::default(), &aggregation, NOW)).await.unwrap();
            let [most, ..] = &*rows else { panic!("{rows:?}") };
            assert_eq!(most.count, 2, "{field} {time:?} {rows:?}");
        }
    }
}
