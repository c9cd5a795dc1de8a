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

/// Tells when more than so many events come in within so long, and runs a program then.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// What to count: severity>=ERROR -op:Login '"no stock"'; as `jkool search` has it
    line: Option<String>,
    /// How many within how long are allowed, by when the collector received them
    #[arg(long, value_name = "N/DURATION")]
    more_than: Rate,
    /// What to run then: a program, without arguments. It gets JSON on its standard input, and variables
    #[arg(long, value_name = "PROGRAM")]
    exec: Option<PathBuf>,
    /// How long the program may run; then it is killed
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = units::duration)]
    exec_timeout: Duration,
    /// Ends when it has told once
    #[arg(long)]
    once: bool,
    /// Ends after so long
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    time: Option<Duration>,
    /// Tells as JSON, as the program gets it
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

It tells once when there are too many, and again only when there were no longer too many in between, and no sooner than the
given time later. The program is run in the background, four times at once at most. What goes wrong with it is told on
standard error, and watching goes on.

Its input: {\"query\", \"more-than\", \"within-usec\", \"received-usec\", \"url\", \"events\"}, where url is the page that shows them
and events are the last 10 at most, as they were received. Its variables: JKOOL_WATCH_QUERY, JKOOL_WATCH_MORE_THAN,
JKOOL_WATCH_WITHIN_USEC, JKOOL_WATCH_RECEIVED_USEC and JKOOL_WATCH_URL.

Exit codes: 0 ended by Ctrl-C, by --for, or by --once when it has told; 1 the program was not run or has failed, or --once and --for
and it has not told; 2 wrong usage; 3 the collector can't be reached at first or refuses us";

/// So many events are told.
const TOLD: usize = 10;

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    // A program that is not there would be found out in the night. A name alone may be anywhere in PATH.
    if let Some(path) = args.exec.as_ref().filter(|path| path.components().count() > 1 && !path.exists()) {
        return Err(Failure::Usage(format!("--exec: there is no {}", path.display())));
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
    /// Where a person sees it.
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

    /// Counts one; says whether there are too many now.
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
