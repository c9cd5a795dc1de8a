//! An entity as a line for a person.

use crate::out::escape;
use jkool_client::model::{Entity, Property, Severity, SourceFqn, SourceType, Timestamp};

/// The line: time, severity, operation, where, message, correlators, exception. Whatever an event holds, it is one line and
/// nothing that drives a terminal.
pub(crate) fn line(time: Timestamp, entity: &Entity, colours: bool) -> String {
    let (severity, operation, message, exception) = match entity {
        Entity::Event(event) => (event.severity, &*event.operation, event.message.to_string(), &*event.exception),
        Entity::Activity(activity) => {
            let elapsed = activity.elapsed_usec.map(|usec| format!(" in {} ms", usec / 1_000));
            let status = activity.status.map(|status| status.to_string()).unwrap_or_default();
            (activity.severity, &*activity.operation, status + &elapsed.unwrap_or_default(), &*activity.exception)
        }
        Entity::Snapshot(snapshot) => {
            let severity = snapshot.severity.unwrap_or(Severity::None);
            (severity, &*snapshot.name, values(&snapshot.properties), "")
        }
        _ => (Severity::None, "", String::new(), ""),
    };
    // To the millisecond: 2016-03-09T12:00:00.123Z.
    let time = time.to_string();
    let time = format!("{}Z", time.get(..23).unwrap_or(&time));
    let mut line = format!("{time}  {severity:<8}  {}", escape(operation));
    let mut add = |before: &str, text: &str, after: &str| {
        if !text.is_empty() {
            line.push_str(&format!("  {before}{}{after}", escape(text)));
        }
    };
    add("", &place(entity.source()), "");
    add("", &message, "");
    add("[", &entity.correlators().join(" "), "]");
    add("! ", exception, "");
    match colour(severity).filter(|_| colours) {
        Some(code) => format!("\x1b[{code}m{line}\x1b[0m"),
        None => line,
    }
}

fn colour(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::None | Severity::Trace | Severity::Debug => Some("2"),
        Severity::Info => None,
        Severity::Notice => Some("36"),
        Severity::Warning => Some("33"),
        Severity::Error | Severity::Failure => Some("31"),
        _ => Some("1;31"),
    }
}

/// The application and its server, or all of the name when it has neither.
fn place(source: Option<&SourceFqn>) -> String {
    let Some(source) = source else { return String::new() };
    match (source.get(SourceType::Appl), source.get(SourceType::Server)) {
        (Some(appl), Some(server)) => format!("{appl}@{server}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => source.to_string(),
    }
}

fn values(properties: &[Property]) -> String {
    let values: Vec<String> =
        properties.iter().map(|property| format!("{}={}", property.name, property.value)).collect();
    values.join(" ")
}

#[cfg(test)]
mod tests {
    use super::line;
    use jkool_client::model::{Entity, Timestamp};

    const TIME: Timestamp = Timestamp::from_usec(1_457_524_800_123_456);

    fn read(json: &str) -> Entity {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_says_what_matters() {
        let event = read(
            r#"{"operation":"Pay","severity":"ERROR","msg-text":"declined","time-usec":1457524800123456,
                "source-fqn":"APPL=Payment#SERVER=pay-1#DATACENTER=DC1","corrid":["A-1","b"],"exception":"no funds"}"#,
        );
        let text = "2016-03-09T12:00:00.123Z  ERROR     Pay  Payment@pay-1  declined  [A-1 b]  ! no funds";
        assert_eq!(line(TIME, &event, false), text);
        assert_eq!(line(TIME, &event, true), format!("\x1b[31m{text}\x1b[0m"));
        let snapshot = read(
            r#"{"type":"SNAPSHOT","name":"Cpu","category":"Server","time-usec":1457524800000000,
                "properties":[{"name":"load","value":1.5}]}"#,
        );
        assert_eq!(line(TIME, &snapshot, false), "2016-03-09T12:00:00.123Z  NONE      Cpu  load=1.5");
    }

    #[test]
    fn an_event_does_not_drive_the_terminal() {
        let event = read(r#"{"operation":"a\u001b[2J","msg-text":"b\nc\u009b31m","corrid":["\u0007"]}"#);
        let shown = line(TIME, &event, false);
        assert!(!shown.contains(|c: char| c.is_control()), "{shown:?}");
        assert!(shown.contains("a\\u{1b}[2J  b\\nc\\u{9b}31m  [\\u{7}]"), "{shown}");
    }
}
