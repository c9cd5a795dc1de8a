//! `11.0.0.2 - alice [10/Oct/2000:13:55:36 -0700] "GET /orders?id=5 HTTP/1.1" 200 2326 "referrer" "agent"`

use super::time;
use jkool_client::model::{CompCode, Event, Property, Severity};

/// A line of a web server's common or combined access log.
pub(super) fn parse(line: &str) -> Option<Event> {
    let (client, rest) = line.split_once(' ')?;
    let (_identity, rest) = rest.split_once(' ')?;
    let (user, rest) = rest.split_once(" [")?;
    let (time, rest) = rest.split_once("] \"")?;
    let time = time::of_access(time)?;
    let (request, rest) = quoted(rest)?;
    let mut rest = rest.trim_start().splitn(3, ' ');
    let status: i64 = rest.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    let bytes = rest.next().and_then(|bytes| bytes.parse::<i64>().ok());
    let rest = rest.next().unwrap_or_default();

    let mut event = Event::default();
    event.message = line.to_owned().into();
    event.time = Some(time);
    event.reason_code = Some(status);
    (event.severity, event.comp_code) = match status {
        500.. => (Severity::Error, Some(CompCode::Error)),
        400..=499 => (Severity::Warning, Some(CompCode::Warning)),
        _ => (Severity::Info, Some(CompCode::Success)),
    };
    if user != "-" {
        event.user = user.to_owned().into();
    }
    let mut words = request.split(' ');
    if let (Some(method), Some(target)) = (words.next(), words.next()) {
        event.operation = method.to_owned().into();
        event.resource = target.split(['?', '#']).next().unwrap_or(target).to_owned().into();
    }
    let mut property = |property| event.properties.push(property);
    property(Property::new("http.status", status));
    property(Property::new("client.address", client.to_owned()));
    if let Some(bytes) = bytes {
        property(Property::new("http.bytes", bytes));
    }
    let mut rest = rest.trim_start();
    for name in ["http.referrer", "http.user_agent"] {
        let Some((value, after)) = rest.strip_prefix('"').and_then(quoted) else { break };
        if value != "-" && !value.is_empty() {
            property(Property::new(name, value.to_owned()));
        }
        rest = after.trim_start();
    }
    Some(event)
}

/// Splits at the closing quote. A quote in the text is escaped by a backslash.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((&text[..end], &text[end + 1..]))
}
