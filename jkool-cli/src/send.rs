//! `jkool send`

mod decoration;
mod delivery;
mod feed;
mod follow;
mod identity;
mod input;
mod listen;
mod positions;
mod progress;
mod property;
mod rules;
mod splitter;

use crate::destination::Destination;
use crate::exit::{Exit, Failure};
use crate::formats::Format;
use crate::server::Server;
use crate::{out, signals, units};
use decoration::Decoration;
use delivery::{Ended, conclude, deliver};
use feed::{Feed, How, Lines, Stop};
use follow::Follower;
use identity::Identity;
use input::{Input, Next};
use jkool_client::model::{SourceFqn, TrackingId, error_chain};
use jkool_client::{Admission, Client, LossReason, OverflowPolicy, Stats};
use listen::Listener;
use positions::Positions;
use progress::Progress;
use rules::Rules;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Sends one event, or many from files, syslog or standard input.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The message of one event
    message: Option<String>,
    /// A log file, or events as JSON lines such as the dead letters of a spool; may be compressed by gzip. `-` is
    /// standard input, which is also read if there is neither a message nor another option of an event
    #[arg(long, short, value_name = "FILE", conflicts_with = "message")]
    file: Option<PathBuf>,
    /// Log files to follow, or patterns in quotes such as '/var/log/app/*.log'. Handles files that are renamed,
    /// truncated or created. The position is stored, and the next start continues there
    #[arg(long, value_name = "PATTERN", num_args = 1.., conflicts_with_all = ["message", "file"])]
    follow: Vec<String>,
    /// Receives syslog messages over UDP and TCP, such as syslog://127.0.0.1:5514. UDP has no flow control: messages
    /// that arrive faster than they can be sent are lost and not counted
    #[arg(long, value_name = "URL", value_parser = listen::address, conflicts_with_all = ["message", "file", "follow"])]
    listen: Option<std::net::SocketAddr>,
    /// The file that stores the positions in followed files [default: ~/.local/state/jkool/positions.json]
    #[arg(long, value_name = "FILE", requires = "follow")]
    positions: Option<PathBuf>,
    /// The format of the lines
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// A file of TOML that maps fields to decorations
    #[arg(long, value_name = "FILE", conflicts_with = "message")]
    rules: Option<PathBuf>,
    /// Prints the events as JSON instead of sending them
    #[arg(long, conflicts_with = "message")]
    dry_run: bool,
    /// The source, such as APPL=WebOrders#SERVER=web-1; with a file, for events without one. A `?` as a name is
    /// replaced by the detected value
    #[arg(long)]
    source: Option<SourceFqn>,
    /// How long to wait for delivery while the server does not accept events
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::duration)]
    timeout: Duration,
    /// The number of events per request, one per line. A collector accepts that; the service accepts one [default:
    /// 512 to this machine, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    #[command(flatten)]
    decoration: Decoration,
    #[command(flatten)]
    server: Server,
}

const HELP: &str = "\
Examples:
  jkool send 'Order processed' --operation ProcessOrder --corrid A-100
  jkool send 'Card declined' --severity ERROR --reason-code 51
  jkool send 'Paid' --property amount=42.50:double:currency.usd
  jkool send 'Paid' --snapshot 'Payment@Order:order-no=A-100,amount=42'
  jkool send --file events.jsonl
  jkool send --file /var/log/nginx/access.log.1.gz --source APPL=Web
  tail -f app.log | jkool send
  jkool send --follow '/var/log/app/*.log' /var/log/syslog
  jkool send --listen syslog://127.0.0.1:5514
  jkool send --file app.log --rules rules.toml --dry-run
  jkool send --file /var/spool/orders/dead-letters.jsonl
  grep ProcessOrder events.jsonl | jkool send

For one event, jkool prints its tracking id; for a file, the number of delivered events, and on standard error each \
line that is not an event. Without --url and JKOOL_URL, events are sent to the service if there is a token, else to \
a collector on this machine.

Exit codes: 0 all delivered, 1 some rejected or not delivered, 2 wrong usage, 3 the server can't be reached or \
rejected the request";

/// The limits in memory, for a file of any size.
const QUEUE_EVENTS: usize = 16_384;
const QUEUE_BYTES: usize = 16 << 20;

/// The timeout for `--follow` to end.
const LAST_LOOK: Duration = Duration::from_secs(3);

const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Whether it runs until it is stopped.
fn goes_on(args: &Args) -> bool {
    !args.follow.is_empty() || args.listen.is_some()
}

fn is_one(args: &Args) -> bool {
    args.message.is_some() || (args.file.is_none() && !goes_on(args) && args.decoration != Decoration::default())
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failure> {
    let is_one = is_one(&args);
    if !is_one && args.decoration != Decoration::default() {
        return Err(Failure::Usage("the options of an event don't apply to a file, except --source".into()));
    }
    let destination = Destination::of(&args.server)?;
    let (client, url) = (client(&args, &destination)?, destination.url());
    if is_one {
        let id = args.decoration.tracking_id.clone().map_or_else(TrackingId::random, TrackingId::from);
        let event = args.decoration.event(id.clone(), args.message.unwrap_or_default());
        if let Admission::Dropped(reason) = client.emit(event) {
            return Err(Failure::Usage(format!("the event is {reason}")));
        }
        let ended = deliver(&client, args.timeout, || {}).await;
        let exit = conclude(&client, url, ended).await?;
        if exit == Exit::Done {
            out::line(id)?;
        }
        return Ok(exit);
    }
    let path = args.file.clone().filter(|path| path != Path::new("-"));
    let (follower, listener) = (follower(&args)?, listener(&args)?);
    let goes_on = goes_on(&args);
    if path.is_none() && !goes_on && std::io::stdin().is_terminal() {
        return Err(Failure::Usage("expected a message, --file, or data on standard input".into()));
    }
    let (began, feed) = (Instant::now(), Arc::<Feed>::default());
    let clock = jkool_collector::Clock::default();
    let year = clock.now().to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
    let (len, mut lines, mut input) = match &path {
        Some(path) => {
            let usage = |error| Failure::Usage(format!("{}: {error}", path.display()));
            let opened = Input::file(path, Arc::clone(&feed.bytes)).map_err(usage)?;
            let identity = Identity::of_file(path, opened.modified.map(Into::into));
            (opened.len, Lines::of_path(path, args.format, identity), opened.input)
        }
        None => {
            let lines = Lines::new("standard input".to_owned(), args.format, Identity::of_stream());
            let input = if goes_on { Input::none() } else { Input::stdin(Arc::clone(&feed.bytes)) };
            (None, lines, input)
        }
    };
    let progress = Progress::new(len);
    let how = How {
        format: args.format,
        year,
        rules: args.rules.as_deref().map(Rules::read).transpose().map_err(Failure::Usage)?.unwrap_or_default(),
        client: (!args.dry_run).then(|| client.clone()),
        progress: progress.clone(),
    };
    let (go_on, stopped) = std::sync::mpsc::channel();
    let mut reading = tokio::task::spawn_blocking({
        let feed = Arc::clone(&feed);
        move || match (follower, listener) {
            (Some(mut follower), _) => follower.run(&feed, &how, &stopped),
            (None, Some(listener)) => listener.run(&feed, &how, &stopped),
            (None, None) => read(&mut input, &mut lines, &feed, &how),
        }
    });
    let show = || progress.show(feed.bytes(), feed.emitted(), client.stats().delivered(), began.elapsed());
    let mut ended = read_all(&mut reading, &show).await;
    if ended.is_none() {
        ended = deliver(&client, args.timeout, &show).await;
    }
    feed.stop();
    drop(go_on);
    progress.clear();
    let interrupted = matches!(ended, Some(Ended::Interrupted));
    if interrupted && goes_on {
        // It stores its positions.
        drop(tokio::time::timeout(LAST_LOOK, reading).await);
    }
    let exit = conclude(&client, url, ended).await;
    let (stats, took) = (client.stats(), began.elapsed());
    match args.dry_run {
        true => out::note(format_args!("{} would be sent{}", units::count(feed.emitted()), remarks(&feed))),
        false => out::note(summary(&feed, &stats, took)),
    }
    if interrupted && !goes_on {
        out::note("interrupted: the rest of the input was not sent");
    }
    match exit? {
        Exit::Done if (interrupted && !goes_on) || feed.refused() > 0 || feed.failed() => Ok(Exit::NotAll),
        exit => Ok(exit),
    }
}

fn listener(args: &Args) -> Result<Option<Listener>, Failure> {
    let Some(address) = args.listen else { return Ok(None) };
    let failed = |error| Failure::Unreachable(format!("--listen {address}: {error}"));
    let listener = Listener::bind(address).map_err(failed)?;
    out::note(format_args!("listening for syslog on {}", listener.address().map_err(failed)?));
    Ok(Some(listener))
}

fn follower(args: &Args) -> Result<Option<Follower>, Failure> {
    if args.follow.is_empty() {
        return Ok(None);
    }
    let path = args.positions.clone().or_else(|| positions::usual_path(|name| std::env::var_os(name)));
    let path = path.ok_or_else(|| Failure::Usage("--positions is required, because there is no home folder".into()))?;
    let positions = Positions::open(path.clone())
        .map_err(|error| Failure::Usage(format!("--positions {}: {error}", path.display())))?;
    Follower::new(args.follow.clone(), positions).map(Some).map_err(Failure::Usage)
}

/// Reads the input to its end.
fn read(input: &mut Input, lines: &mut Lines, feed: &Feed, how: &How) {
    loop {
        let taken = match input.next() {
            Ok(Next::Bytes(bytes)) => lines.push(&bytes, feed, how),
            Ok(Next::Quiet) => lines.settle(feed, how),
            Ok(Next::End) => lines.finish(feed, how).and(Err(Stop)),
            Err(error) => {
                feed.fail(how, error);
                lines.finish(feed, how).and(Err(Stop))
            }
        };
        if taken.is_err() || feed.is_stopped() {
            return;
        }
    }
}

/// Waits for the end of the input.
async fn read_all(reading: &mut tokio::task::JoinHandle<()>, show: &impl Fn()) -> Option<Ended> {
    let stop = signals::stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut *reading => return None,
            () = &mut stop => return Some(Ended::Interrupted),
            () = tokio::time::sleep(Duration::from_millis(100)) => show(),
        }
    }
}

fn summary(feed: &Feed, stats: &Stats, took: Duration) -> String {
    let rate = (stats.delivered() as f64 / took.as_secs_f64().max(0.001)) as u64;
    let mut text = format!(
        "{} delivered in {:.1} s ({}/s)",
        units::count(stats.delivered()),
        took.as_secs_f64(),
        units::count(rate)
    );
    for reason in LossReason::ALL.iter().filter(|reason| stats.dropped(**reason) > 0) {
        text.push_str(&format!(", {} {reason}", units::count(stats.dropped(*reason))));
    }
    text + &remarks(feed)
}

/// Reports the result for the lines.
fn remarks(feed: &Feed) -> String {
    let mut text = String::new();
    for (count, what) in [(feed.repaired(), "repaired"), (feed.refused(), "refused")] {
        match count {
            0 => {}
            1 => text.push_str(&format!(", 1 line {what}")),
            lines => text.push_str(&format!(", {} lines {what}", units::count(lines))),
        }
    }
    text
}

fn client(args: &Args, destination: &Destination) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .queue_events(QUEUE_EVENTS)
        .queue_bytes(QUEUE_BYTES)
        // `--follow` waits without a limit.
        .overflow(OverflowPolicy::Block(if goes_on(args) { FOREVER } else { args.timeout }))
        .flush_interval(Duration::from_millis(10))
        .loss_events(false)
        // A single event happened on this machine; the lines of a file may not have.
        .passes_on(!is_one(args))
        // This command reports losses itself.
        .notices(false)
        .on_dead_letter(|letter| out::note(format_args!("jkool: refused: {}", error_chain(&letter.error))));
    if let Some(source) = &args.source {
        builder = builder.source(source.clone());
    }
    let builder = destination.apply(builder, &args.server, args.batch)?;
    builder.build().map_err(|error| Failure::Usage(error_chain(&error)))
}
