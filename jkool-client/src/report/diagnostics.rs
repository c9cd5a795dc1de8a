//! Reports problems without being asked: at once, then at most once a minute, on standard error. A logging facade is not used,
//! because its records could come back to this client. Losses are also reported by an event.

use crate::emit::catch_panic::catch_panic;
use crate::emit::clock;
use crate::report::health::Trouble;
use crate::report::loss::LossReason;
use crate::report::stats::Stats;
use crate::report::stderr::Stderr;
use jkool_model::{Event, Severity, error_chain};
use std::time::{Duration, Instant};

/// A change in delivery that is reported.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// No event gets through until a person fixes the problem.
    Paused(Trouble),
    /// Delivery works again.
    Resumed,
}

/// The program's hook for losses.
pub(crate) type OnLoss = Box<dyn Fn(&Stats) + Send>;

const INTERVAL: Duration = Duration::from_secs(60);

pub(crate) struct Diagnostics {
    enabled: bool,
    stderr: Stderr,
    /// Called whenever losses are reported.
    on_loss: Option<OnLoss>,
    told_loss: Option<Instant>,
    /// The number of losses that were reported.
    told: u64,
    /// Why the last event was rejected.
    refusal: Option<String>,
    /// Whether losses are also reported by events.
    by_event: bool,
    /// The counters in the last such event, and its time.
    last_summary: Option<(Stats, Instant)>,
    /// The spool fails, and this was reported.
    spool_fails: bool,
    told_spool: Option<Instant>,
    told_unread: Option<Instant>,
}

impl Diagnostics {
    pub(crate) fn new(enabled: bool, by_event: bool, on_loss: Option<OnLoss>) -> Self {
        Self {
            enabled,
            stderr: Stderr::default(),
            on_loss,
            told_loss: None,
            told: 0,
            refusal: None,
            by_event,
            last_summary: None,
            spool_fails: false,
            told_spool: None,
            told_unread: None,
        }
    }

    /// The text for a notice.
    fn line(notice: Notice) -> String {
        match notice {
            Notice::Paused(Trouble::Refused(error)) => format!(
                "the server rejects every event: {}; events are kept until the queue is full, and are retried",
                error_chain(&error)
            ),
            Notice::Paused(Trouble::Misconfigured(error) | Trouble::Passing(error)) => format!(
                "nothing is delivered until this is fixed: {}; events are kept until the queue is full",
                error_chain(&error)
            ),
            Notice::Resumed => "delivery works again".to_owned(),
        }
    }

    /// The text about losses, if there are new ones and the last report was long enough ago.
    fn loss_line(&mut self, stats: &Stats, trouble: Option<&Trouble>, now: Instant) -> Option<String> {
        if is_recent(self.told_loss, now) { None } else { self.last_loss_line(stats, trouble, now) }
    }

    /// The same, regardless of when the last report was.
    fn last_loss_line(&mut self, stats: &Stats, trouble: Option<&Trouble>, now: Instant) -> Option<String> {
        let lost = losses(stats);
        if lost == self.told {
            return None;
        }
        (self.told_loss, self.told) = (Some(now), lost);
        let refused = self.refusal.take().map(|why| format!("; the last rejection: {why}"));
        let why =
            refused.or_else(|| trouble.map(|why| format!("; nothing gets through: {}", error_chain(why.error()))));
        Some(format!("events were lost: {stats}{}", why.unwrap_or_default()))
    }

    /// Whether new losses would be reported now.
    pub(crate) fn may_tell(&self, now: Instant) -> bool {
        let summary = self.last_summary.map(|(_, at)| at);
        !is_recent(self.told_loss, now) || (self.by_event && !is_recent(summary, now))
    }

    pub(crate) fn tell(&mut self, notice: Notice) {
        self.write(Self::line(notice));
    }

    pub(crate) fn tell_losses(&mut self, stats: &Stats, trouble: Option<&Trouble>, now: Instant) {
        if let Some(line) = self.loss_line(stats, trouble, now) {
            self.say(line, stats);
        }
    }

    /// Reports at shutdown all losses that were not reported yet. Returns the number of losses reported so far.
    pub(crate) fn tell_last(&mut self, stats: &Stats, trouble: Option<&Trouble>, now: Instant) -> u64 {
        if let Some(line) = self.last_loss_line(stats, trouble, now) {
            self.say(line, stats);
        }
        self.stderr.finish();
        self.told
    }

    fn say(&mut self, line: String, stats: &Stats) {
        self.write(line);
        if let Some(on_loss) = &self.on_loss {
            // A panic of the hook is ignored.
            catch_panic(|| on_loss(stats));
        }
    }

    /// Reports when the spool stops working, and when it works again.
    pub(crate) fn tell_spool(&mut self, error: Option<&str>, now: Instant) {
        if let Some(line) = self.spool_line(error, now) {
            self.write(line);
        }
    }

    /// Reports a spool file that cannot be read.
    pub(crate) fn tell_unread(&mut self, error: Option<&str>, now: Instant) {
        if let Some(error) = error.filter(|_| !is_recent(self.told_unread, now)) {
            self.told_unread = Some(now);
            self.write(format!(
                "events in the spool cannot be read and stay there, while others are delivered: {error}"
            ));
        }
    }

    pub(crate) fn tell_newer_files(&mut self, files: u64) {
        if files > 0 {
            self.write(format!("{files} files in the spool were written by a newer version, and are ignored"));
        }
    }

    /// Reports an environment variable with an invalid value.
    pub(crate) fn tell_passed_over(&mut self, variable: Option<String>) {
        variable.into_iter().for_each(|line| self.write(line));
    }

    fn spool_line(&mut self, error: Option<&str>, now: Instant) -> Option<String> {
        match error {
            Some(error) if !self.spool_fails && !is_recent(self.told_spool, now) => {
                (self.spool_fails, self.told_spool) = (true, Some(now));
                Some(format!("events are kept in memory only until this is fixed: {error}"))
            }
            None if std::mem::take(&mut self.spool_fails) => Some("the spool works again".to_owned()),
            _ => None,
        }
    }

    /// The event about losses that the server cannot know of, if there are new ones and the last such event was long enough
    /// ago.
    pub(crate) fn summary(&mut self, stats: &Stats, now: Instant) -> Option<Event> {
        let told = self.last_summary.map(|(told, _)| told).unwrap_or_default();
        let lost = |reason: LossReason| stats.dropped(reason) - told.dropped(reason);
        let total: u64 = UNSEEN.iter().map(|reason| lost(*reason)).sum();
        if !self.by_event || total == 0 || is_recent(self.last_summary.map(|(_, at)| at), now) {
            return None;
        }
        self.last_summary = Some((*stats, now));
        let reasons = UNSEEN.iter().filter(|reason| lost(**reason) > 0);
        let reasons: Vec<_> = reasons.map(|reason| format!("{} {reason}", lost(*reason))).collect();
        let mut event = Event::default();
        event.operation = "events lost".into();
        event.severity = Severity::Warning;
        event.message = format!("{total} lost: {}", reasons.join(", ")).into();
        event.time = Some(clock::timestamp());
        Some(event)
    }

    /// Remembers why an event was rejected, or was not sent.
    pub(crate) fn refused(&mut self, error: &dyn std::error::Error) {
        self.refusal = Some(error_chain(error));
    }

    fn write(&mut self, line: String) {
        if self.enabled {
            self.stderr.write(line);
        }
    }
}

/// Events that a hook drops are not losses.
fn losses(stats: &Stats) -> u64 {
    stats.dropped_total() - stats.dropped(LossReason::BeforeSend)
}

/// Reports losses after shutdown, when there is no worker: those beyond the `told` ones that were reported before.
pub(crate) fn tell_after_the_end(stats: &Stats, told: u64) {
    if losses(stats) > told {
        let mut stderr = Stderr::default();
        stderr.write(format!("events were lost after shutdown: {stats}"));
        stderr.finish();
    }
}

/// Reports that the guard of an adapter was dropped before anything was logged.
pub(crate) fn tell_early_end() {
    let line = "nothing is delivered: the guard was dropped before anything was logged; bind it by `let _guard = ..`, \
                not `let _ = ..`";
    let mut stderr = Stderr::default();
    stderr.write(line.to_owned());
    // The program may end soon.
    stderr.finish();
}

/// Reports that nothing is delivered in a child of the process that built the client.
pub(crate) fn tell_forked() {
    let line =
        "nothing is delivered in a process that was forked after the client was built; build the client after the fork";
    Stderr::default().write(line.to_owned());
}

/// Losses of which the server has no trace. It knows about events that it rejected, and an event about those might be rejected
/// as well, without end.
const UNSEEN: [LossReason; 5] =
    [LossReason::Overflow, LossReason::Shed, LossReason::HookPanic, LossReason::Damaged, LossReason::Recursion];

fn is_recent(told: Option<Instant>, now: Instant) -> bool {
    told.is_some_and(|told| now.duration_since(told) < INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::{Diagnostics, INTERVAL};
    use crate::report::health::Trouble;
    use crate::report::loss::LossReason;
    use crate::report::stats::Stats;
    use jkool_model::Severity;
    use jkool_transport::{ErrorKind, TransportError};
    use std::time::Duration;

    fn lost(events: u64) -> Stats {
        let mut stats = Stats { accepted: events, ..Stats::default() };
        stats.dropped[LossReason::Rejected as usize] = events;
        stats
    }

    #[test]
    fn losses_are_told_at_once_and_then_once_a_minute() {
        let mut diagnostics = Diagnostics::new(true, true, None);
        let start = crate::emit::clock::now();
        assert_eq!(diagnostics.loss_line(&lost(0), None, start), None);
        diagnostics.refused(&TransportError::new(ErrorKind::Answer, "status 400"));
        assert_eq!(
            diagnostics.loss_line(&lost(1), None, start).unwrap(),
            "events were lost: 1 accepted: 0 delivered, 0 in memory, 1 dropped (1 rejected by the server); \
             the last rejection: status 400"
        );
        assert_eq!(diagnostics.loss_line(&lost(50), None, start + INTERVAL - Duration::from_millis(1)), None);
        assert!(diagnostics.loss_line(&lost(50), None, start + INTERVAL).unwrap().contains("50 rejected"));
        assert_eq!(diagnostics.loss_line(&lost(50), None, start + 2 * INTERVAL), None);
    }

    #[test]
    fn the_last_word_is_always_said() {
        let mut diagnostics = Diagnostics::new(true, true, None);
        let start = crate::emit::clock::now();
        assert!(diagnostics.loss_line(&lost(1), None, start).is_some());
        assert_eq!(diagnostics.loss_line(&lost(3), None, start), None);
        assert!(diagnostics.last_loss_line(&lost(3), None, start).unwrap().contains("3 rejected"));
        assert_eq!(diagnostics.last_loss_line(&lost(3), None, start), None);
        // With the reason, if nothing gets through.
        let trouble = Trouble::Passing(TransportError::new(ErrorKind::Connect, "the connection was refused"));
        let line = diagnostics.last_loss_line(&lost(4), Some(&trouble), start).unwrap();
        assert!(line.ends_with("; nothing gets through: the connection was refused"), "{line}");
    }

    #[test]
    fn what_a_hook_drops_is_no_loss() {
        let mut stats = Stats::default();
        stats.dropped[LossReason::BeforeSend as usize] = 5;
        assert_eq!(Diagnostics::new(true, true, None).loss_line(&stats, None, crate::emit::clock::now()), None);
    }

    #[test]
    fn a_spool_that_fails_is_told_once_and_so_is_its_recovery() {
        let mut diagnostics = Diagnostics::new(true, true, None);
        let start = crate::emit::clock::now();
        assert_eq!(diagnostics.spool_line(None, start), None);
        assert!(diagnostics.spool_line(Some("disk full"), start).unwrap().ends_with("fixed: disk full"));
        assert_eq!(diagnostics.spool_line(Some("disk full"), start + 2 * INTERVAL), None);
        assert_eq!(diagnostics.spool_line(None, start + 2 * INTERVAL).unwrap(), "the spool works again");
        // A disk that is full every other second is told of once a minute.
        diagnostics.spool_line(Some("disk full"), start + 3 * INTERVAL).unwrap();
        diagnostics.spool_line(None, start + 3 * INTERVAL).unwrap();
        assert_eq!(diagnostics.spool_line(Some("disk full"), start + 3 * INTERVAL + Duration::from_secs(1)), None);
        assert_eq!(diagnostics.spool_line(None, start + 3 * INTERVAL + Duration::from_secs(2)), None);
    }

    #[test]
    fn the_server_is_told_of_what_it_never_saw_and_of_nothing_else() {
        let mut diagnostics = Diagnostics::new(false, true, None);
        let start = crate::emit::clock::now();
        assert_eq!(diagnostics.summary(&lost(7), start), None);
        let mut stats = lost(7);
        stats.dropped[LossReason::Overflow as usize] = 40;
        stats.dropped[LossReason::Shed as usize] = 2;
        let event = diagnostics.summary(&stats, start).unwrap();
        assert_eq!(event.message, "42 lost: 40 the queue was full, 2 shed to make room");
        assert_eq!((event.operation.as_ref(), event.severity), ("events lost", Severity::Warning));
        stats.dropped[LossReason::Overflow as usize] = 45;
        assert_eq!(diagnostics.summary(&stats, start + INTERVAL - Duration::from_millis(1)), None);
        assert_eq!(diagnostics.summary(&stats, start + INTERVAL).unwrap().message, "5 lost: 5 the queue was full");
        assert_eq!(diagnostics.summary(&stats, start + 2 * INTERVAL), None);
        assert_eq!(Diagnostics::new(true, false, None).summary(&stats, start), None);
    }
}
