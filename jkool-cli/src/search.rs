//! `jkool search`

use crate::exit::{Exit, Failure};
use crate::filter_args::FilterArgs;
use crate::item::Item;
use crate::lines::Lines;
use crate::server::{Reader, Server};
use crate::show::LookArgs;
use crate::web::{self, WebArgs};
use crate::{out, units};
use jkool_collector::Query;
use std::str::FromStr;

/// Searches the events that a collector has stored, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The query: words, pay*, '"no stock"', severity>=WARNING, -op:Login, order-amount:100..500, OR and parentheses;
    /// see docs/jkql.md
    line: Option<String>,
    /// The maximum number of events, or all
    #[arg(long, short = 'n', default_value = "100", value_name = "N|all")]
    limit: Limit,
    /// Prints JSON, one entity per line as received; `jkool send --file` can read it
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Comma-separated values, for a spreadsheet
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    web: WebArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Examples:
  jkool search 'no stock' --since 1h
  jkool search 'severity>=ERROR server:web-1 -op:Login' --limit 10
  jkool search --corrid A-100 --limit all --json > order.jsonl
  jkool search --since 7d --limit all --csv > week.csv
  jkool search 'exception:*' -n 5 --full         with full stack traces
  jkool search 'severity>=ERROR' --since 1h --web

Exit codes: 0 found, 1 found nothing, 2 wrong usage, 3 the collector can't be reached or rejected the request";

/// The maximum number of events.
#[derive(Debug, Clone, Copy)]
enum Limit {
    All,
    To(usize),
}

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            number => {
                number.parse().ok().filter(|to| *to > 0).map(Self::To).ok_or("expected a number of at least 1, or all")
            }
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let reader = args.server.reader()?;
    let mut query = args.filter.into_filter(None).to_query();
    if let Some(line) = &args.line {
        query.push("q", line);
    }
    if args.web.web {
        return web::open(&reader, &query).await;
    }
    let asked = query.clone();
    query.push("order", "youngest");
    if let Limit::To(limit) = args.limit {
        query.push("limit", limit);
    }
    let path = if args.csv { "events.csv" } else { "events.jsonl" };
    if !args.csv && !args.json {
        // An event without a time gets the time at which it was received.
        query.push("items", true);
    }
    let mut answer = reader.get(path, &query).await?;
    let terminal = out::is_terminal();
    let mut look = args.look.look();
    let mut lines = Lines::default();
    let mut found = 0;
    while let Some(piece) = answer.chunk().await.map_err(|error| reader.broken(&error))? {
        let mut text = Vec::new();
        for line in lines.push(&piece) {
            found += 1;
            if args.json || args.csv {
                text.extend_from_slice(&for_reader(line, terminal, args.json));
            } else {
                let item = Item::read(&line)?;
                text.extend_from_slice(look.show(item.time(), &item.entity()?).as_bytes());
                text.push(b'\n');
            }
        }
        out::raw(&text)?;
    }
    // The header of a spreadsheet.
    let found = found - usize::from(args.csv);
    if matches!(args.limit, Limit::To(limit) if limit == found) {
        tell_of_others(&reader, asked, found as u64).await?;
    }
    Ok(if found > 0 { Exit::Done } else { Exit::NotAll })
}

/// Reports on standard error how many events match, if not all were shown.
async fn tell_of_others(reader: &Reader, query: Query, shown: u64) -> Result<(), Failure> {
    let answer = reader.get("aggregate", &query).await?.bytes().await.map_err(|error| reader.broken(&error))?;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
    if let Some(all) = answer["rows"][0]["count"].as_u64().filter(|all| *all > shown) {
        out::note(format_args!("{} of {} shown; use --limit all for all", units::count(shown), units::count(all)));
    }
    Ok(())
}

/// A line as it is for a file; for a terminal with control characters escaped, in JSON by its own escapes.
fn for_reader(line: Vec<u8>, terminal: bool, json: bool) -> Vec<u8> {
    if !terminal {
        return line;
    }
    let text = String::from_utf8_lossy(&line);
    match json {
        true => out::json_escape(&text).into_bytes(),
        false => out::escape_but(&text, &['\n', '\r']).into_owned().into_bytes(),
    }
}
