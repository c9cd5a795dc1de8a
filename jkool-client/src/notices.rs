//! What a person must be told although nobody asked: once, then at most once a minute, on standard error and never by a
//! logging facade, which might lead back here.

use crate::caught::caught;
use crate::delivery::Notice;
use crate::{LossReason, Stats};
use jkool_model::error_chain;
use std::io::Write;
use std::time::{Duration, Instant};

/// A program's own ear for losses.
pub(crate) type OnLoss = Box<dyn Fn(&Stats) + Send>;

const INTERVAL: Duration = Duration::from_secs(60);

pub(crate) struct Notices {
    enabled: bool,
    /// Told of losses whenever a person is.
    on_loss: Option<OnLoss>,
    told_loss: Option<Instant>,
    /// Losses that were told of.
    told: u64,
    /// Why the last event was refused.
    refusal: Option<String>,
}

impl Notices {
    pub(crate) fn new(enabled: bool, on_loss: Option<OnLoss>) -> Self {
        Self { enabled, on_loss, told_loss: None, told: 0, refusal: None }
    }

    /// The line about a notice.
    fn line(notice: Notice) -> String {
        match notice {
            Notice::Paused(error) => format!(
                "nothing is delivered until this is put right: {}; events are kept as far as the queue reaches",
                error_chain(&error)
            ),
            Notice::Resumed => "delivery works again".to_owned(),
        }
    }

    /// The line about losses, if there are new ones and the last line is long enough ago.
    fn loss_line(&mut self, stats: &Stats, now: Instant) -> Option<String> {
        // What a hook drops is meant to be dropped.
        let lost = stats.dropped_total() - stats.dropped(LossReason::BeforeSend);
        if lost == self.told || self.told_loss.is_some_and(|told| now.duration_since(told) < INTERVAL) {
            return None;
        }
        (self.told_loss, self.told) = (Some(now), lost);
        let why = self.refusal.take().map(|why| format!("; the last refusal: {why}"));
        Some(format!("events were lost: {stats}{}", why.unwrap_or_default()))
    }

    pub(crate) fn tell(&self, notice: Notice) {
        self.write(Self::line(notice));
    }

    pub(crate) fn tell_losses(&mut self, stats: &Stats, now: Instant) {
        let Some(line) = self.loss_line(stats, now) else { return };
        self.write(line);
        if let Some(on_loss) = &self.on_loss {
            // A hook that panics has been told all the same.
            caught(|| on_loss(stats));
        }
    }

    /// Remembers why an event was refused, or never left.
    pub(crate) fn refused(&mut self, error: &dyn std::error::Error) {
        self.refusal = Some(error_chain(error));
    }

    fn write(&self, line: String) {
        if self.enabled {
            // A closed standard error is no reason to stop delivering.
            drop(writeln!(std::io::stderr().lock(), "jkool: {line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{INTERVAL, Notices};
    use crate::{LossReason, Stats};
    use jkool_transport::{ErrorKind, TransportError};
    use std::time::Duration;

    fn lost(events: u64) -> Stats {
        let mut stats = Stats { accepted: events, ..Stats::default() };
        stats.dropped[LossReason::Rejected as usize] = events;
        stats
    }

    #[test]
    fn losses_are_told_at_once_and_then_once_a_minute() {
        let mut notices = Notices::new(true, None);
        let start = crate::clock::now();
        assert_eq!(notices.loss_line(&lost(0), start), None);
        notices.refused(&TransportError::new(ErrorKind::Answer, "status 400"));
        assert_eq!(
            notices.loss_line(&lost(1), start).unwrap(),
            "events were lost: 1 accepted: 0 delivered, 0 in memory, 1 dropped (1 rejected by the server); \
             the last refusal: status 400"
        );
        assert_eq!(notices.loss_line(&lost(50), start + INTERVAL - Duration::from_millis(1)), None);
        assert!(notices.loss_line(&lost(50), start + INTERVAL).unwrap().contains("50 rejected"));
        assert_eq!(notices.loss_line(&lost(50), start + 2 * INTERVAL), None);
    }

    #[test]
    fn what_a_hook_drops_is_no_loss() {
        let mut stats = Stats::default();
        stats.dropped[LossReason::BeforeSend as usize] = 5;
        assert_eq!(Notices::new(true, None).loss_line(&stats, crate::clock::now()), None);
    }
}
