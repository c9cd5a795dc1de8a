//! `jkool collect`

use crate::exit::{Exit, Failure};
use crate::{out, signals, units};
use jkool_collector::{Collector, Durability, Retention, Store};
use std::path::PathBuf;
use std::time::Duration;

/// Starts a collector: it takes what any jKool client sends, keeps it, and shows it on a page.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:6580")]
    listen: String,
    /// The file to keep everything in; without it, it is in memory and gone at the end
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// When an event counts as stored: when it is on the disk, or when the operating system has it, which is faster and
    /// survives the end of the process but no power failure
    #[arg(long, default_value = "disk", requires = "db")]
    sync: Sync,
    /// Events are kept no longer than this
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    max_age: Option<Duration>,
    /// The database is no larger than this; the oldest events go first [default in memory: 512MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    max_size: Option<u64>,
}

const HELP: &str = "\
Examples:
  jkool collect                                     in memory, at http://127.0.0.1:6580
  jkool collect --db events.db --max-age 7d --max-size 2GB
  jkool collect --listen 127.0.0.1:0                at a free port, which it prints

It runs until it is asked to stop, by Ctrl-C or SIGTERM. Exit codes: 0 stopped as asked, 2 wrong usage, 3 it can't start";

/// When an event counts as stored.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sync {
    Disk,
    System,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let in_memory = args.db.is_none();
    let mut store = Store::builder().durability(match args.sync {
        Sync::Disk => Durability::Disk,
        Sync::System => Durability::System,
    });
    if let Some(path) = &args.db {
        store = store.file(path);
    }
    if args.max_age.is_some() || args.max_size.is_some() {
        let mut retention = Retention::ALL;
        retention.age = args.max_age;
        retention.bytes = args.max_size.or(in_memory.then_some(512 << 20));
        store = store.retention(retention);
    }
    let builder = Collector::builder().listen(&args.listen).store(store);
    let started = tokio::task::spawn_blocking(|| builder.start()).await;
    let collector = match started {
        Ok(Ok(collector)) => collector,
        Ok(Err(error)) => return Err(Failure::Unreachable(format!("{}: {error}", args.listen))),
        Err(error) => return Err(Failure::Unreachable(error.to_string())),
    };
    for notice in collector.store().notices() {
        out::note(format_args!("jkool: {notice}"));
    }
    out::line(format_args!("Collecting at {}", collector.url()))?;
    out::line(match &args.db {
        Some(path) => format!("Keeps everything in {}", path.display()),
        None => "Keeps everything in memory, until it ends".to_owned(),
    })?;
    signals::stop().await;
    // It has a runtime of its own, which can't end inside of ours.
    drop(tokio::task::spawn_blocking(move || drop(collector)).await);
    out::line("Stopped")?;
    Ok(Exit::Done)
}
