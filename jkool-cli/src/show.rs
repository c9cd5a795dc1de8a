//! Formats an entity as lines for people.

mod colour;
mod exception;

use crate::out::{self, Colour, escape};
use crate::units;
use colour::{FAINT, paint};
use console::{Alignment, measure_text_width, pad_str, truncate_str};
use exception::brief;
use jkool_client::model::{Entity, Property, Severity, SourceFqn, SourceType, Timestamp};
use jkool_collector::Zone;

/// The options for output for people.
#[derive(Debug, clap::Args)]
pub(crate) struct LookArgs {
    /// When to use colours
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Colour,
    /// Shows messages and exceptions in full, with their line breaks
    #[arg(long)]
    full: bool,
    /// Shows times in UTC on a terminal too [default: the time zone of this machine on a terminal, else UTC]
    #[arg(long)]
    utc: bool,
}

impl LookArgs {
    /// The layout for the current standard output.
    pub(crate) fn look(&self) -> Look {
        let zone = (out::is_terminal() && !self.utc).then(Zone::local);
        Look { colours: self.color.is_wanted(), width: out::width(), zone, full: self.full, widest: [0; 2] }
    }
}

/// The layout of entities.
#[derive(Debug)]
pub(crate) struct Look {
    colours: bool,
    /// The width, to which lines are cut and columns aligned. `None` if the output is read by a program.
    width: Option<usize>,
    /// `None` for UTC, for programs.
    zone: Option<Zone>,
    full: bool,
    /// The widest operation and place so far.
    widest: [usize; 2],
}

/// The maximum width of an aligned column; longer texts are cut.
const WIDEST: usize = 24;
/// The minimum width of a message, as long as another column can be cut.
const MESSAGE: usize = 20;
/// The indentation of lines below an entity.
const INDENT: &str = "    ";

/// The parts of an entity that are shown.
struct Parts<'a> {
    severity: Severity,
    operation: &'a str,
    message: String,
    exception: &'a str,
    elapsed: Option<i64>,
}

impl Look {
    /// Formats time, severity, operation, place, message, elapsed time, correlators and exception as one line, except
    /// exceptions on a terminal and with `--full`. Control characters are escaped.
    pub(crate) fn show(&mut self, time: Timestamp, entity: &Entity) -> String {
        let Parts { severity, operation, message, exception, elapsed } = parts(entity);
        let place = place(entity.source());
        let [operation, place] = self.columns([escape(operation).into(), escape(&place).into()]);
        let below = self.below(&message, exception);
        let message = match self.full {
            true => escape(message.lines().next().unwrap_or_default()).into_owned(),
            false => escape(&message).into_owned(),
        };
        let mut behind = Vec::new();
        behind.extend(elapsed.map(|usec| format!("in {}", units::elapsed(usec))));
        let correlators = entity.correlators().join(" ");
        behind.extend((!correlators.is_empty()).then(|| format!("[{}]", self.cut(&escape(&correlators), WIDEST))));
        behind.extend((below.is_empty() && !exception.is_empty()).then(|| format!("! {}", escape(exception))));
        let of_severity = colour::of_severity(severity);
        let of_source = colour::of_source(place.trim());
        let parts = [
            (self.time(time), Some(FAINT)),
            (format!("{severity:<8}"), of_severity),
            (operation, None),
            (place, Some(of_source)),
        ];
        let before: Vec<_> = parts.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        let taken =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| measure_text_width(text) + 2).sum::<usize>();
        let message = match self.width {
            Some(width) if !self.full => {
                let head = taken(&mut before.iter().map(|(text, _)| text));
                let room = width.saturating_sub(head + taken(&mut behind.iter())).max(MESSAGE);
                truncate_str(&message, room, "…").into_owned()
            }
            _ => message,
        };
        let of_message = of_severity.filter(|_| severity >= Severity::Warning);
        let all = before
            .into_iter()
            .chain([(message, of_message)])
            .chain(behind.into_iter().map(|text| (text, Some(FAINT))))
            .filter(|(text, _)| !text.is_empty());
        let line: Vec<String> = all.map(|(text, code)| paint(&text, code.filter(|_| self.colours))).collect();
        let line = self.cut(line.join("  ").trim_end(), self.width.unwrap_or(usize::MAX));
        let below = below.into_iter().map(|line| {
            let line = self.cut(&format!("{INDENT}{line}"), self.width.unwrap_or(usize::MAX));
            format!("\n{}", paint(&line, of_severity.filter(|_| self.colours)))
        });
        std::iter::once(line).chain(below).collect()
    }

    /// The lines below the first.
    fn below(&self, message: &str, exception: &str) -> Vec<String> {
        let all = |text: &str| text.lines().map(|line| escape(&line.replace('\t', INDENT)).into_owned()).collect();
        if self.full {
            let message: Vec<String> = all(message);
            let exception: Vec<String> = all(exception);
            return message.into_iter().skip(1).chain(exception).collect();
        }
        if self.width.is_none() || exception.is_empty() {
            return Vec::new();
        }
        let brief = brief(exception);
        let more = (brief.left_out > 0).then(|| format!("… {} more: --full", brief.left_out));
        let lines = [Some(format!("! {}", escape(brief.first))), brief.cause.map(|line| escape(line).into()), more];
        lines.into_iter().flatten().collect()
    }

    /// The time in milliseconds: `2016-03-09T12:00:00.123Z`, or `2016-03-09 13:00:00.123+01:00`.
    fn time(&self, time: Timestamp) -> String {
        let local = self.zone.as_ref().map(|zone| zone.show(time.as_usec()));
        match local.as_deref().map(|local| (local.get(..23), local.get(26..))) {
            Some((Some(time), Some(offset))) if offset != "+00:00" => format!("{time}{offset}"),
            _ => {
                let time = time.to_string();
                format!("{}Z", time.get(..23).unwrap_or(&time))
            }
        }
    }

    /// Pads a column to the widest text so far, on a terminal.
    fn columns(&mut self, texts: [String; 2]) -> [String; 2] {
        if self.width.is_none() {
            return texts;
        }
        for (widest, text) in self.widest.iter_mut().zip(&texts) {
            *widest = measure_text_width(text).clamp(*widest, WIDEST);
        }
        let mut widths = self.widest.iter();
        texts.map(|text| {
            let width = widths.next().copied().unwrap_or_default();
            pad_str(&text, width, Alignment::Left, Some("…")).into_owned()
        })
    }

    fn cut(&self, text: &str, to: usize) -> String {
        match self.width.filter(|_| !self.full) {
            Some(_) => truncate_str(text, to, "…").into_owned(),
            None => text.to_owned(),
        }
    }
}

fn parts(entity: &Entity) -> Parts<'_> {
    let (severity, operation, message, exception, elapsed) = match entity {
        Entity::Event(event) => {
            (event.severity, &*event.operation, event.message.to_string(), &*event.exception, event.elapsed_usec)
        }
        Entity::Activity(activity) => {
            let status = activity.status.map(|status| status.to_string()).unwrap_or_default();
            (activity.severity, &*activity.operation, status, &*activity.exception, activity.elapsed_usec)
        }
        Entity::Snapshot(snapshot) => {
            let severity = snapshot.severity.unwrap_or(Severity::None);
            (severity, &*snapshot.name, values(&snapshot.properties), "", None)
        }
        _ => (Severity::None, "", String::new(), "", None),
    };
    // Some clients send 0 for an unknown time.
    Parts { severity, operation, message, exception, elapsed: elapsed.filter(|usec| *usec > 0) }
}

/// The application and its server, or the whole name if it has neither.
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
mod tests;
