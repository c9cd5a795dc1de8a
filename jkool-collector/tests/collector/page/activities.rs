//! Activities: in which order, which of them, a picture of their durations, and two of them side by side.

use super::{collector, detail, get};
use jkool_collector::Collector;

fn activity(name: &str, parent: Option<&str>, time: i64, took: i64) -> String {
    let parent = parent.map(|parent| format!(r#","parent-id":"{parent}""#)).unwrap_or_default();
    format!(
        r#"{{"type":"ACTIVITY","operation":"{name}","tracking-id":"{name}"{parent},"time-usec":{time},"elapsed-time-usec":{took}}}"#
    )
}

/// Three that are within no other; of the slow one, an error is two levels below it.
fn three() -> Collector {
    let lines = [
        activity("slow", None, 1_457_524_702_000_000, 1_900_000),
        activity("late", None, 1_457_524_703_000_000, 100_000),
        activity("early", None, 1_457_524_700_000_000, 2_500),
        activity("within", Some("slow"), 1_457_524_701_500_000, 500_000),
        r#"{"operation":"deep","tracking-id":"deep","parent-id":"within","severity":"ERROR","time-usec":1457524701400000}"#.to_owned(),
    ];
    collector(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn names(collector: &Collector, path: &str) -> Vec<String> {
    let page = get(collector, path).body;
    page.split("<span class=\"op\">")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn activities_are_roots_in_the_order_that_is_wanted() {
    let collector = three();
    for (query, expected) in [
        ("", &["late", "slow", "early"][..]),
        ("?sort=start", &["late", "slow", "early"]),
        ("?sort=duration", &["slow", "late", "early"]),
        ("?sort=errors", &["slow", "late", "early"]),
        ("?sort=errors&shorter=100ms", &["late", "early"]),
        ("?longer=2500", &["late", "slow", "early"]),
        ("?longer=2501us&shorter=1s", &["late"]),
        ("?longer=1m", &[]),
        ("?parent=slow", &["within"]),
        ("?skip=2", &["early"]),
    ] {
        assert_eq!(names(&collector, &format!("/activities{query}")), expected, "{query}");
    }
    for wrong in ["sort=size", "longer=soon", "compare=x", "skip=x"] {
        assert_eq!(get(&collector, &format!("/activities?{wrong}")).status, 400, "{wrong}");
    }
    let page = get(&collector, "/activities?longer=2ms&sort=duration").body;
    for part in [
        // An error counts for what it is within, however deep.
        "1 error",
        "name=\"longer\" value=\"2ms\"",
        "name=\"sort\" value=\"duration\"",
        "data-low=\"1000\" data-high=\"10000000\" data-names=\"since until longer shorter\"",
        "slow: 1.90 s, 1 error",
        "early: 2.50 ms",
        "class=\"dot failed\"",
        "/activities?longer=2ms",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn activities_go_on_behind_a_page() {
    let lines: Vec<_> =
        (0..700).map(|number| activity(&format!("a-{number}"), None, 1_457_524_700_000_000 + number, number)).collect();
    let collector = collector(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let first = get(&collector, "/activities").body;
    assert!(first.contains("500 activities, the newest"), "{first}");
    let (mut path, mut seen) = ("/activities".to_owned(), Vec::new());
    loop {
        seen.extend(names(&collector, &path));
        let page = get(&collector, &path).body;
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    let expected: Vec<_> = (0..700).rev().map(|number| format!("a-{number}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn two_are_compared_by_their_operations() {
    let collector = three();
    let id = |operation: &str| {
        detail(&collector, &format!("operation={operation}")).split('?').next().unwrap().replace("/events/", "")
    };
    let (slow, late) = (id("slow"), id("late"));
    let choose = get(&collector, &format!("/activities?compare={slow}")).body;
    let link = format!("/compare?one={slow}&amp;other={late}");
    assert!(choose.contains(&link) && choose.contains("Select another activity"), "{choose}");
    let page = get(&collector, &link.replace("&amp;", "&")).body;
    for part in [
        "took <b>1.90 s</b>",
        "took <b>100 ms</b>",
        "end after 1.90 s",
        "only in the first",
        "only in the second",
        "−500 ms",
        &format!("/compare?one={late}&amp;other={slow}"),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Of the shorter one the box is as much shorter.
    assert!(page.contains("width=\"5.26%\""), "{page}");
    for (query, status) in [
        ("", 404),
        ("?one=1-1&other=1-1", 404),
        (&*format!("?one={slow}"), 404),
        (&*format!("?one={slow}&other={late}&x=1"), 400),
    ] {
        assert_eq!(get(&collector, &format!("/compare{query}")).status, status, "{query}");
    }
}
