//! `jkool query`

mod chart;
mod csv;
mod table;
mod watch;

use crate::exit::{Exit, Failure};
use crate::out;
use crate::server::{HINT, Server};
use clap::ValueEnum;
use jkool_client::{Query, QueryAnswer, QueryError, QueryErrorKind};
use jkool_collector::Zone;

/// Runs a jKQL query against a collector or the service.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The jKQL statement
    statement: String,
    /// The output format
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// The time range if the statement has none: today, 'latest hour', all
    #[arg(long, value_name = "PERIOD")]
    date: Option<String>,
    /// The time zone of dates, such as Europe/Berlin [default: the time zone of this machine]
    #[arg(long, value_name = "ZONE")]
    tz: Option<Zone>,
    /// The maximum number of rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_rows: Option<u32>,
    /// Runs a subscription: prints a line for each new event, until Ctrl-C
    #[arg(long, conflicts_with_all = ["explain", "date", "max_rows"])]
    watch: bool,
    /// Prints how the store runs the query
    #[arg(long)]
    explain: bool,
    /// The repository, if the token gives access to several
    #[arg(long, value_name = "NAME")]
    repo: Option<String>,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Examples:
  jkool query 'get number of events group by severity show as piechart'
  jkool query \"get events where severity >= 'ERROR' for latest hour limit 20\"
  jkool query 'get p95(elapsedtime) group by operation' -o csv > slow.csv
  jkool query --watch \"subscribe to events where severity > 'INFO'\"
  jkool query 'get number of events' --url https://xray.meshiq.com

docs/jkql.md describes the language. Exit codes: 0 answered, 1 no rows, 2 wrong usage or statement, 3 the server \
can't be reached or rejected the request";

/// The format of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A table that fits the terminal, or the chart that the statement names
    Table,
    /// The JSON of the answer
    Json,
    /// Comma-separated values, for a spreadsheet
    Csv,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let zone = args.tz.clone().unwrap_or_else(Zone::local);
    if args.watch {
        return watch::run(&args, &zone).await;
    }
    let query = query(&args, &zone)?;
    let answer = query.ask_async(&args.statement).await.map_err(|error| failure(&args, error))?;
    match args.output {
        Output::Json => {
            let json = answer.json().trim_end();
            out::line(if out::is_terminal() { out::json_escape(json) } else { json.to_owned() })?;
        }
        Output::Csv => out::raw(csv::write(&answer).as_bytes())?,
        Output::Table => people(&answer, &zone)?,
    }
    for line in answer.trace.iter().filter(|_| args.output != Output::Json) {
        out::note(line);
    }
    Ok(if answer.rows.is_empty() { Exit::NotAll } else { Exit::Done })
}

fn query(args: &Args, zone: &Zone) -> Result<Query, Failure> {
    let mut query = Query::builder().url(args.server.url_text()).time_zone(zone.to_string()).trace(args.explain);
    if let Some(token) = args.server.token_text()? {
        query = query.token(token);
    }
    if let Some(pem) = args.server.authorities()? {
        query = query.http(|http| http.ca_certificate_pem(pem));
    }
    if let Some(date) = &args.date {
        query = query.date(date);
    }
    if let Some(rows) = args.max_rows {
        query = query.max_rows(rows);
    }
    if let Some(repository) = &args.repo {
        query = query.repository(repository);
    }
    query.build().map_err(|error| Failure::Usage(error.to_string()))
}

/// Converts an error of a query. A wrong statement is shown with a mark at the position.
fn failure(args: &Args, error: QueryError) -> Failure {
    let url = args.server.url_text();
    match error.kind() {
        QueryErrorKind::Refused => {
            let message = error.to_string();
            let column = message.strip_prefix("column ").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            // A mark only works below a single line.
            match column.filter(|_| !args.statement.contains(|c: char| c.is_control())) {
                Some(column) => {
                    let before: String = args.statement.chars().take(column.saturating_sub(1)).collect();
                    let indent = console::measure_text_width(&before) + 2;
                    Failure::Usage(format!("{message}\n  {}\n{:indent$}^", args.statement, ""))
                }
                None => Failure::Usage(message),
            }
        }
        QueryErrorKind::Unauthorized => Failure::Unreachable(format!(
            "{url}: {error}; set a token with the right to query by JKOOL_TOKEN or --token-file"
        )),
        QueryErrorKind::Unreachable => Failure::Unreachable(format!("{url}: {error}{}\n{HINT}", cause(&error))),
        _ => Failure::Unreachable(format!("{url}: {error}")),
    }
}

/// The root cause of an error, such as: connection refused.
fn cause(error: &QueryError) -> String {
    let mut bottom: &dyn std::error::Error = error;
    while let Some(cause) = bottom.source() {
        bottom = cause;
    }
    format!(": {bottom}")
}

/// Prints a chart or a table, and the number of rows that are left out.
fn people(answer: &QueryAnswer, zone: &Zone) -> Result<(), Failure> {
    let width = out::width();
    let drawn = answer.show.as_deref().and_then(|show| chart::draw(show, answer, zone, width.unwrap_or(80)));
    out::raw(drawn.unwrap_or_else(|| table::write(answer, zone, width)).as_bytes())?;
    if answer.found > answer.rows.len() as u64 {
        out::note(format_args!(
            "jkool: {} of {} rows; --max-rows, or limit in the statement",
            answer.rows.len(),
            answer.found
        ));
    }
    Ok(())
}
