//! Syslog, RFC 5424 and RFC 3164, with a priority or, as in files, without.

use super::{severity, time};
use jkool_client::model::{Event, Property, Severity, SourceFqn};

/// Reads a syslog message. `year` is for RFC 3164, whose times have none.
pub(super) fn parse(line: &str, year: i64) -> Option<Event> {
    let (priority, rest) = match line.strip_prefix('<') {
        Some(rest) => {
            let (number, rest) = rest.split_once('>')?;
            let number: u8 = number.parse().ok().filter(|_| number.len() <= 3)?;
            (Some(number).filter(|number| *number <= 191), rest)
        }
        None => (None, line),
    };
    if line.starts_with('<') && priority.is_none() {
        return None;
    }
    let mut event = match (priority, rest.strip_prefix("1 ")) {
        (Some(_), Some(rest)) => rfc5424(rest)?,
        _ => rfc3164(rest, year)?,
    };
    if let Some(priority) = priority {
        event.severity = severity::of_syslog(priority & 7);
        event.properties.push(Property::new("syslog.facility", i64::from(priority >> 3)));
    }
    Some(event)
}

fn rfc5424(text: &str) -> Option<Event> {
    let mut words = text.splitn(6, ' ');
    let mut word = || words.next().filter(|word| !word.is_empty());
    let (time, host, program, pid, id) = (word()?, word()?, word()?, word()?, word()?);
    let rest = words.next()?;
    let mut event = Event::default();
    event.time = match time {
        "-" => None,
        time => Some(time::leading(time).filter(|(_, rest)| rest.is_empty())?.0),
    };
    from(&mut event, said(host), said(program), said(pid));
    if let Some(id) = said(id) {
        event.properties.push(Property::new("syslog.id", id.to_owned()));
    }
    let message = structured(rest, &mut event)?;
    event.message = message.strip_prefix('\u{feff}').unwrap_or(message).to_owned().into();
    Some(event)
}

fn said(word: &str) -> Option<&str> {
    (word != "-").then_some(word)
}

/// Parses `[id name="value"]`, and returns the rest.
fn structured<'a>(text: &'a str, event: &mut Event) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let (id, mut pairs) = element.split_at(end);
        loop {
            pairs = pairs.trim_start_matches(' ');
            if let Some(after) = pairs.strip_prefix(']') {
                rest = after;
                break;
            }
            let (name, value) = pairs.split_once("=\"")?;
            let (mut text, mut escaped, mut end) = (String::new(), false, None);
            for (at, c) in value.char_indices() {
                match c {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => {
                        end = Some(at);
                        break;
                    }
                    c => {
                        if escaped && !matches!(c, '"' | '\\' | ']') {
                            text.push('\\');
                        }
                        text.push(c);
                        escaped = false;
                    }
                }
            }
            pairs = &value[end? + 1..];
            event.properties.push(Property::new(format!("{id}.{name}"), text));
        }
    }
    (rest.len() < text.len()).then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// `Dec  1 03:14:10 web-1 sshd[42]: message`; also with an ISO 8601 time, as in recent log files.
fn rfc3164(text: &str, year: i64) -> Option<Event> {
    let (time, rest) = time::leading_bsd(text, year).or_else(|| time::leading(text))?;
    let rest = rest.strip_prefix(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    let (tag, message) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.contains(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '"' | '='))
    };
    let (program, pid) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
        Some((program, pid)) => (program, Some(pid)),
        None => (tag, None),
    };
    // With a level in place of the host it is another format, which is read as text.
    if !is_name(host) || !is_name(program) || severity::of_word(host).is_some() {
        return None;
    }
    let mut event = Event::default();
    event.time = Some(time);
    event.severity = severity::in_text(message).unwrap_or(Severity::Info);
    from(&mut event, Some(host), Some(program), pid);
    event.message = message.to_owned().into();
    Some(event)
}

/// The sender.
fn from(event: &mut Event, host: Option<&str>, program: Option<&str>, pid: Option<&str>) {
    event.operation = program.unwrap_or_default().to_owned().into();
    event.pid = pid.and_then(|pid| pid.parse().ok());
    let source = SourceFqn::builder().appl(program.unwrap_or("syslog"));
    let source = match host {
        Some(host) => source.server(host),
        None => source,
    };
    // A name that is invalid in a source becomes a property.
    event.source = source.build().ok();
    if event.source.is_none() {
        event.properties.extend(host.map(|host| Property::new("syslog.host", host.to_owned())));
    }
}
