//! Any entities and any filters.

use jkool_collector::{Condition, Expression, Filter, Kind, Moment, SeverityRange};
use jkool_model::{Severity, Timestamp};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

pub(crate) const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);
const WORDS: &[&str] = &["order", "pay", "payment", "ÄRGER", "4711"];
const SOURCES: &[&str] = &["APPL=Shop#SERVER=web-1", "APPL=Shop#SERVER=web-2", "APPL=Pay#SERVER=web-1"];

pub(crate) fn entity() -> impl Strategy<Value = String> {
    let parts = (
        select(&["EVENT", "SEND", "ACTIVITY"][..]),
        select(&["accept", "pay"][..]),
        select(Severity::ALL),
        select(SOURCES),
        proptest::collection::vec(select(WORDS), 0..4),
        proptest::collection::vec(0..3_u8, 0..3),
        option::of(0..3_u8),
        // Few, so that several are of one time.
        0..40_i64,
        proptest::collection::vec(property(), 0..3),
    );
    (parts, any::<u64>()).prop_map(|((op_type, operation, severity, source, words, correlators, parent, ago, properties), id)| {
        let correlators: Vec<_> = correlators.iter().map(|n| format!("\"c{n}\"")).collect();
        let parent = parent.map(|n| format!(r#","parent-id":"p{n}""#)).unwrap_or_default();
        format!(
            r#"{{"type":"{op_type}","operation":"{operation}","severity":"{severity}","source-fqn":"{source}","msg-text":"{}","exception":"{}","corrid":[{}],"tracking-id":"{id}","time-usec":{}{parent},"properties":[{}]}}"#,
            words.join(" "),
            words.first().unwrap_or(&""),
            correlators.join(","),
            NOW.as_usec() - ago * 1_000_000,
            properties.join(","),
        )
    })
}

/// The same name may hold texts, numbers and lists.
fn property() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        (0..5_i64).prop_map(|number| number.to_string()),
        Just("1.5".to_owned()),
        Just("9007199254740993".to_owned()),
        Just("true".to_owned()),
        select(&["alice", "bob", "1", ""][..]).prop_map(|text| format!("\"{text}\"")),
        Just(r#"[1,"alice"]"#.to_owned()),
    ];
    (select(&["a", "b.c"][..]), value).prop_map(|(name, value)| format!(r#"{{"name":"{name}","value":{value}}}"#))
}

fn expression() -> impl Strategy<Value = Expression> {
    const FIELDS: &[&str] = &["properties.a", "properties.b.c", "operation", "corrid", "SERVER"];
    const TESTS: &[&str] = &[
        "",
        "=1",
        "=1.0",
        "=alice",
        "=pay",
        "=web-1",
        "=c1",
        "=event",
        "^=a",
        "*=e",
        "*=RR",
        "~=%a_",
        "=9007199254740993",
    ];
    const BOUNDS: &[&str] = &[
        "properties.a>=1",
        "properties.a<2",
        "properties.b.c>1.4",
        "properties.none<9",
        "severity=ERROR",
        "severity^=E",
        "severity~=_R%",
        "severity",
        "kind=event",
        "kind*=vent",
        "severity>=WARNING",
        "severity<ERROR",
        "time-usec>2016-03-09T11:59:40Z",
        "time-usec<=2016-03-09T11:59:50Z",
        "time-usec=1457524780000000",
        "time-usec",
    ];
    let condition = prop_oneof![
        (select(FIELDS), select(TESTS)).prop_map(|(field, test)| format!("{field}{test}")),
        select(BOUNDS).prop_map(str::to_owned),
    ];
    let condition = (any::<bool>(), condition).prop_map(|(negated, text)| {
        let text = format!("{}{text}", if negated { "!" } else { "" });
        Expression::from(text.parse::<Condition>().unwrap())
    });
    let words = (select(&["order", "order pay", "pa", "…"][..]), any::<bool>())
        .prop_map(|(text, begins)| Expression::Words { text: text.to_owned(), begins });
    prop_oneof![4 => condition, 1 => words].prop_recursive(4, 24, 4, |inner| {
        let parts = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            parts.clone().prop_map(Expression::All),
            parts.prop_map(Expression::Any),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let severity = (select(Severity::ALL), select(Severity::ALL))
        .prop_map(|(a, b)| SeverityRange { from: a.min(b), to: a.max(b) });
    let moment = prop_oneof![
        (0..45_u64).prop_map(|ago| Moment::Ago(std::time::Duration::from_secs(ago))),
        (0..45_i64).prop_map(|ago| Moment::At(Timestamp::from_usec(NOW.as_usec() - ago * 1_000_000))),
    ];
    let text = prop_oneof![
        select(WORDS).prop_map(str::to_owned),
        Just("pay*".to_owned()),
        Just("\"order pay\" 4711".to_owned()),
        Just("ärger".to_owned()),
    ];
    let source = select(&["APPL=Shop", "SERVER=web-1", "SERVER=web-1#APPL=Pay", "SERVER=none"][..]);
    let parts = (
        option::weighted(0.2, select(&Kind::ALL[..])),
        option::weighted(0.4, severity),
        option::weighted(0.3, select(&["accept", "pay", "none"][..])),
        option::weighted(0.3, source),
        option::weighted(0.3, text),
        option::weighted(0.3, 0..3_u8),
        option::weighted(0.2, 0..3_u8),
        option::weighted(0.3, moment.clone()),
        option::weighted(0.3, moment),
        option::weighted(0.6, expression()),
    );
    parts.prop_map(|(kind, severity, operation, source, text, correlator, parent, since, until, expression)| {
        let mut filter = Filter::default();
        filter.kind = kind;
        filter.severity = severity;
        filter.operation = operation.map(str::to_owned);
        filter.source = source.map(|source| source.parse().unwrap());
        filter.text = text;
        filter.correlator = correlator.map(|n| format!("c{n}"));
        filter.parent = parent.map(|n| format!("p{n}"));
        filter.since = since;
        filter.until = until;
        filter.expression = expression.unwrap_or_default();
        filter
    })
}
