//! `jkool tail`

use crate::exit::{Exit, Failure};
use crate::filter_args::FilterArgs;
use crate::item::Item;
use crate::live::{History, Live};
use crate::server::{Reader, Server};
use crate::show::{Look, LookArgs};
use crate::web::{self, WebArgs};
use crate::{out, signals, units};
use jkool_collector::{Clock, Query};
use std::time::Duration;
use tokio::time::sleep;

/// Shows new events as a collector receives them, optionally after stored ones.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The query, as for `jkool search`: severity>=WARNING -op:Login '"no stock"'
    line: Option<String>,
    /// Words that the message, exception or operation must contain
    #[arg(long)]
    text: Option<String>,
    /// Shows this many of the newest stored events first [default: all from --since, if given]
    #[arg(long, short = 'n', value_name = "N")]
    last: Option<usize>,
    /// Exits after this number of events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Exits after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    time: Option<Duration>,
    /// Prints JSON, one entity per line as received
    #[arg(long)]
    json: bool,
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
  jkool tail
  jkool tail 'severity>=WARNING app:Payment -op:Login'
  jkool tail --since 5m      events of the last 5 minutes, then new ones
  jkool tail -n 20 --full    the last 20 events, with full stack traces
  jkool tail --json | jq -r '.\"msg-text\"'
  jkool tail --operation Deployed --limit 1 && echo done

If the connection is lost, jkool reports it on standard error and reconnects every second. It then shows the events \
that were received in the meantime, except those with a time more than ten minutes before the connection was lost.";

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let reader = args.server.reader()?;
    let history = match args.last {
        Some(0) => History::None,
        Some(count) => History::Last(count),
        None if args.filter.has_since() => History::All,
        None => History::None,
    };
    let mut query = args.filter.into_filter(args.text).to_query();
    if let Some(line) = &args.line {
        query.push("q", line);
    }
    if args.web.web {
        return web::open(&reader, &query).await;
    }
    let time = async {
        match args.time {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let shown = Shown { look: (!args.json).then(|| args.look.look()), left: args.limit };
    tokio::select! {
        followed = follow(&reader, query, history, shown) => followed?,
        () = time => {}
        () = signals::stop() => {}
        () = out::unread() => {}
    }
    Ok(Exit::Done)
}

async fn follow(reader: &Reader, query: Query, history: History, mut shown: Shown) -> Result<(), Failure> {
    let clock = Clock::default();
    let mut live = Live::begin(reader, query.clone(), history, clock.now()).await?;
    let mut is_told = false;
    loop {
        if !is_told && live.is_caught_up() {
            is_told = true;
            out::note(following(reader, query.clone(), clock.now().as_usec()).await?);
        }
        if let Some(item) = live.next().await?
            && shown.show(&item)?
        {
            return Ok(());
        }
    }
}

/// Prints where events are followed, and how old the newest stored event is.
async fn following(reader: &Reader, mut query: Query, now: i64) -> Result<String, Failure> {
    query.push("limit", 1);
    let answer = reader.get("events", &query).await?.bytes().await.map_err(|error| reader.broken(&error))?;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
    let newest = match answer["events"][0]["received-usec"].as_i64() {
        Some(received) => format!("the newest was received {} ago", units::age(now.saturating_sub(received))),
        None => "there is none yet".to_owned(),
    };
    Ok(format!("Following {}, {newest}; Ctrl-C ends", reader.url()))
}

/// The options of the output.
struct Shown {
    /// `None` for JSON.
    look: Option<Look>,
    left: Option<u64>,
}

impl Shown {
    /// Prints an entity; returns whether it was the last.
    fn show(&mut self, item: &Item) -> Result<bool, Failure> {
        match &mut self.look {
            // The JSON is printed as received.
            None if out::is_terminal() => out::line(out::json_escape(item.entity.get()))?,
            None => out::line(&item.entity)?,
            Some(look) => out::line(look.show(item.time(), &item.entity()?))?,
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        Ok(self.left == Some(0))
    }
}
