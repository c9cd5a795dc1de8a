//! What `build` and `validate` refuse, in which words, and what they work out.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use jkool_model::{
    Activity, ActivityStatus, Entity, Event, EventBuilder, InvalidEntity, OpType, Snapshot, SourceFqn, Timestamp,
};
use std::time::Duration;

fn source() -> SourceFqn {
    "APPL=a".parse().unwrap()
}

fn event() -> EventBuilder {
    Event::builder().source(source())
}

fn usec(usec: i64) -> Timestamp {
    Timestamp::from_usec(usec)
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

const MAX: i64 = Timestamp::MAX.as_usec();

#[test]
fn each_fault_has_its_field_and_its_words() {
    let range = "not between the years 1970 and 9999";
    let mut negative = event().build().unwrap();
    negative.elapsed_usec = Some(-1);
    let mut waited = event().build().unwrap();
    waited.wait_usec = Some(i64::MIN);
    let mut aged = event().build().unwrap();
    aged.message_age_usec = Some(-5);
    for (refused, field, words) in [
        (Event::builder().build(), "source-fqn", "source-fqn is missing".to_owned()),
        (event().time(usec(-1)).build(), "time-usec", format!("time-usec is -1 µs since 1970, {range}")),
        (
            event().start_time(usec(MAX + 1)).build(),
            "start-time-usec",
            format!("start-time-usec is {} µs since 1970, {range}", MAX + 1),
        ),
        (
            event().end_time(usec(i64::MIN)).build(),
            "end-time-usec",
            format!("end-time-usec is {} µs since 1970, {range}", i64::MIN),
        ),
        (
            event().start_time(usec(20)).end_time(usec(10)).build(),
            "end-time-usec",
            "end-time-usec 10 is before start-time-usec 20".to_owned(),
        ),
        (
            event().start_time(usec(10)).end_time(usec(20)).elapsed(micros(11)).build(),
            "elapsed-time-usec",
            "elapsed-time-usec is 11, but start-time-usec and end-time-usec are 10 µs apart".to_owned(),
        ),
        (
            negative.validate().map(|()| negative),
            "elapsed-time-usec",
            "elapsed-time-usec is negative: -1 µs".to_owned(),
        ),
        (
            waited.validate().map(|()| waited),
            "wait-time-usec",
            "wait-time-usec is negative: -9223372036854775808 µs".to_owned(),
        ),
        (aged.validate().map(|()| aged), "msg-age", "msg-age is negative: -5 µs".to_owned()),
    ] {
        let error = refused.unwrap_err();
        assert_eq!((error.field(), error.to_string()), (field, words));
    }
}

#[test]
fn the_ends_of_time_are_valid() {
    for time in [usec(0), usec(1), Timestamp::MAX] {
        assert!(event().time(time).start_time(time).end_time(time).build().is_ok(), "{time:?}");
    }
    for time in [usec(-1), usec(MAX + 1)] {
        let error = event().time(time).build().unwrap_err();
        assert_eq!(error, InvalidEntity::TimeOutOfRange { field: "time-usec", usec: time.as_usec() });
    }
}

#[test]
fn of_start_end_and_elapsed_the_third_follows() {
    let times = |builder: EventBuilder| {
        let event = builder.build().unwrap();
        (event.start_time.map(Timestamp::as_usec), event.end_time.map(Timestamp::as_usec), event.elapsed_usec)
    };
    let all = (Some(10), Some(30), Some(20));
    assert_eq!(times(event().start_time(usec(10)).end_time(usec(30))), all);
    assert_eq!(times(event().start_time(usec(10)).elapsed(micros(20))), all);
    assert_eq!(times(event().end_time(usec(30)).elapsed(micros(20))), all);
    assert_eq!(times(event().start_time(usec(10)).end_time(usec(30)).elapsed(micros(20))), all);
    for elapsed in [19, 21, 0] {
        let error = event().start_time(usec(10)).end_time(usec(30)).elapsed(micros(elapsed)).build().unwrap_err();
        assert_eq!(error, InvalidEntity::ElapsedDisagrees { elapsed: elapsed as i64, between: 20 });
    }
    // From one alone, nothing.
    assert_eq!(times(event().start_time(usec(10))), (Some(10), None, None));
    assert_eq!(times(event().end_time(usec(30))), (None, Some(30), None));
    assert_eq!(times(event().elapsed(micros(20))), (None, None, Some(20)));
    assert_eq!(times(event().time(usec(10))), (None, None, None));
}

#[test]
fn no_time_overflows() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, MAX, MAX + 1, i64::MAX - 1, i64::MAX];
    for first in ends {
        for second in ends {
            let built = event().start_time(usec(first)).end_time(usec(second)).build();
            let valid = (0..=MAX).contains(&first) && (first..=MAX).contains(&second);
            assert_eq!(built.is_ok(), valid, "{first} to {second}");
            for elapsed in [Duration::ZERO, Duration::MAX, micros(i64::MAX as u64)] {
                let _either = event().start_time(usec(first)).end_time(usec(second)).elapsed(elapsed).build();
            }
        }
        let usual = event().start_time(usec(first)).elapsed(Duration::ZERO).build();
        assert_eq!(usual.is_ok(), (0..=MAX).contains(&first), "{first}");
        // An event that lasts 292,000 years does not end before the year 10000, nor did it start after 1969.
        assert!(event().start_time(usec(first)).elapsed(Duration::MAX).build().is_err(), "{first}");
        assert!(event().end_time(usec(first)).elapsed(Duration::MAX).build().is_err(), "{first}");
        // What was read is not built, and can hold anything.
        let json = format!(r#"{{"source-fqn":"APPL=a","start-time-usec":{first},"elapsed-time-usec":{}}}"#, i64::MIN);
        let read: Event = serde_json::from_str(&json).unwrap();
        assert!(read.validate().is_err(), "{first}");
    }
    let error = event().start_time(usec(1)).elapsed(Duration::MAX).build().unwrap_err();
    assert_eq!(error, InvalidEntity::TimeOutOfRange { field: "end-time-usec", usec: i64::MAX });
    assert_eq!(event().wait_time(Duration::MAX).build().unwrap().wait_usec, Some(i64::MAX));
}

#[test]
fn an_activity_needs_its_operation() {
    let error = Activity::builder().source(source()).build().unwrap_err();
    assert_eq!(error, InvalidEntity::Missing { field: "operation" });
    let named = || Activity::builder().operation("Checkout");
    assert_eq!(named().build().unwrap_err(), InvalidEntity::Missing { field: "source-fqn" });
    let backwards = named().source(source()).start_time(usec(2)).end_time(usec(1)).build();
    assert_eq!(backwards.unwrap_err(), InvalidEntity::EndBeforeStart { start: 2, end: 1 });
    let activity = named().source(source()).end_time(usec(5)).elapsed(micros(4)).build().unwrap();
    assert_eq!((activity.op_type, activity.start_time), (OpType::Activity, Some(usec(1))));
    assert_eq!(activity.status, Some(ActivityStatus::End));
    assert!(activity.tracking_id.is_some());
}

#[test]
fn a_snapshot_that_travels_alone_needs_four_things() {
    let named = || Snapshot::builder("Payment");
    let full = || named().category("Order").property("amount", 42).source(source());
    assert_eq!(full().build().validate(), Ok(()));
    for (snapshot, field) in [
        (Snapshot::builder("").build(), "name"),
        (named().build(), "category"),
        (named().category("Order").build(), "properties"),
        (named().category("Order").property("amount", 42).build(), "source-fqn"),
    ] {
        assert_eq!(snapshot.validate(), Err(InvalidEntity::Missing { field }));
        assert_eq!(Entity::from(snapshot).validate(), Err(InvalidEntity::Missing { field }));
    }
    let error = full().time(usec(-7)).build().validate().unwrap_err();
    assert_eq!(error, InvalidEntity::TimeOutOfRange { field: "time-usec", usec: -7 });
}

#[test]
fn any_entity_is_checked_as_what_it_is() {
    let mut event = event().build().unwrap();
    assert_eq!(Entity::from(event.clone()).validate(), Ok(()));
    event.source = None;
    assert_eq!(Entity::from(event).validate(), Err(InvalidEntity::Missing { field: "source-fqn" }));
    let mut activity = Activity::builder().operation("Checkout").source(source()).build().unwrap();
    assert_eq!(Entity::from(activity.clone()).validate(), Ok(()));
    activity.operation = "".into();
    assert_eq!(Entity::from(activity).validate(), Err(InvalidEntity::Missing { field: "operation" }));
}

#[test]
fn what_was_read_is_completed_on_demand() {
    let read = |json: &str| serde_json::from_str::<Event>(json).unwrap();
    let mut event = read(r#"{"start-time-usec":10,"elapsed-time-usec":20}"#);
    assert_eq!(event.end_time, None);
    event.complete_times();
    assert_eq!(event.end_time, Some(usec(30)));
    // What can't be completed is left for `validate` to name.
    let mut event = read(r#"{"source-fqn":"APPL=a","start-time-usec":30,"end-time-usec":10}"#);
    event.complete_times();
    assert_eq!(event.elapsed_usec, None);
    assert_eq!(event.validate(), Err(InvalidEntity::EndBeforeStart { start: 30, end: 10 }));
}
