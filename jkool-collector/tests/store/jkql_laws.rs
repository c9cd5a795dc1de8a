//! Whatever jKQL says of a store is what a plain look at each entity says.

use crate::common::records;
use jkool_collector::{JkqlAnswer, Request, Store, ask};
use jkool_model::{Severity, Timestamp};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW: i64 = 1_457_524_800_000_000;
const SECOND: i64 = 1_000_000;

/// An entity, as the test knows it.
#[derive(Debug, Clone)]
struct Made {
    id: String,
    /// Seconds ago, each but once.
    ago: i64,
    operation: &'static str,
    severity: Severity,
    user: Option<&'static str>,
    elapsed: Option<i64>,
    amount: Option<i64>,
    message: &'static str,
}

impl Made {
    fn json(&self) -> String {
        let properties: Vec<Value> = self
            .amount
            .map(|amount| json!({"name": "order-amount", "type": "long", "value": amount}))
            .into_iter()
            .collect();
        let mut json = json!({
            "type": "EVENT", "tracking-id": self.id, "operation": self.operation, "severity": self.severity.to_string(),
            "time-usec": NOW - self.ago * SECOND, "msg-text": self.message, "properties": properties,
        });
        if let Some(user) = self.user {
            json["user"] = json!(user);
        }
        if let Some(elapsed) = self.elapsed {
            json["elapsed-time-usec"] = json!(elapsed);
        }
        json.to_string()
    }

    fn number(&self, field: &str) -> Option<i64> {
        match field {
            "ElapsedTime" => self.elapsed,
            "order-amount" => self.amount,
            _ => unreachable!(),
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        match field {
            "EventName" => Some(self.operation.to_owned()),
            "Severity" => Some(self.severity.to_string()),
            "UserName" => self.user.map(str::to_owned),
            _ => unreachable!(),
        }
    }
}

fn store() -> impl Strategy<Value = Vec<Made>> {
    let made = (
        select(&["Charge", "ChargeBack", "Login"][..]),
        select(Severity::ALL),
        option::of(select(&["alice", "bob", "al"][..])),
        option::of(0..20_i64),
        option::of(0..5_i64),
        select(&["", "no stock", "stock", "no more stock"][..]),
    );
    proptest::collection::vec(made, 0..40).prop_map(|all| {
        let made = |(index, (operation, severity, user, elapsed, amount, message)): (usize, _)| Made {
            id: format!("id-{index}"),
            // Not in the order of arrival.
            ago: (index as i64 * 7) % 41 * 11,
            operation,
            severity,
            user,
            elapsed,
            amount,
            message,
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

/// A condition, in words and as what it means.
#[derive(Debug, Clone)]
enum Asked {
    Text(&'static str, &'static str),
    Like(&'static str, &'static str, &'static str),
    Number(&'static str, &'static str, i64),
    Between(i64, i64),
    Severity(&'static str, Severity),
    Exists(&'static str),
    Message,
    Ago(i64),
    And(Vec<Asked>),
    Or(Vec<Asked>),
    Not(Box<Asked>),
}

impl Asked {
    fn jkql(&self) -> String {
        let list = |parts: &[Asked], sign: &str| {
            let parts: Vec<String> = parts.iter().map(Asked::jkql).collect();
            format!("({})", parts.join(sign))
        };
        match self {
            Self::Text(field, text) => format!("{field} = '{text}'"),
            Self::Like(field, pattern, _) => format!("{field} like '{pattern}'"),
            Self::Number(field, sign, number) => format!("{field} {sign} {number}"),
            Self::Between(from, to) => format!("elapsed_time between {from}us and {to}us"),
            Self::Severity(sign, severity) => format!("severity {sign} '{severity}'"),
            Self::Exists(field) => format!("{field} exists"),
            Self::Message => "message contains 'NO stock'".to_owned(),
            Self::Ago(seconds) => format!("time >= '{seconds}s'"),
            Self::And(parts) => list(parts, " and "),
            Self::Or(parts) => list(parts, " or "),
            Self::Not(part) => format!("not ({})", part.jkql()),
        }
    }

    fn holds(&self, of: &Made) -> bool {
        let compare = |one: i64, sign: &str, other: i64| match sign {
            "<" => one < other,
            "<=" => one <= other,
            ">" => one > other,
            ">=" => one >= other,
            _ => one == other,
        };
        match self {
            Self::Text(field, text) => of.text(field).as_deref() == Some(text),
            Self::Like(field, _, part) => of.text(field).is_some_and(|text| text.contains(part)),
            Self::Number(field, sign, number) => of.number(field).is_some_and(|own| compare(own, sign, *number)),
            Self::Between(from, to) => of.elapsed.is_some_and(|own| (*from..=*to).contains(&own)),
            Self::Severity(sign, severity) => compare(of.severity as i64, sign, *severity as i64),
            Self::Exists("UserName") => of.user.is_some(),
            Self::Exists(field) => of.number(field).is_some(),
            Self::Message => of.message.contains("no stock"),
            // The question is asked a microsecond later.
            Self::Ago(seconds) => of.ago < *seconds,
            Self::And(parts) => parts.iter().all(|part| part.holds(of)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(of)),
            Self::Not(part) => !part.holds(of),
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let sign = select(&["<", "<=", ">", ">=", "="][..]);
    let leaf = prop_oneof![
        (select(&["EventName", "UserName"][..]), select(&["Charge", "alice", "al"][..]))
            .prop_map(|(f, t)| Asked::Text(f, t)),
        select(&[("EventName", "%Back%", "Back"), ("UserName", "al%", "al"), ("EventName", "Ch%g%", "Charge")][..])
            .prop_map(|(field, pattern, part)| Asked::Like(field, pattern, part)),
        (select(&["ElapsedTime", "order-amount"][..]), sign.clone(), 0..20_i64)
            .prop_map(|(f, s, n)| Asked::Number(f, s, n)),
        (0..20_i64, 0..20_i64).prop_map(|(from, to)| Asked::Between(from, to)),
        (sign, select(Severity::ALL)).prop_map(|(sign, severity)| Asked::Severity(sign, severity)),
        select(&["UserName", "ElapsedTime", "order-amount"][..]).prop_map(Asked::Exists),
        Just(Asked::Message),
        (0..450_i64).prop_map(Asked::Ago),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let parts = proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            parts.clone().prop_map(Asked::And),
            parts.prop_map(Asked::Or),
            inner.prop_map(|part| Asked::Not(Box::new(part))),
        ]
    })
}

/// What the values of one group are.
fn figures(of: &[&Made]) -> Vec<Value> {
    let values: Vec<i64> = of.iter().filter_map(|made| made.elapsed).collect();
    let sum: i64 = values.iter().sum();
    let some = |value: Value| if values.is_empty() { Value::Null } else { value };
    let mean = sum as f64 / values.len().max(1) as f64;
    let users: std::collections::BTreeSet<_> = of.iter().filter_map(|made| made.user).collect();
    vec![
        json!(of.len()),
        json!(values.len()),
        json!(sum),
        some(json!(values.iter().min())),
        some(json!(values.iter().max())),
        some(json!(mean)),
        json!(users.len()),
    ]
}

const FIGURES: &str = "number of events, count(elapsedtime), sum(elapsedtime), min(elapsedtime), max(elapsedtime), \
    avg(elapsedtime), distinct(username)";

/// Numbers that are equal but for the last digits of a float.
fn same(one: &[Vec<Value>], other: &[Vec<Value>]) -> bool {
    let same = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * other.abs().max(1.0),
        _ => one == other,
    };
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one.len() == other.len() && one.iter().zip(other).all(|(o, t)| same(o, t)))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(60))]

    #[test]
    fn an_answer_is_what_a_look_at_each_entity_says(
        made in store(),
        questions in proptest::collection::vec((asked(), 1..30_usize, 0..450_i64, any::<bool>()), 1..8),
    ) {
        let store = Store::builder().open().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let now = Timestamp::from_usec(NOW);
        let entities: Vec<String> = made.iter().map(Made::json).collect();
        runtime.block_on(store.append(records(&entities, now))).unwrap();
        // A name that the store does not have is refused, so it has each.
        let all_names = r#"{"operation":"none","tracking-id":"names","time-usec":1,"properties":[{"name":"order-amount","value":1}]}"#;
        runtime.block_on(store.append(records(&[all_names], now))).unwrap();
        let answer = |statement: &str| -> JkqlAnswer {
            let request = Request::new(statement, Timestamp::from_usec(NOW + 1));
            store.read_now(|reader| Ok(ask(reader, &request))).unwrap().unwrap_or_else(|error| panic!("{statement}: {error}"))
        };
        for (asked, limit, seconds, descending) in &questions {
            let period = format!("since '{}'", NOW - seconds * SECOND);
            let mut wanted: Vec<&Made> =
                made.iter().filter(|made| made.ago <= *seconds && asked.holds(made)).collect();
            wanted.sort_by_key(|made| made.ago);
            let condition = asked.jkql();

            let statement = format!("get events fields id, elapsedtime where {condition} for {period} limit {limit}");
            let found = answer(&statement);
            let row = |made: &&&Made| vec![json!(made.id), json!(made.elapsed)];
            let expected: Vec<Vec<Value>> = wanted.iter().take(*limit).map(|made| row(&made)).collect();
            assert_eq!(found.rows, expected, "{statement}");
            assert_eq!(found.found, wanted.len() as u64, "{statement}");

            // Those without a value come last, in either direction.
            let direction = if *descending { "desc" } else { "asc" };
            let statement = format!(
                "get events fields id, elapsedtime where {condition} for {period} sort by elapsedtime {direction}, time asc limit {limit}"
            );
            let mut sorted = wanted.clone();
            sorted.sort_by_key(|made| {
                let key = made.elapsed.map(|elapsed| if *descending { -elapsed } else { elapsed });
                (key.is_none(), key, -made.ago)
            });
            let expected: Vec<Vec<Value>> = sorted.iter().take(*limit).map(|made| row(&made)).collect();
            assert_eq!(answer(&statement).rows, expected, "{statement}");

            let statement = format!("get {FIGURES} where {condition} for {period}");
            assert!(same(&answer(&statement).rows, &[figures(&wanted)]), "{statement}: {:?} {:?}", answer(&statement).rows, figures(&wanted));

            for field in ["EventName", "Severity", "UserName"] {
                let statement = format!("get {FIGURES} where {condition} group by {field} for {period} limit {limit}");
                let mut groups: BTreeMap<String, Vec<&Made>> = BTreeMap::new();
                for made in &wanted {
                    if let Some(key) = made.text(field) {
                        groups.entry(key).or_default().push(made);
                    }
                }
                let mut expected: Vec<Vec<Value>> =
                    groups.iter().map(|(key, of)| [vec![json!(key)], figures(of)].concat()).collect();
                // The largest first, and of equals by name.
                expected.sort_by_key(|row| std::cmp::Reverse(row[1].as_u64()));
                let found = answer(&statement);
                assert_eq!(found.found, expected.len() as u64, "{statement}");
                expected.truncate(*limit);
                assert!(same(&found.rows, &expected), "{statement}: {:?} {expected:?}", found.rows);
            }

            let statement = format!("get number of events where {condition} bucketed by minute group by operation for {period} limit 1000");
            let mut groups: BTreeMap<(i64, &str), i64> = BTreeMap::new();
            for made in &wanted {
                let time = NOW - made.ago * SECOND;
                *groups.entry((time - time.rem_euclid(60 * SECOND), made.operation)).or_default() += 1;
            }
            let mut expected: Vec<_> = groups.into_iter().map(|((time, operation), count)| (time, -count, operation)).collect();
            expected.sort_unstable();
            let expected: Vec<Vec<Value>> =
                expected.iter().map(|(time, count, operation)| vec![json!(time), json!(operation), json!(-count)]).collect();
            assert_eq!(answer(&statement).rows, expected, "{statement}");

            // Within the error that a percentile has.
            let statement = format!("get p50(elapsedtime) where {condition} and elapsedtime > 0 for {period}");
            let mut values: Vec<i64> = wanted.iter().filter_map(|made| made.elapsed).filter(|value| *value > 0).collect();
            values.sort_unstable();
            let found = answer(&statement).rows[0][0].as_f64();
            match found {
                None => assert!(values.is_empty(), "{statement}"),
                Some(found) => {
                    let expected = values[values.len().div_ceil(2) - 1] as f64;
                    assert!((expected * 0.98..=expected * 1.02).contains(&found), "{statement}: {found} {values:?}");
                }
            }
        }
    }
}
