//! The `jkool` command: one file for each of what it can do.

mod collect;
mod demo;
mod destination;
mod exit;
mod filter_args;
mod formats;
mod item;
#[cfg(feature = "kafka")]
mod kafka;
mod lines;
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

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use exit::{Exit, Failure};
use std::process::ExitCode;

/// A collector allocates on one thread what it frees on others, and gives memory back sooner with this allocator.
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
  jkool demo                                     a collector, and an order process that streams to it
  jkool collect --db events.db                   a collector that keeps what it is sent
  jkool send \"Order processed\" --corrid A-100    one event
  jkool send --file events.jsonl                 many, one a line
  jkool relay --from /var/spool/orders           from a folder, TCP or Kafka to a server
  jkool tail --severity '>=WARNING'              what comes in from now on
  jkool search 'no stock' --since 1h             what came in
  jkool query 'get number of events for today'   figures of it, in jKQL

Exit codes:
  0  done
  1  not all of it: something was not delivered or refused, or a search found nothing
  2  wrong usage
  3  the server can't be reached or refuses us, or a collector can't start

The token is that of JKOOL_TOKEN or of the file that --token-file names; it is never an argument, for others can see those.";

#[derive(Debug, Subcommand)]
enum Command {
    Send(Box<send::Args>),
    Collect(collect::Args),
    Relay(Box<relay::Args>),
    Tail(tail::Args),
    Search(search::Args),
    Query(query::Args),
    Stats(stats::Args),
    Demo(demo::Args),
    /// Prints a script that completes this command's words in a shell.
    #[command(after_help = "Examples:\n  \
        jkool completions bash > ~/.local/share/bash-completion/completions/jkool\n  \
        jkool completions zsh > ~/.zfunc/_jkool\n  \
        jkool completions fish > ~/.config/fish/completions/jkool.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::code(Err(Failure::Unreachable(error.to_string()))),
    };
    let done = runtime.block_on(run(cli.command));
    // A thread that still waits for standard input is not waited for.
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
        Command::Stats(args) => stats::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "jkool", &mut script);
            out::raw(&script)?;
            Ok(Exit::Done)
        }
    }
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
