//! `jkool collect`

use crate::exit::{Exit, Failure};
use crate::{out, server, signals, units};
use indicatif::{ProgressBar, ProgressStyle};
use jkool_collector::{Collector, CollectorBuilder, Durability, Moment, Progress, Retention, StartError, Store};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Starts a collector: a local server that stores events and shows them on a web page.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:6580")]
    listen: String,
    /// A second address for OTLP, such as 127.0.0.1:4318, the default of OpenTelemetry's SDKs. The main address
    /// always accepts OTLP
    #[arg(long, value_name = "ADDRESS:PORT")]
    otlp: Option<String>,
    /// An address for entities over plain TCP, one per line; a loopback address only
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_tcp: Option<String>,
    /// The folder to store everything in [default: in memory, lost at exit]. A file of version 0.1 is imported
    #[arg(long, value_name = "FOLDER")]
    db: Option<PathBuf>,
    /// Stores everything in VictoriaLogs, a single server or a cluster: victorialogs=http://HOST:PORT. --db is then
    /// the folder of the journal
    #[arg(long, value_name = "STORE", requires = "db", value_parser = victoria_logs, conflicts_with_all = ["max_age", "max_size"])]
    store: Option<String>,
    /// When an event counts as stored: when it is on disk, or when it was passed to the operating system, which is
    /// faster, but loses events in a power failure
    #[arg(long, default_value = "disk", requires = "db")]
    sync: Sync,
    /// Deletes events older than this, by the time in the event
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    max_age: Option<Duration>,
    /// The maximum size of the store; the oldest events are deleted first [default in memory: 512MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    max_size: Option<u64>,
    /// A file of tokens, one per line. With it, or with the variable JKOOL_TOKEN, a token is required to send and to
    /// read. Without either, any token is accepted, and --listen must be a loopback address
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Another host name to accept in requests, such as collector.test; can be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// The certificate chain for TLS (PEM), the server's certificate first
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The maximum size of a request body
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = units::size)]
    max_body: u64,
    /// The maximum number of open connections
    #[arg(long, value_name = "N", default_value = "1024", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,
}

const HELP: &str = "\
Examples:
  jkool collect                        in memory, at http://127.0.0.1:6580
  jkool collect --otlp 127.0.0.1:4318  accepts OpenTelemetry's SDKs too
  jkool collect --listen 127.0.0.1:0   on a free port, which it prints
  jkool collect --db events.db --max-age 7d --max-size 2GB
  jkool collect --db journal --store victorialogs=http://127.0.0.1:9428
  jkool collect --listen 0.0.0.0:6580 --token-file tokens \\
      --tls-cert cert.pem --tls-key key.pem

It runs until Ctrl-C or SIGTERM. Exit codes: 0 stopped, 2 wrong usage, 3 it can't start";

/// The url of VictoriaLogs.
fn victoria_logs(text: &str) -> Result<String, &'static str> {
    let url = text.strip_prefix("victorialogs=").filter(|url| url.starts_with("http://"));
    url.map(str::to_owned).ok_or("expected victorialogs=http://HOST:PORT")
}

/// When an event counts as stored.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sync {
    Disk,
    System,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let keeps = keeps(args.db.as_deref(), args.store.is_some(), retention(&args));
    let tls = args.tls_cert.is_some();
    let builder = builder(args)?;
    let started = tokio::task::spawn_blocking(|| builder.start()).await;
    let collector = started
        .map_err(|error| Failure::Unreachable(error.to_string()))?
        .map_err(|error| Failure::Unreachable(format!("{error}{}", hint(&error))))?;
    for notice in collector.store().notices() {
        out::note(format_args!("jkool: {notice}"));
    }
    out::line(format_args!("Collecting at {}", collector.url()))?;
    if let Some(address) = collector.otlp_address() {
        out::line(format_args!("and OTLP at {}://{address}", if tls { "https" } else { "http" }))?;
    }
    if let Some(address) = collector.tcp_address() {
        out::line(format_args!("and at tcp://{address}"))?;
    }
    out::line(match collector.needs_token() {
        true => "A token is required to send and to read",
        false => "Any token is accepted, and none is required",
    })?;
    out::line(keeps)?;
    signals::stop().await;
    for notice in collector.notices() {
        out::note(format_args!("jkool: {notice}"));
    }
    let counts = collector.counts();
    // Waits for requests that are being answered.
    drop(tokio::task::spawn_blocking(move || drop(collector)).await);
    out::line(format_args!(
        "Stopped: {} stored, {} duplicates, {} rejected",
        units::count(counts.stored),
        units::count(counts.duplicates),
        units::count(counts.refused)
    ))?;
    Ok(Exit::Done)
}

fn hint(error: &StartError) -> &'static str {
    match error {
        StartError::Listen { error, .. } if error.kind() == io::ErrorKind::AddrInUse => {
            "\nstop the program that listens there, perhaps another collector, or choose an address with --listen"
        }
        _ => "",
    }
}

fn retention(args: &Args) -> Retention {
    let mut retention = if args.db.is_some() { Retention::ALL } else { Retention::IN_MEMORY };
    retention.age = args.max_age;
    retention.bytes = args.max_size.or(retention.bytes);
    retention
}

/// Describes where events are stored, and the limits.
fn keeps(db: Option<&Path>, is_remote: bool, retention: Retention) -> String {
    let mut text = match db {
        Some(path) if is_remote => format!("Stores events in VictoriaLogs, with a journal in {}", path.display()),
        Some(path) => format!("Stores events in {}", path.display()),
        None => "Stores events in memory, until it ends".to_owned(),
    };
    if let Some(age) = retention.age {
        text.push_str(&format!(", for {} at most", Moment::Ago(age)));
    }
    if let Some(bytes) = retention.bytes {
        text.push_str(&format!(", {} at most: the oldest are deleted first", units::bytes(bytes)));
    }
    text
}

/// Shows on a terminal the progress of work that must be done before a store is open.
fn shows_progress() -> impl Fn(Progress) + Send + std::marker::Sync {
    let bar = ProgressBar::new(0);
    // If the template is invalid, the default is used.
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {percent:>3} %") {
        bar.set_style(style);
    }
    move |progress| {
        bar.set_length(progress.total);
        bar.set_message(progress.what);
        bar.set_position(progress.done);
        if progress.done == progress.total {
            bar.finish_and_clear();
        }
    }
}

fn builder(args: Args) -> Result<CollectorBuilder, Failure> {
    let mut store =
        Store::builder().on_progress(shows_progress()).retention(retention(&args)).durability(match args.sync {
            Sync::Disk => Durability::Disk,
            Sync::System => Durability::System,
        });
    if let Some(path) = args.db {
        store = store.file(path);
    }
    if let Some(url) = args.store {
        store = store.victoria_logs(url);
    }
    let mut builder = Collector::builder()
        .listen(args.listen)
        .store(store)
        .max_body(usize::try_from(args.max_body).unwrap_or(usize::MAX))
        .max_connections(usize::try_from(args.max_connections).unwrap_or(usize::MAX));
    if let Some(address) = args.otlp {
        builder = builder.listen_otlp(address);
    }
    if let Some(address) = args.listen_tcp {
        builder = builder.listen_tcp(address);
    }
    if let Some(path) = args.token_file {
        builder = builder.token_file(path);
    } else if let Some(token) = server::token_from_environment()? {
        builder = builder.token(token);
    }
    if let (Some(chain), Some(key)) = (args.tls_cert, args.tls_key) {
        builder = builder.tls(chain, key);
    }
    Ok(args.allow_host.into_iter().fold(builder, CollectorBuilder::allow_host))
}
