//! What is read, and what is told of what can't be.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_jkql::{Bucket, Chart, Condition, Figure, Kind, NameKind, Output, Statement, Test, parse, parse_line};
use proptest::prelude::{prop, proptest};

/// A condition as one short text: names, tests and values without their columns.
fn shown(condition: &Condition) -> String {
    let list = |parts: &[Condition], sign: &str| {
        let parts: Vec<String> = parts.iter().map(shown).collect();
        format!("({})", parts.join(sign))
    };
    match condition {
        Condition::All(parts) => list(parts, " & "),
        Condition::Any(parts) => list(parts, " | "),
        Condition::Not(part) => format!("!{}", shown(part)),
        Condition::Words { text, begins } => format!("[{text}{}]", if *begins { "*" } else { "" }),
        Condition::Test { name, test } => match test {
            Test::Exists => format!("{} exists", name.kind),
            Test::Is(value) => format!("{} = {}", name.kind, value.text),
            Test::Begins(value) => format!("{} = {}*", name.kind, value.text),
            Test::Contains(value) => format!("{} = *{}*", name.kind, value.text),
            Test::Like(value) => format!("{} like {}", name.kind, value.text),
            Test::Compare(comparison, value) => format!("{} {comparison:?} {}", name.kind, value.text),
            _ => unreachable!(),
        },
        _ => unreachable!(),
    }
}

fn where_(text: &str) -> String {
    shown(&parse_line(&format!("where {text}")).unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn conditions_of_jkql_are_read() {
    for (text, expected) in [
        ("severity >= 'ERROR'", "severity AtLeast ERROR"),
        ("a = 1 or b <> 'x y' and not c < 2s", "(a = 1 | (!b = x y & !c Below 2s))"),
        ("(a=1 OR b=2) AND NOT (c=3)", "((a = 1 | b = 2) & !c = 3)"),
        ("op in ('a', \"b\", c)", "(op = a | op = b | op = c)"),
        ("op not in ('a')", "!op = a"),
        ("elapsed between 1ms and 2ms", "(elapsed AtLeast 1ms & elapsed AtMost 2ms)"),
        ("op like 'Charge%' and message contains 'no stock'", "(op like Charge% & message = *no stock*)"),
        ("user exists and not exists(location)", "(user exists & !location exists)"),
        ("user is null or user is not null", "(!user exists | user exists)"),
        ("properties('order no') = 'it''s \\'x\\''", "properties('order no') = it's 'x'"),
        ("snapshots('Payment', 'amount') > -5", "snapshots('Payment', 'amount') Above -5"),
        ("snapshots('Order', 'Payment', 'amount') > 5", "snapshots('Order', 'Payment', 'amount') Above 5"),
        ("snapshots.Order/Payment/amount > 5", "snapshots.Order/Payment/amount Above 5"),
    ] {
        assert_eq!(where_(text), expected, "{text}");
    }
}

#[test]
fn the_short_form_is_read() {
    for (text, expected) in [
        ("", "()"),
        ("*", "()"),
        ("declined", "[declined]"),
        ("\"no stock\" pay*", "([no stock] & [pay*])"),
        ("severity>=WARNING -op:Login http.status:500", "(severity AtLeast WARNING & !op = Login & http.status = 500)"),
        ("a OR b c", "([a] | ([b] & [c]))"),
        ("(a OR b) AND NOT c", "(([a] | [b]) & ![c])"),
        (
            "user:al* user:*li* user:*ce user:* user:\"a*\"",
            "(user = al* & user = *li* & user like %ce & user exists & user = a*)",
        ),
        ("elapsed>2s elapsed:<=5s pid!=3 pid=4", "(elapsed Above 2s & elapsed AtMost 5s & !pid = 3 & pid = 4)"),
        ("amount:1..5 amount:\"1..5\"", "((amount AtLeast 1 & amount AtMost 5) & amount = 1..5)"),
        ("id:urn:x:1 \"order no\":7", "(id = urn:x:1 & order no = 7)"),
        ("user~a_%", "user like a_%"),
        ("can't -(x y)", "([can't] & !([x] & [y]))"),
        ("time>=2026-03-09T12:00:00Z", "time AtLeast 2026-03-09T12:00:00Z"),
    ] {
        let read = parse_line(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(shown(&read), expected, "{text}");
    }
}

#[test]
fn statements_are_read() {
    let get = |text: &str| match parse(text) {
        Ok(Statement::Get(select)) => select,
        other => panic!("{text}: {other:?}"),
    };
    let select = get(
        "get events where severity >= 'ERROR' and operation like 'Charge%' for latest hour sort by elapsedtime desc limit 20",
    );
    assert_eq!((select.kind, select.limit, select.sort.len()), (Some(Kind::Events), Some(20), 1));
    assert_eq!(select.period.unwrap().to_string(), "latest hour");
    assert!(select.sort[0].descending);

    let select = get("GET Number OF Events GROUP BY severity FOR TODAY SHOW AS piechart");
    assert_eq!(select.output, Output::Figures(vec![Figure::Number]));
    assert_eq!((select.groups.len(), select.show), (1, Some(Chart::Pie)));

    let select =
        get("get avg(elapsedtime), p99.9(elapsedtime), number of activities group by a, b sort by p95(x) desc, a");
    assert_eq!((select.kind, select.groups.len(), select.sort.len()), (Some(Kind::Activities), 2, 2));
    assert!(matches!(&select.output, Output::Figures(figures) if figures.len() == 3));

    let select = get("get number of events bucketed by 15 minutes group by severity show as areachart");
    assert_eq!(select.bucket, Some(Bucket { seconds: 900 }));

    let select =
        get("get snapshots fields properties('order-amount'), name where name = 'Payment' for 'yesterday' to '08:00'");
    let Output::Rows(fields) = &select.output else { panic!("{select:?}") };
    assert_eq!(fields[0].kind, NameKind::Property("order-amount".into()));
    assert_eq!(fields[0].column, 22);

    let select = get("find 'no stock' in activities limit 5");
    assert_eq!((shown(&select.condition).as_str(), select.kind), ("[no stock]", Some(Kind::Activities)));

    let compare = parse("compare number of events group by severity for today with yesterday").unwrap();
    assert!(matches!(compare, Statement::Compare { with, .. } if with.to_string() == "yesterday"));
    let subscribe = parse("sub to events where severity > 'INFO'").unwrap();
    assert!(matches!(subscribe, Statement::Subscribe(select) if select.condition != Condition::default()));
    assert_eq!(parse("unsubscribe from 'x-1'"), Ok(Statement::Unsubscribe("x-1".into())));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_expected() {
    for (text, column, parts) in [
        ("", 1, &["`get`", "`find`", "`subscribe`", "found the end"][..]),
        ("got events", 1, &["`get`", "found `got`", "did you mean `get`?"]),
        ("get evnts", 5, &["`events`", "`number`", "a function", "did you mean `events`?"]),
        ("get events where severity > > 'ERROR'", 29, &["expected a value, found `>`"]),
        (
            "get events where severity 'ERROR'",
            27,
            &["a comparison (=, !=, <, <=, >, >=)", "`between`", "found `'ERROR'`"],
        ),
        ("get events where (severity = 'ERROR'", 37, &["`)`", "`or`", "found the end"]),
        ("get events where a = 'ERROR", 22, &["a value"]),
        ("get events limit 0", 18, &["a whole number from 1 on"]),
        ("get events limit 5 limit 6", 27, &["each clause once"]),
        ("get number of events bucketed by month", 39, &["stretches of equal length"]),
        ("get number of events, number of activities", 43, &["figures of one kind"]),
        ("get events for latest houre", 23, &["a unit (second"]),
        ("compare number of events for today", 35, &["two periods"]),
        ("get events sort elapsed", 12, &["`sort by`"]),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
    for (text, column, part) in [
        ("a (b", 5, "`)`"),
        ("user:", 6, "a value"),
        ("ü \"no", 3, "words, a phrase in quotes"),
        ("a )", 3, "the end"),
        ("a OR", 5, "words"),
        ("user>", 6, "a value"),
    ] {
        let error = parse_line(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let deep = "(".repeat(100_000);
    assert!(parse_line(&deep).unwrap_err().to_string().contains("at most 50 nested"));
    assert!(parse(&format!("get events where {}", "not ".repeat(100_000))).is_err());
}

proptest! {
    #[test]
    fn nothing_panics(text in "(get|find|where|sub to)? ?[ a-z()'\"*:<>=,.%0-9-]{0,40}", any in prop::collection::vec(prop::char::any(), 0..30)) {
        let any: String = any.into_iter().collect();
        for text in [&text, &any] {
            for error in [parse(text).err(), parse_line(text).err()].into_iter().flatten() {
                assert!(error.column <= text.chars().count() + 1, "{text:?}: {error}");
                assert!(!error.expected.is_empty(), "{text:?}: {error}");
            }
        }
    }
}
