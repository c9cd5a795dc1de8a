//! `jkool stats`

use crate::exit::{Exit, Failure};
use crate::server::Server;
use crate::{out, units};
use jkool_client::model::Timestamp;
use jkool_collector::Query;
use serde_json::Value;

/// Shows how much a collector has stored.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  jkool stats\n  jkool stats --json | jq .events")]
pub(crate) struct Args {
    /// Prints JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let reader = args.server.reader()?;
    let answer = reader.get("stats", &Query::default()).await?;
    let body = answer.text().await.map_err(|error| reader.broken(&error))?;
    let stats: Value = serde_json::from_str(&body)
        .map_err(|error| Failure::Unreachable(format!("the answer can't be read: {error}")))?;
    out::line(if args.json { stats.to_string() } else { table(&stats) })?;
    Ok(Exit::Done)
}

fn table(stats: &Value) -> String {
    let number = |name: &str| stats[name].as_u64().unwrap_or_default();
    let time = |name: &str| stats[name].as_i64().map_or("-".to_owned(), |usec| Timestamp::from_usec(usec).to_string());
    let mut rows = vec![
        ("events".to_owned(), units::count(number("events"))),
        ("activities".to_owned(), units::count(number("activities"))),
        ("snapshots".to_owned(), units::count(number("snapshots"))),
    ];
    for (severity, count) in stats["severities"].as_object().into_iter().flatten() {
        rows.push((format!("  {}", out::escape(severity)), units::count(count.as_u64().unwrap_or_default())));
    }
    rows.push(("sources".to_owned(), units::count(number("sources"))));
    rows.push(("operations".to_owned(), units::count(number("operations"))));
    rows.push(("oldest".to_owned(), time("oldest-usec")));
    rows.push(("newest".to_owned(), time("newest-usec")));
    rows.push(("size".to_owned(), units::bytes(number("bytes"))));
    let lines: Vec<String> = rows.into_iter().map(|(name, value)| format!("{name:<12}{value}")).collect();
    lines.join("\n")
}
