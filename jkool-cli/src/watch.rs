//! `jkool watch`

mod program;
mod rule;

use crate::exit::{Exit, Failure};
use crate::filter_args::FilterArgs;
use crate::item::Item;
use crate::live::{History, Live};
use crate::server::{Reader, Server};
use crate::{out, signals, units, web};
use jkool_client::model::Timestamp;
use jkool_collector::{Clock, Query, Rate};
use program::Program;
use rule::Rule;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;

/// Reports when too many events arrive within a time, and can run a program.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The query for the events to count, as for `jkool search`: severity>=ERROR -op:Login '"no stock"'
    line: Option<String>,
    /// The allowed number of events within a time, by the time the collector received them
    #[arg(long, value_name = "N/DURATION")]
    more_than: Rate,
    /// The program to run, without arguments. It gets JSON on standard input, and environment variables
    #[arg(long, value_name = "PROGRAM")]
    exec: Option<PathBuf>,
    /// The time after which the program is killed
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = units::duration)]
    exec_timeout: Duration,
    /// Exits after the first report
    #[arg(long)]
    once: bool,
    /// Exits after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    time: Option<Duration>,
    /// Prints the JSON that the program gets
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Examples:
  jkool watch 'severity>=ERROR' --more-than 5/1m --exec ./notify.sh
  jkool watch 'op:Deployed' --more-than 0/1s --once && echo deployed
  jkool watch 'elapsed>2s app:Payment' --more-than 20/10m --json >> slow.jsonl

It reports once when there are too many events. It reports again only after the number was within the limit in \
between, and not before the given time has passed. The program runs in the background, at most four times at once. \
If it fails, that is reported on standard error, and watching continues.

Its input: {\"query\", \"more-than\", \"within-usec\", \"received-usec\", \"url\", \"events\"}, where url is the \
page that shows them and events are the last 10, as received. Its variables: JKOOL_WATCH_QUERY, \
JKOOL_WATCH_MORE_THAN, JKOOL_WATCH_WITHIN_USEC, JKOOL_WATCH_RECEIVED_USEC and JKOOL_WATCH_URL.

Exit codes: 0 stopped by Ctrl-C, by --for, or after the report with --once; 1 the program was not run or has failed, \
or --for ended before the report with --once; 2 wrong usage; 3 the collector can't be reached at the start, or \
rejected the request";

/// The number of events in a report.
const TOLD: usize = 10;

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    // Otherwise a missing program would only be noticed at the first report. A bare name may be anywhere in PATH.
    if let Some(path) = args.exec.as_ref().filter(|path| path.components().count() > 1 && !path.exists()) {
        return Err(Failure::Usage(format!("--exec: {} does not exist", path.display())));
    }
    let reader = args.server.reader()?;
    let mut query = args.filter.into_filter(None).to_query();
    if let Some(line) = &args.line {
        query.push("q", line);
    }
    let mut watch = Watch {
        url: web::page(&reader, &query).to_string(),
        query,
        rate: args.more_than,
        rule: Rule::new(args.more_than),
        last: VecDeque::new(),
        program: args.exec.map(|path| Program::new(path, args.exec_timeout)),
        json: args.json,
        once: args.once,
    };
    let time = async {
        match args.time {
            Some(time) => sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let has_ended = tokio::select! {
        followed = watch.follow(&reader) => { followed?; true }
        () = time => false,
        () = signals::stop() => return Ok(Exit::Done),
    };
    let failed = match watch.program {
        Some(program) => program.finish().await,
        None => 0,
    };
    Ok(if failed > 0 || (args.once && !has_ended) { Exit::NotAll } else { Exit::Done })
}

/// What is watched.
struct Watch {
    query: Query,
    /// The url of the page that shows the events.
    url: String,
    rate: Rate,
    rule: Rule,
    last: VecDeque<Box<RawValue>>,
    program: Option<Program>,
    json: bool,
    once: bool,
}

impl Watch {
    async fn follow(&mut self, reader: &Reader) -> Result<(), Failure> {
        let mut live = Live::begin(reader, self.query.clone(), History::None, Clock::default().now()).await?;
        out::note(format_args!("Watching {}; Ctrl-C ends", reader.url()));
        loop {
            if let Some(item) = live.next().await?
                && self.take(item)?
                && self.once
            {
                return Ok(());
            }
        }
    }

    /// Counts an event; returns whether there are too many now.
    fn take(&mut self, item: Item) -> Result<bool, Failure> {
        let received = item.received();
        self.last.push_back(item.entity);
        if self.last.len() > TOLD {
            self.last.pop_front();
        }
        let tells = self.rule.take(received.as_usec());
        if tells {
            self.tell(received)?;
        }
        Ok(tells)
    }

    fn tell(&mut self, received: Timestamp) -> Result<(), Failure> {
        let within = u64::try_from(self.rate.within.as_micros()).unwrap_or(u64::MAX);
        let query = self.query.to_string();
        let told = json!({
            "query": query,
            "more-than": self.rate.more_than,
            "within-usec": within,
            "received-usec": received.as_usec(),
            "url": self.url,
            "events": self.last,
        });
        let told = told.to_string();
        match self.json {
            true if out::is_terminal() => out::line(out::json_escape(&told))?,
            true => out::line(&told)?,
            false => {
                let Rate { more_than, within } = self.rate;
                out::line(format_args!("{received}  more than {more_than} in {within:?}: {}", self.url))?;
            }
        }
        if let Some(program) = &mut self.program {
            let variables = vec![
                ("JKOOL_WATCH_QUERY", query),
                ("JKOOL_WATCH_MORE_THAN", self.rate.more_than.to_string()),
                ("JKOOL_WATCH_WITHIN_USEC", within.to_string()),
                ("JKOOL_WATCH_RECEIVED_USEC", received.as_usec().to_string()),
                ("JKOOL_WATCH_URL", self.url.clone()),
            ];
            program.start(variables, told);
        }
        Ok(())
    }
}
