//! Traces: their views, how far they are zoomed, what is chosen, and how much of a large one is shown.

use super::{collector, detail, get, zipped};
use jkool_collector::Collector;
use std::fmt::Write;

const TRACE: [&str; 5] = [
    r#"{"type":"ACTIVITY","operation":"Order","tracking-id":"1","time-usec":1457524701000000,"elapsed-time-usec":1000000,"status":"EXCEPTION"}"#,
    r#"{"operation":"pay","tracking-id":"2","parent-id":"1","msg-text":"Bank <b>asked</b>","time-usec":1457524700500000,"elapsed-time-usec":400000}"#,
    r#"{"operation":"ask","tracking-id":"3","parent-id":"2","severity":"ERROR","msg-text":"refused","time-usec":1457524700400000,"elapsed-time-usec":200000}"#,
    r#"{"operation":"ship","tracking-id":"4","parent-id":"1","time-usec":1457524700950000,"elapsed-time-usec":300000}"#,
    r#"{"operation":"elsewhere","tracking-id":"5","parent-id":"6","time-usec":1457524700950000}"#,
];

/// The url of the trace of the event that `query` finds.
fn trace(collector: &Collector, query: &str) -> String {
    detail(collector, query).split('?').next().unwrap().replace("/events/", "/traces/")
}

fn names(page: &str) -> Vec<&str> {
    let lines = page.split("data-step>").skip(1);
    lines.map(|line| line.trim_start().split('<').next().unwrap().trim()).collect()
}

#[test]
fn a_trace_is_a_waterfall_a_flame_graph_or_a_list() {
    let collector = collector(&TRACE);
    let from_below = trace(&collector, "operation=ask");
    let waterfall = get(&collector, &from_below).body;
    // The same from wherever it is asked for, in the order of the tree.
    assert_eq!(names(&waterfall), ["Order", "pay", "ask", "ship"]);
    assert_eq!(names(&get(&collector, &trace(&collector, "operation=Order")).body), ["Order", "pay", "ask", "ship"]);
    for part in [
        "took <b>1 s</b>",
        "<b>4</b> entries",
        "<b>1</b> error<",
        "Bank &lt;b&gt;asked&lt;/b&gt;",
        "+250 ms",
        "Contains an error",
        "class=\"d1 critical\"",
    ] {
        assert!(waterfall.contains(part), "{part}: {waterfall}");
    }
    // The one that was asked for is chosen, in each view.
    let chosen = waterfall.split("id=\"chosen\"").nth(1).unwrap();
    assert!(chosen.contains("refused") && chosen.contains("took <b>200 ms</b>"), "{chosen}");
    let flame = get(&collector, &format!("{from_below}?view=flame")).body;
    assert_eq!((flame.matches("data-step").count(), flame.matches("aria-current=\"true\"").count()), (5, 1));
    assert!(flame.contains("ask: 200 ms from +200 ms, ERROR"), "{flame}");
    let list = get(&collector, &format!("{from_below}?view=list&sort=own")).body;
    assert_eq!(names(&list), ["Order", "ship", "pay", "ask"]);
    assert!(list.contains("own 300 ms"));
    for wrong in ["view=cloud", "sort=size", "from=soon", "at=x", "skip=-1", "levels=0", "more=1"] {
        assert_eq!(get(&collector, &format!("{from_below}?{wrong}")).status, 400, "{wrong}");
    }
    for nothing in ["/traces/1-1", "/traces/x", "/traces/1-1/chosen"] {
        assert_eq!(get(&collector, nothing).status, 404, "{nothing}");
    }
    assert!(get(&collector, &trace(&collector, "operation=elsewhere")).body.contains("its parent is not here"));
}

#[test]
fn a_trace_is_zoomed_and_one_of_it_is_chosen_by_the_url() {
    let collector = collector(&TRACE);
    let url = trace(&collector, "operation=Order");
    let zoomed = get(&collector, &format!("{url}?from=650ms&to=900000")).body;
    assert_eq!(names(&zoomed), ["Order", "ship"]);
    for part in ["+650 ms to +900 ms", "2 entries are outside of this time.", "value=\"650ms\"", "all of it"] {
        assert!(zoomed.contains(part), "{part}: {zoomed}");
    }
    let folded = get(&collector, &format!("{url}?levels=2")).body;
    assert_eq!(names(&folded), ["Order", "pay", "ship"]);
    assert!(folded.contains("1 entry is below level 2.") && folded.contains(&format!("{url}?levels=1\"")), "{folded}");
    let at = trace(&collector, "operation=pay").replace("/traces/", "");
    let link = format!("{url}?from=650ms&to=900ms&at={at}");
    let page = get(&collector, &link).body;
    // What is chosen stays so when the view is another one.
    assert!(
        page.contains(&format!("{url}?view=flame&amp;from=650ms&amp;to=900ms&amp;at={at}").replace("/traces/", "")),
        "{page}"
    );
    let chosen = get(&collector, &format!("{url}/chosen?at={at}")).body;
    assert!(
        chosen.starts_with("<div class=\"heading\"><h2>pay") && chosen.contains("from=100ms&amp;to=500ms"),
        "{chosen}"
    );
    assert_eq!(get(&collector, &format!("{url}/chosen?at=1-1")).status, 404);
    assert!(get(&collector, &format!("{url}?at=1-1")).body.contains("The selected entry is not in this trace"));
    // A time that is no part of it is as if it were not said.
    assert_eq!(names(&get(&collector, &format!("{url}?from=2s&to=1s")).body).len(), 4);
}

#[test]
fn of_a_trace_of_thousands_200_kb_travel_and_what_is_left_out_is_told() {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut spans = String::new();
    for number in 0..2_100_u64 {
        let (start, took) = (1_457_524_700_000_000 + random() % 1_000_000, random() % 100_000);
        let parent = if number == 0 { String::new() } else { format!(r#","parent-id":"{}""#, number / 3) };
        let (time, op, said) = (start + took, random() % 60, random());
        writeln!(
            spans,
            r#"{{"operation":"service-{op}/call","tracking-id":"{number}"{parent},"msg-text":"Request {said:x} of customer {:x} was answered","time-usec":{time},"elapsed-time-usec":{took},"source-fqn":"APPL=Shop#SERVER=web-{}"}}"#,
            random(),
            op % 9,
        )
        .unwrap();
    }
    let collector = collector(&[spans.trim_end()]);
    // Number 0 names no parent, so that it is the topmost.
    let url = trace(&collector, "where=tracking-id%3D0");
    for view in ["waterfall", "flame", "list"] {
        let bytes = zipped(&collector, &format!("{url}?view={view}"));
        println!("{view}: {bytes} bytes over the wire");
        assert!(bytes < 200_000, "{view}: {bytes} bytes");
    }
    let page = get(&collector, &url).body;
    assert_eq!(names(&page).len(), 1_000);
    for part in ["<b>2,000</b> entries", "It has more than 2,000 entries", "Lines 1 to 1,000 of 2,000"] {
        assert!(page.contains(part), "{part}");
    }
    let next = get(&collector, &format!("{url}?skip=1000")).body;
    assert!(next.contains("Lines 1,001 to 2,000 of 2,000") && !next.contains("rel=\"next\""));
    assert!(get(&collector, &format!("{url}?skip={}", usize::MAX)).body.contains("of 2,000"));
    let flame = get(&collector, &format!("{url}?view=flame")).body;
    let (before, _) = flame.split_once(" more find no room in 60 rows").unwrap();
    let left_out: usize = before.rsplit_once('>').unwrap().1.parse().unwrap();
    // Each box has a title, and so has the page.
    assert_eq!(flame.matches("<title>").count() - 1 + left_out, 2_000);
}
