use super::Look;
use jkool_client::model::{Entity, Timestamp};
use jkool_collector::Zone;

const TIME: Timestamp = Timestamp::from_usec(1_457_524_800_123_456);

fn read(json: &str) -> Entity {
    serde_json::from_str(json).unwrap()
}

fn plain() -> Look {
    Look { colours: false, width: None, zone: None, full: false, widest: [0; 2] }
}

fn terminal(width: usize) -> Look {
    Look { width: Some(width), ..plain() }
}

const DECLINED: &str = r#"{"operation":"Pay","severity":"ERROR","msg-text":"declined","time-usec":1457524800123456,
    "source-fqn":"APPL=Payment#SERVER=pay-1#DATACENTER=DC1","corrid":["A-1","b"],"exception":"no funds",
    "elapsed-time-usec":12900}"#;

const TRACE: &str = r#"{"operation":"Order","severity":"ERROR","msg-text":"failed\nbadly","source-fqn":"APPL=Shop",
    "exception":"a.B: no\u001b[2J order\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: x\n\tat d\n"}"#;

#[test]
fn a_line_for_programs_says_what_matters() {
    let text = "2016-03-09T12:00:00.123Z  ERROR     Pay  Payment@pay-1  declined  in 12 ms  [A-1 b]  ! no funds";
    assert_eq!(plain().show(TIME, &read(DECLINED)), text);
    let snapshot = read(
        r#"{"type":"SNAPSHOT","name":"Cpu","category":"Server","time-usec":1457524800000000,
            "properties":[{"name":"load","value":1.5}]}"#,
    );
    assert_eq!(plain().show(TIME, &snapshot), "2016-03-09T12:00:00.123Z  NONE      Cpu  load=1.5");
    let trace = "2016-03-09T12:00:00.123Z  ERROR     Order  Shop  failed\\nbadly  ! a.B: no\\u{1b}[2J order\\n\\tat \
                 a.B.c(B.java:1)\\nCaused by: java.io.IOException: x\\n\\tat d\\n";
    assert_eq!(plain().show(TIME, &read(TRACE)), trace);
}

#[test]
fn a_terminal_shows_what_fits_and_where_a_trace_began() {
    let long = read(&DECLINED.replace("declined", &"declined ".repeat(100)));
    let lines = terminal(100).show(TIME, &long);
    let lines: Vec<&str> = lines.lines().collect();
    let [line, exception] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(console::measure_text_width(line) <= 100 && line.ends_with("…  in 12 ms  [A-1 b]"), "{line}");
    assert_eq!(*exception, "    ! no funds");
    let shown = terminal(200).show(TIME, &read(TRACE));
    assert_eq!(
        shown,
        "2016-03-09T12:00:00.123Z  ERROR     Order  Shop  failed\\nbadly\n    ! a.B: no\\u{1b}[2J order\n    \
         Caused by: java.io.IOException: x\n    … 2 more: --full"
    );
    // However narrow it is.
    for width in 0..40 {
        for line in terminal(width).show(TIME, &read(TRACE)).lines() {
            assert!(console::measure_text_width(line) <= width.max(1), "{width}: {line}");
        }
    }
}

#[test]
fn all_of_it_is_shown_line_by_line_on_request() {
    for look in [plain(), terminal(20)] {
        let shown = Look { full: true, ..look }.show(TIME, &read(TRACE));
        assert_eq!(
            shown,
            "2016-03-09T12:00:00.123Z  ERROR     Order  Shop  failed\nbadly\n    a.B: no\\u{1b}[2J order\n        \
             at a.B.c(B.java:1)\n    Caused by: java.io.IOException: x\n        at d"
                .replace("\nbadly", "\n    badly")
        );
    }
}

#[test]
fn columns_stand_below_each_other() {
    let mut look = terminal(120);
    let event = |operation: &str, source: &str| {
        read(&format!(r#"{{"operation":"{operation}","msg-text":"here","source-fqn":"APPL={source}"}}"#))
    };
    let first = look.show(TIME, &event("ProcessOrder", "Shop"));
    let second = look.show(TIME, &event("Pay", "Payment"));
    let third = look.show(TIME, &event("Pay", "S"));
    assert_eq!(second.find("Payment"), first.find("Shop"));
    assert_eq!(third.find("here"), second.find("here"));
}

#[test]
fn a_source_has_its_colour_and_grave_ones_theirs() {
    let mut look = Look { colours: true, ..plain() };
    let shown = look.show(TIME, &read(DECLINED));
    assert!(shown.contains("\x1b[31mERROR   \x1b[0m") && shown.contains("\x1b[31mdeclined\x1b[0m"), "{shown:?}");
    let colour = |shown: &str| shown.split("Payment@pay-1").next().unwrap().rsplit('\x1b').next().unwrap().to_owned();
    let other = look.show(TIME, &read(&DECLINED.replace("ERROR", "INFO").replace("Pay\"", "Other\"")));
    assert_eq!(colour(&shown), colour(&other));
    assert!(other.contains("  declined  "), "{other:?}");
}

#[test]
fn a_person_reads_the_time_of_the_zone() {
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    let mut look = Look { zone: Some(zone), ..terminal(120) };
    assert!(look.show(TIME, &read(DECLINED)).starts_with("2016-03-09 13:00:00.123+01:00  ERROR"));
    let mut look = Look { zone: Some(Zone::default()), ..terminal(120) };
    assert!(look.show(TIME, &read(DECLINED)).starts_with("2016-03-09T12:00:00.123Z  ERROR"));
}

#[test]
fn an_event_does_not_drive_the_terminal() {
    let event = read(
        r#"{"operation":"a\u001b[2J","msg-text":"b\nc\u009b31m","corrid":["\u0007"],"exception":"\u001b]0;x\rd"}"#,
    );
    for look in [plain(), terminal(300), Look { full: true, ..plain() }, Look { full: true, ..terminal(10) }] {
        let shown = { look }.show(TIME, &event);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.contains("a\\u{1b}[2J"), "{shown}");
    }
    assert!(plain().show(TIME, &event).contains("a\\u{1b}[2J  b\\nc\\u{9b}31m  [\\u{7}]"));
}
