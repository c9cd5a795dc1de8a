//! `jkool demo`

mod conditions;
mod order;
mod places;
mod shop;

use crate::exit::{Exit, Failure};
use crate::{out, signals, units};
use jkool_client::model::Timestamp;
use jkool_client::{Client, OverflowPolicy};
use jkool_collector::{Clock, Collector, StartError};
use shop::Shop;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Starts a collector in memory, and streams the orders of a demo web shop to it.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Exits after this time [default: runs until Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration)]
    time: Option<Duration>,
    /// The collector's address [default: 127.0.0.1:6580, or a free port if that is in use]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The seed of the random generator; the same seed creates the same orders
    #[arg(long)]
    seed: Option<u64>,
    /// The average number of orders per second, each of about a dozen events
    #[arg(long, default_value = "1", value_parser = rate)]
    rate: f64,
}

const HELP: &str = "\
Examples:
  jkool demo
  jkool demo --for 30s --rate 20

An order is accepted, verified, paid and shipped by four services that send each other messages. Some are declined, \
some are slow, and sometimes the bank does not answer. All events are sent by the regular client over HTTP, and are \
shown on the page whose address is printed; `jkool tail`, `jkool search` and `jkool stats` work as well.

Exit codes: 0 everything was delivered, 1 something was not, 2 wrong usage, 3 the collector can't start";

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok().filter(|rate| (0.01..=1_000.0).contains(rate));
    rate.ok_or("expected a number from 0.01 to 1000")
}

/// The span of orders that are emitted at the start, so that there is something to see, and their maximum number.
const PAST: Duration = Duration::from_secs(15 * 60);
const PAST_ORDERS: f64 = 900.0;

const TICK: Duration = Duration::from_millis(100);
const SUMMARY: Duration = Duration::from_secs(10);
const LAST_TRY: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let started = tokio::task::spawn_blocking(move || start(args.listen.as_deref())).await;
    let collector = started
        .map_err(|error| Failure::Unreachable(error.to_string()))?
        .map_err(|error| Failure::Unreachable(error.to_string()))?;
    out::line(format_args!("The page: {}", collector.url()))?;
    out::line("Streaming the orders of a web shop to it; stop with Ctrl-C.")?;

    let client = Client::builder()
        .url(collector.url())
        // Not the token of the environment, which is for the service.
        .token("demo")
        .http(|http| http.batches(512))
        .overflow(OverflowPolicy::Block(Duration::from_secs(30)))
        .build()
        .map_err(|error| Failure::Unreachable(error.to_string()))?;
    let clock = Clock::default();
    let past = PAST.min(Duration::from_secs_f64(PAST_ORDERS / args.rate));
    let begin = Timestamp::from_usec(clock.now().as_usec() - i64::try_from(past.as_micros()).unwrap_or_default());
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let shop = Shop::new(seed, args.rate, begin).map_err(|error| Failure::Unreachable(error.to_string()))?;

    tokio::select! {
        streamed = stream(shop, &client, &clock) => streamed?,
        () = until(args.time) => {}
        () = signals::stop() => {}
    }
    let report = client.shutdown_async(LAST_TRY).await;
    let stats = client.stats();
    let sizes = collector.store().read(|reader| reader.sizes()).await;
    let sizes = sizes.map_err(|error| Failure::Unreachable(error.to_string()))?;
    out::line(format_args!(
        "{} emitted: {} delivered, {} dropped; stored are {} events, {} activities, {} snapshots",
        units::count(stats.accepted()),
        units::count(stats.delivered()),
        units::count(stats.dropped_total()),
        units::count(sizes.events),
        units::count(sizes.activities),
        units::count(sizes.snapshots),
    ))?;
    // The collector has its own runtime, which cannot be shut down inside of this one.
    drop(tokio::task::spawn_blocking(move || drop(collector)).await);
    let all = report.is_delivered() && stats.delivered() == stats.accepted();
    Ok(if all { Exit::Done } else { Exit::NotAll })
}

/// Emits what happens at its time, after everything that has already happened.
async fn stream(mut shop: Shop, client: &Client, clock: &Clock) -> Result<(), Failure> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = Instant::now();
    loop {
        ticks.tick().await;
        let happened = shop.advance(clock.now()).map_err(|error| Failure::Unreachable(error.to_string()))?;
        for entity in happened {
            client.emit(entity);
        }
        if told.elapsed() >= SUMMARY {
            told = Instant::now();
            out::line(client.stats())?;
        }
    }
}

async fn until(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}

fn start(listen: Option<&str>) -> Result<Collector, StartError> {
    let at = |address: &str| Collector::builder().listen(address).start();
    match listen {
        Some(address) => at(address),
        None => at("127.0.0.1:6580").or_else(|_| at("127.0.0.1:0")),
    }
}
