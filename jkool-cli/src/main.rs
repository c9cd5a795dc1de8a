//! The `jkool` command, with one file for each subcommand.

mod collect;
mod demo;
mod destination;
mod exit;
mod filter_args;
mod formats;
mod frames;
mod item;
#[cfg(feature = "kafka")]
mod kafka;
mod lines;
mod live;
mod mqtt;
mod out;
mod query;
mod relay;
mod search;
mod send;
mod server;
mod show;
mod signals;
mod stats;
mod tail;
mod units;
mod watch;
mod web;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use exit::{Exit, Failure};
use std::process::ExitCode;

/// The collector allocates on one thread what it frees on others; this allocator returns that memory sooner.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sends events to jKool, collects them on this machine, searches and follows them.
#[derive(Debug, Parser)]
#[command(name = "jkool", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Examples:
  jkool demo                                      a web shop's data
  jkool collect --db events.db                    stores in a folder
  jkool send 'Order processed' --corrid A-100     one event
  jkool send --file events.jsonl                  many, one per line
  jkool relay --from /var/spool/orders            from a folder, TCP or Kafka
  jkool tail --severity '>=WARNING'               new events
  jkool search 'no stock' --since 1h              stored events
  jkool watch 'severity>=ERROR' --more-than 5/1m  when there are too many
  jkool query 'get number of events for today'    a query in jKQL

Exit codes:
  0  done
  1  something was not delivered or was rejected, or a search found nothing
  2  wrong usage
  3  the server can't be reached or rejected the request, or a collector can't start

The token is read from JKOOL_TOKEN or from the file of --token-file. It can't be passed as an argument, because \
other users could see it.";

#[derive(Debug, Subcommand)]
enum Command {
    Send(Box<send::Args>),
    Collect(collect::Args),
    Relay(Box<relay::Args>),
    Tail(tail::Args),
    Search(search::Args),
    Query(query::Args),
    Watch(watch::Args),
    Stats(stats::Args),
    Demo(demo::Args),
    /// Prints a completion script for a shell.
    #[command(after_help = "Examples:\n  \
        jkool completions bash > ~/.local/share/bash-completion/completions/jkool\n  \
        jkool completions zsh > ~/.zfunc/_jkool\n  \
        jkool completions fish > ~/.config/fish/completions/jkool.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the manual page of jkool, or of one of its commands.
    #[command(after_help = "Examples:\n  \
        jkool man | man -l -\n  \
        jkool man tail > ~/.local/share/man/man1/jkool-tail.1")]
    Man {
        /// One of the commands.
        command: Option<String>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::code(Err(Failure::Unreachable(error.to_string()))),
    };
    let done = runtime.block_on(run(cli.command));
    // Does not wait for a thread that still reads standard input.
    runtime.shutdown_background();
    exit::code(done)
}

async fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Send(args) => send::run(*args).await,
        Command::Collect(args) => collect::run(args).await,
        Command::Relay(args) => relay::run(*args).await,
        Command::Tail(args) => tail::run(args).await,
        Command::Search(args) => search::run(args).await,
        Command::Query(args) => query::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Stats(args) => stats::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "jkool", &mut script);
            out::raw(&script)?;
            Ok(Exit::Done)
        }
        Command::Man { command } => {
            out::raw(&manual(command.as_deref())?)?;
            Ok(Exit::Done)
        }
    }
}

/// The manual page of a command, or of all.
fn manual(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut all = Cli::command();
    all.build();
    let page = match command {
        None => all,
        Some(name) => {
            let found = all.find_subcommand(name).cloned();
            found.ok_or_else(|| Failure::Usage(format!("unknown command {name}; see `jkool --help`")))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_each_other() {
        Cli::command().debug_assert();
    }
}
