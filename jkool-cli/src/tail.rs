//! `jkool tail`

use crate::exit::{Exit, Failure};
use crate::filter_args::FilterArgs;
use crate::item::{self, Item};
use crate::lines::Lines;
use crate::server::{Reader, Server};
use crate::{out, signals, units};
use jkool_collector::Query;
use std::time::Duration;
use tokio::time::sleep;

/// Shows what comes in from now on.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// What to show: severity>=WARNING -op:Login '"no stock"'; as `jkool search` has it
    line: Option<String>,
    /// Words that the message, the exception or the operation must hold
    #[arg(long)]
    text: Option<String>,
    /// Ends after so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Ends after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    time: Option<Duration>,
    /// One entity a line, as it was received
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Examples:
  jkool tail
  jkool tail 'severity>=WARNING app:Payment -op:Login'
  jkool tail --json | jq -r '.\"msg-text\"'
  jkool tail --operation Deployed --limit 1 && echo done

When the connection is lost, that is told on standard error, and it is tried again every second.";

/// How long until the next try.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let reader = args.server.reader()?;
    let mut query = args.filter.into_filter(args.text).to_query();
    if let Some(line) = &args.line {
        query.push("q", line);
    }
    let time = async {
        match args.time {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let shown = Shown { json: args.json, colours: out::is_colourful(), terminal: out::is_terminal(), left: args.limit };
    tokio::select! {
        followed = follow(&reader, &query, shown) => followed?,
        () = time => {}
        () = signals::stop() => {}
        () = out::unread() => {}
    }
    Ok(Exit::Done)
}

async fn follow(reader: &Reader, query: &Query, mut shown: Shown) -> Result<(), Failure> {
    // What is wrong at first is told; what breaks later may come back.
    let mut answer = reader.get("tail", query).await?;
    loop {
        let mut frames = Frames::default();
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    for frame in frames.push(&piece) {
                        if shown.show(&frame)? {
                            return Ok(());
                        }
                    }
                }
                Ok(None) => break out::note("jkool: the collector has ended the connection; trying again"),
                Err(_) => break out::note("jkool: the connection is lost; trying again"),
            }
        }
        answer = loop {
            sleep(AGAIN).await;
            match reader.get("tail", query).await {
                Ok(answer) => break answer,
                Err(Failure::Unreachable(_)) => {}
                Err(other) => return Err(other),
            }
        };
        out::note("jkool: connected again; what came in between is found by `jkool search`");
    }
}

/// What is shown, and how.
struct Shown {
    json: bool,
    colours: bool,
    terminal: bool,
    left: Option<u64>,
}

impl Shown {
    /// Shows one; tells whether it was the last.
    fn show(&mut self, frame: &Frame) -> Result<bool, Failure> {
        if frame.event == "missed" {
            out::note(format_args!("jkool: {} events came too fast to be shown", frame.data));
            return Ok(false);
        }
        // The entity is shown as it was received, and not as we understand it.
        let item: Item<'_> = serde_json::from_str(&frame.data).map_err(item::unreadable)?;
        match self.json {
            true if self.terminal => out::line(out::json_escape(item.entity.get()))?,
            true => out::line(item.entity)?,
            false => out::line(item.line(self.colours)?)?,
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        Ok(self.left == Some(0))
    }
}

/// One server-sent event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Frame {
    event: String,
    data: String,
}

/// Server-sent events out of a body that comes in pieces.
#[derive(Debug, Default)]
struct Frames {
    lines: Lines,
    next: Frame,
}

impl Frames {
    fn push(&mut self, piece: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for line in self.lines.push(piece) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            match line.split_once(':') {
                _ if line.is_empty() => {
                    let frame = std::mem::take(&mut self.next);
                    frames.extend(Some(frame).filter(|frame| !frame.data.is_empty()));
                }
                Some(("data", data)) => self.next.data.push_str(data.strip_prefix(' ').unwrap_or(data)),
                Some(("event", event)) => self.next.event = event.trim().to_owned(),
                // A comment keeps the connection alive.
                _ => {}
            }
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Frames};

    #[test]
    fn frames_come_out_whole() {
        let text = b":\n\ndata: {\"a\":1}\n\nevent: missed\ndata: 7\n\ndata: half";
        for size in [1, 3, 100] {
            let mut frames = Frames::default();
            let found: Vec<Frame> = text.chunks(size).flat_map(|piece| frames.push(piece)).collect();
            let frame = |event: &str, data: &str| Frame { event: event.into(), data: data.into() };
            assert_eq!(found, [frame("", "{\"a\":1}"), frame("missed", "7")]);
        }
    }
}
