//! Waits for delivery, and reports the result.

use crate::exit::{Exit, Failure};
use crate::{out, server, signals, units};
use jkool_client::model::error_chain;
use jkool_client::transport::{ErrorKind, TransportError};
use jkool_client::{Client, Condition, Stats};
use reqwest::Url;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The timeout of an interrupted command for delivering what it has read.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Why it ended before everything was delivered.
pub(super) enum Ended {
    Interrupted,
    Stuck,
}

/// Waits until everything is delivered, or until nothing was delivered for this time.
pub(super) async fn deliver(client: &Client, patience: Duration, show: impl Fn()) -> Option<Ended> {
    let stop = signals::stop();
    tokio::pin!(stop);
    let ended = |stats: &Stats| stats.delivered() + stats.dropped_total();
    let (mut last, mut since) = (ended(&client.stats()), Instant::now());
    loop {
        let report = tokio::select! {
            report = client.flush_async(Duration::from_millis(100)) => report,
            () = &mut stop => return Some(Ended::Interrupted),
        };
        show();
        if report.pending() == 0 {
            return None;
        }
        let now = ended(&client.stats());
        if now != last {
            (last, since) = (now, Instant::now());
        }
        // A wrong token or address does not change while we wait.
        let paused = matches!(client.health().condition, Condition::Paused { .. } | Condition::Refused { .. });
        if paused || since.elapsed() >= patience {
            return Some(Ended::Stuck);
        }
    }
}

/// Shuts the client down, and reports what was not delivered and why.
pub(super) async fn conclude(client: &Client, url: &str, ended: Option<Ended>) -> Result<Exit, Failure> {
    let health = client.health();
    let last_try = if matches!(ended, Some(Ended::Interrupted)) { LAST_TRY } else { Duration::ZERO };
    drop(timeout(LAST_TRY * 2, client.shutdown_async(last_try)).await);
    let stats = client.stats();
    let lost = stats.accepted() - stats.delivered();
    if lost == 0 {
        return Ok(Exit::Done);
    }
    let why = match &health.condition {
        Condition::BackingOff { error, .. } | Condition::Paused { error, .. } | Condition::Refused { error, .. } => {
            Some(error)
        }
        _ => None,
    };
    let text = format!("{} not delivered to {url}", units::count(lost));
    match why {
        Some(error) if stats.delivered() == 0 => {
            return Err(Failure::Unreachable(format!("{text}: {}", reason(error, url))));
        }
        Some(error) => out::note(format_args!("jkool: {text}: {}", reason(error, url))),
        None => out::note(format_args!("jkool: {text}")),
    }
    Ok(Exit::NotAll)
}

fn reason(error: &TransportError, url: &str) -> String {
    let local = url.parse().is_ok_and(|url: Url| server::is_this_machine(&url));
    let absent = local && error.kind() == ErrorKind::Connect;
    let hint = if absent { format!("\n{}", server::HINT) } else { String::new() };
    error_chain(error) + &hint
}
