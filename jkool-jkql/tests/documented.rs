//! The examples of docs/jkql.md are what they say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_jkql::{moment, parse, parse_line, parse_period};

const DOCUMENT: &str = include_str!("../../docs/jkql.md");

/// The lines of all blocks of a language.
fn examples(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = DOCUMENT.split(&*fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).collect()
}

#[test]
fn every_example_is_read() {
    let (statements, lines) = (examples("jkql"), examples("line"));
    assert!(statements.len() > 12 && lines.len() > 4);
    for statement in statements {
        parse(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    for line in lines {
        parse_line(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

const NOON: i64 = 1_457_524_800_000_000; // 2016-03-09 12:00 in UTC, a Wednesday
const HOUR: i64 = 3_600_000_000;

#[test]
fn dates_are_read_as_people_write_them() {
    let berlin = "Europe/Berlin".parse().unwrap();
    let (midnight, day) = (NOON - 13 * HOUR, 24 * HOUR);
    for (text, range) in [
        ("2016-03-09", midnight..midnight + day),
        ("9 Mar 2016", midnight..midnight + day),
        ("March 9, 2016", midnight..midnight + day),
        ("09.03.2016", midnight..midnight + day),
        ("today", midnight..midnight + day),
        ("Yesterday", midnight - day..midnight),
        ("2016-03-09 UTC", NOON - 12 * HOUR..NOON + 12 * HOUR),
        ("13:00", NOON..NOON),
        ("1:00 pm", NOON..NOON),
        ("2016-03-09 13:00", NOON..NOON),
        ("2016-03-09 13:00:00.5", NOON + 500_000..NOON + 500_000),
        ("2016-03-09T13:00", NOON..NOON),
        ("2016-03-09T12:00:00Z", NOON..NOON),
        ("2016-03-09 07:00 America/New_York", NOON..NOON),
        ("2016-03-09 14:00 +02:00", NOON..NOON),
        ("today 13:00", NOON..NOON),
        ("now", NOON..NOON),
        ("1h30m", NOON - 90 * HOUR / 60..NOON - 90 * HOUR / 60),
        ("2 days ago", NOON - 2 * day..NOON - 2 * day),
        ("1457524800000000", NOON..NOON),
    ] {
        assert_eq!(moment(text, NOON, &berlin), Ok(range), "{text}");
    }
    for text in
        ["", "soon", "03/09/2016", "2016-13-01", "25:00", "-1h", "2016-03-09 12:00 Mars/Base", "99999999999999999999y"]
    {
        assert!(moment(text, NOON, &berlin).is_err(), "{text}");
    }
}

#[test]
fn periods_follow_the_calendar_of_their_zone() {
    let berlin = "Europe/Berlin".parse().unwrap();
    let (midnight, day) = (NOON - 13 * HOUR, 24 * HOUR);
    for (text, range) in [
        ("today", midnight..midnight + day),
        ("yesterday", midnight - day..midnight),
        ("latest hour", NOON - HOUR..NOON),
        ("last 3 days", NOON - 3 * day..NOON),
        ("this week", midnight - 2 * day..midnight + 5 * day),
        ("previous week", midnight - 9 * day..midnight - 2 * day),
        // The clocks go forward on the 27th.
        ("this month", midnight - 8 * day..midnight + 23 * day - HOUR),
        ("'2016-03-08'", midnight - day..midnight),
        ("'yesterday' to '13:00'", midnight - day..NOON),
        ("since '08:00'", NOON - 5 * HOUR..i64::MAX),
        ("all", i64::MIN..i64::MAX),
    ] {
        assert_eq!(parse_period(text).unwrap().range(NOON, &berlin), Ok(range), "{text}");
    }
    assert!(parse_period("latest 4000000000 years").unwrap().range(NOON, &berlin).is_err());
}
