//! `jkool relay`

mod from;
mod listen;

use crate::destination::{self, Destination};
use crate::exit::{Exit, Failure};
use crate::server::Server;
use crate::{out, signals, units};
use from::From;
use jkool_client::model::{SourceFqn, error_chain};
use jkool_client::{Client, Spool};
use jkool_relay::{Endpoint, RelayBuilder, RelayReport};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Relays events from Kafka, MQTT, HTTP, TCP or a folder to another destination
///
/// A position is committed when all records before it are delivered or in the spool, so no record is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The source: kafka://host:9092/topic?group=relay, mqtts://host:8883/topic?client_id=relay, a folder of JSON lines, or,
    /// to listen, http://127.0.0.1:6580, tcp://127.0.0.1:6590 or, with TLS, https://…?certificate=/path&certificate_key=/path or tls://…
    #[arg(long, value_name = "URL")]
    from: String,
    /// The destination: https://, http://, tcp://, tls://, file:///path/events.jsonl, stdout:, mqtt://host/topic or
    /// kafka://host:9092/topic [default: the service if there is a token, else a collector on this machine]
    #[arg(long, value_name = "URL", env = "JKOOL_URL", hide_env_values = true)]
    to: Option<String>,
    /// The file with the access token [default: the variable JKOOL_TOKEN]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with further certificate authorities to trust (PEM)
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// A folder for events that can't be delivered now, so that relaying continues while the server is unavailable
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// The destination for records that are not events and for events that the server rejects:
    /// file:///path/dead.jsonl, tcp://, stdout: or kafka://host:9092/topic [default: reported on standard error]
    #[arg(long, value_name = "URL")]
    dead_letters: Option<String>,
    /// The address to serve /metrics and /healthz on
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// The file that stores the positions in a folder [default: .jkool-relay.json in the folder]
    #[arg(long, value_name = "FILE")]
    positions: Option<PathBuf>,
    /// The source of events without one, such as APPL=WebOrders#SERVER=web-1
    #[arg(long)]
    source: Option<SourceFqn>,
    /// The number of events per request, one per line. A collector accepts that; the service accepts one [default:
    /// 512 to this machine, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    /// The maximum number of requests in flight; 1 preserves the order
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1024))]
    in_flight: u16,
    /// The maximum number of records in flight
    #[arg(long, value_name = "N", default_value = "8192", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_in_flight: u32,
    /// How long to wait at shutdown for records in flight and their commit
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::duration)]
    drain: Duration,
}

const HELP: &str = "\
Examples:
  jkool relay --from /var/spool/orders --to https://stream.meshiq.com
  jkool relay --from 'kafka://k1:9092,k2:9092/jkool?group=relay'
  jkool relay --from http://127.0.0.1:6580 --to kafka://k1:9092/jkool
  jkool relay --from tcp://127.0.0.1:6590 --spool /var/spool/relay
  jkool relay --from 'mqtt://127.0.0.1/jkool/#?client_id=relay-1'

docs/kafka.md describes the urls and their settings.

It runs until Ctrl-C or SIGTERM, and then waits for records in flight. Several relays of one group share the \
partitions of a topic. Exit codes: 0 all records that were read are delivered or in the spool, 1 some are not, and \
will be read again, 2 wrong usage, 3 the source failed";

/// The number of dead letters that are reported one by one.
const TOLD: u64 = 20;

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let server = Server { url: args.to.clone(), token_file: args.token_file.clone(), ca_cert: args.ca_cert.clone() };
    let destination = Destination::of(&server)?;
    let client = client(&args, &server, &destination)?;
    let from = From::parse(&args.from)?;
    if args.positions.is_some() && !matches!(from, From::Folder(_)) {
        return Err(Failure::Usage("--positions requires a folder as the source".into()));
    }
    let endpoint = match args.metrics {
        Some(address) => {
            let failed = |error| Failure::Unreachable(format!("--metrics {address}: {error}"));
            Some(Endpoint::bind(address).await.map_err(failed)?)
        }
        None => None,
    };
    let relay = from.relay(client, &server, args.positions.as_deref()).await?;
    let relay = settings(relay, &args, &server)?;
    let relay = relay.build().map_err(|error| Failure::Usage(error_chain(&error)))?;
    let (status, began) = (relay.status(), Instant::now());
    let serve = async {
        // The signal handler is installed here, because the relay is polled first.
        out::note(format_args!("relaying from {} to {}", args.from, destination.url()));
        if let Some(endpoint) = endpoint {
            out::note(format_args!("metrics at http://{}/metrics", endpoint.address()));
            endpoint.serve(status).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        biased;
        ended = relay.run(signals::stop()) => ended,
        () = serve => return Ok(Exit::NotAll),
    };
    let report =
        ended.map_err(|error| Failure::Unreachable(format!("--from {}: {}", args.from, error_chain(&error))))?;
    out::note(summary(&report, began.elapsed()));
    Ok(if report.is_drained() { Exit::Done } else { Exit::NotAll })
}

fn client(args: &Args, server: &Server, destination: &Destination) -> Result<jkool_client::ClientBuilder, Failure> {
    let mut client = Client::builder().flush_interval(Duration::from_millis(10)).in_flight(args.in_flight.into());
    if let Some(folder) = &args.spool {
        client = client.spool(Spool::new(folder));
    }
    if let Some(source) = &args.source {
        client = client.source(source.clone());
    }
    destination.apply(client, server, args.batch)
}

fn settings(relay: RelayBuilder, args: &Args, server: &Server) -> Result<RelayBuilder, Failure> {
    let told = AtomicU64::new(0);
    let relay = relay.max_in_flight(args.max_in_flight as usize).drain_timeout(args.drain).on_notice(move |text| {
        match text.starts_with("dead letter:").then(|| told.fetch_add(1, Ordering::Relaxed)) {
            None | Some(..TOLD) => out::note(format_args!("jkool: {text}")),
            Some(TOLD) => out::note("further dead letters are only counted"),
            Some(_) => {}
        }
    });
    Ok(match &args.dead_letters {
        Some(url) => relay.dead_letters(destination::transport(url, server)?),
        None => relay,
    })
}

fn summary(report: &RelayReport, took: Duration) -> String {
    let mut text = format!("{} relayed in {:.1} s", units::count(report.settled), took.as_secs_f64());
    for (count, what) in [(report.dead_letters, "dead letters"), (report.left, "left")] {
        if count > 0 {
            text.push_str(&format!(", {} {what}", units::count(count)));
        }
    }
    text
}
