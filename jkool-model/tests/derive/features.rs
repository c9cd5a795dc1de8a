//! Fields of types of other crates, each with its feature.

#[cfg(feature = "chrono")]
mod chrono_types {
    use crate::told;
    use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
    use jkool_model::{Event, Property, Snapshot, Timestamp, ToProperties, ToSnapshot, Value};

    #[derive(Snapshot)]
    struct Order {
        paid: DateTime<Utc>,
        there: Option<DateTime<FixedOffset>>,
        due: NaiveDateTime,
        day: NaiveDate,
        opens: NaiveTime,
        took: TimeDelta,
        #[jkool(value_type = "age.nsec")]
        ever: TimeDelta,
        tries: Vec<DateTime<Utc>>,
    }

    fn at(text: &str) -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339(text).unwrap()
    }

    #[test]
    fn points_in_time_are_times_and_others_texts() {
        let paid = at("2016-03-09T13:00:00.0000019+01:00");
        let day = paid.date_naive().checked_add_days(Days::new(1)).unwrap();
        let mut order = Order {
            paid: paid.to_utc(),
            there: Some(paid),
            due: day.and_hms_milli_opt(1, 2, 3, 40).unwrap(),
            day,
            opens: NaiveTime::from_hms_opt(8, 0, 0).unwrap(),
            took: TimeDelta::microseconds(-1_500_001),
            ever: TimeDelta::MAX,
            tries: vec![paid.to_utc()],
        };
        let expected = [
            "paid: date.usec 1457524800000001 [none]",
            "there: date.usec 1457524800000001 [none]",
            "due: string 2016-03-10T01:02:03.040 [none]",
            "day: string 2016-03-10 [none]",
            "opens: string 08:00:00 [none]",
            "took: long -1500001 [age.usec]",
            "ever: long 9223372036854775807 [age.nsec]",
            "tries: list [1457524800000001] [none]",
        ];
        assert_eq!(told(&order.to_snapshot()), expected);
        order.there = None;
        assert_eq!(order.to_snapshot().properties.len(), expected.len() - 1);
    }

    #[test]
    fn they_are_taken_where_a_time_or_a_value_is() {
        let time = at("1969-12-31T23:59:59.9999999Z");
        assert_eq!(Timestamp::from(time), Timestamp::from_usec(-1));
        assert_eq!(Timestamp::from(DateTime::<Utc>::MAX_UTC).to_string(), "8210266876799999999");
        assert_eq!(Property::new("at", time), Property::new("at", Timestamp::from_usec(-1)));
        assert_eq!(time.to_value(), Value::Int(-1));
        let paid = at("2016-03-09T12:00:00Z");
        let event = Event::builder().source("APPL=a".parse().unwrap()).start_time(paid).property("paid", paid);
        assert_eq!(event.build().unwrap().start_time.unwrap().to_string(), "2016-03-09T12:00:00.000000Z");
    }
}

#[cfg(feature = "time")]
mod time_types {
    use crate::told;
    use jkool_model::{Property, Snapshot, Timestamp, ToSnapshot};
    use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

    #[derive(Snapshot)]
    struct Order {
        paid: OffsetDateTime,
        utc: UtcDateTime,
        due: PrimitiveDateTime,
        day: Date,
        opens: Time,
        exact: Time,
        took: Duration,
        ever: Duration,
    }

    #[test]
    fn points_in_time_are_times_and_others_texts() {
        let paid = OffsetDateTime::from_unix_timestamp_nanos(1_457_524_800_000_001_900).unwrap();
        let day = Date::from_ordinal_date(2016, 70).unwrap();
        let opens = Time::from_hms(8, 0, 0).unwrap();
        let snapshot = Order {
            paid: paid.to_offset(UtcOffset::from_hms(1, 0, 0).unwrap()),
            utc: paid.to_utc(),
            due: PrimitiveDateTime::new(day, opens),
            day,
            opens,
            exact: Time::from_hms_nano(23, 59, 9, 120).unwrap(),
            took: Duration::microseconds(-1_500_001),
            ever: Duration::MIN,
        }
        .to_snapshot();
        let expected = [
            "paid: date.usec 1457524800000001 [none]",
            "utc: date.usec 1457524800000001 [none]",
            "due: string 2016-03-10T08:00:00 [none]",
            "day: string 2016-03-10 [none]",
            "opens: string 08:00:00 [none]",
            "exact: string 23:59:09.00000012 [none]",
            "took: long -1500001 [age.usec]",
            "ever: long -9223372036854775808 [age.usec]",
        ];
        assert_eq!(told(&snapshot), expected);
    }

    #[test]
    fn they_are_taken_where_a_time_or_a_value_is() {
        let before = OffsetDateTime::UNIX_EPOCH - Duration::nanoseconds(1);
        assert_eq!(Timestamp::from(before), Timestamp::from_usec(-1));
        assert_eq!(Timestamp::from(before.to_utc()), Timestamp::from_usec(-1));
        assert_eq!(Property::new("at", before), Property::new("at", Timestamp::from_usec(-1)));
    }
}

#[cfg(feature = "uuid")]
mod uuids {
    use crate::told;
    use jkool_model::{Property, Snapshot, ToSnapshot};
    use std::collections::BTreeMap;
    use uuid::Uuid;

    #[derive(Snapshot)]
    struct Order {
        id: Uuid,
        parts: BTreeMap<Uuid, u8>,
    }

    #[test]
    fn a_uuid_is_a_text_that_is_an_id() {
        let id = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
        let told = told(&Order { id, parts: BTreeMap::from([(id, 7)]) }.to_snapshot());
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(told, [format!("id: string {text} [guid]"), format!("parts.{text}: short 7 [none]")]);
        assert_eq!(Property::new("id", id), Property::new("id", text));
    }
}
