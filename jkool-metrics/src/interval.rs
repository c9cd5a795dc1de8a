//! The thread that sends snapshots at the end of each interval.

use crate::client_stats;
use crate::clock;
use crate::collect::Collector;
use crate::probe::Probe;
use crate::recorder::Recorder;
use jkool_client::model::Severity;
use jkool_client::{Client, spawn_thread};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// The thread, and the channel to it.
#[derive(Debug)]
pub(crate) struct Interval {
    asks: Sender<Ask>,
}

/// The requests to the thread; each is answered when it is done.
enum Ask {
    Send(SyncSender<()>),
    End(SyncSender<()>),
}

/// What the thread sends, and to which client.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) client: Client,
    pub(crate) collector: Collector,
    pub(crate) recorder: Recorder,
    /// Whether to send the client's statistics too.
    pub(crate) client_stats: bool,
    /// Values that are read instead of recorded.
    pub(crate) probes: Vec<Box<dyn Probe>>,
    /// How many refusals were reported, and when.
    pub(crate) told: Option<(u64, Instant)>,
}

/// In a forked process this thread does not exist, and requests are not answered.
const ANSWER: Duration = Duration::from_secs(5);

/// How often refused series are reported.
const TELL: Duration = Duration::from_secs(60);

impl Interval {
    pub(crate) fn start(every: Duration, sending: Sending) -> io::Result<Self> {
        let (asks, asked) = channel();
        spawn_thread("jkool-metrics", move || run(every, sending, &asked))?;
        Ok(Self { asks })
    }

    /// Sends the current interval, and waits until the client has it.
    pub(crate) fn send(&self) {
        self.ask(Ask::Send);
    }

    /// Sends the last interval.
    pub(crate) fn end(&self) {
        self.ask(Ask::End);
    }

    fn ask(&self, ask: impl FnOnce(SyncSender<()>) -> Ask) {
        let (done, is_done) = sync_channel(1);
        if self.asks.send(ask(done)).is_ok() {
            // Nothing can be done about an error here.
            is_done.recv_timeout(ANSWER).unwrap_or_default();
        }
    }
}

fn run(every: Duration, mut sending: Sending, asked: &Receiver<Ask>) {
    let mut next = clock::later(clock::now(), every);
    loop {
        let asked = asked.recv_timeout(next.saturating_duration_since(clock::now()));
        sending.send(clock::now());
        match asked {
            Ok(Ask::Send(done)) => done.send(()).unwrap_or_default(),
            Ok(Ask::End(done)) => {
                // Dropping the last handle of a client waits for its delivery, which must not happen on this thread.
                drop(sending);
                return done.send(()).unwrap_or_default();
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => next = after(next, every, clock::now()),
        }
    }
}

/// The end of the next interval; intervals during which the machine slept count as one.
fn after(last: Instant, every: Duration, now: Instant) -> Instant {
    let next = clock::later(last, every);
    if next > now { next } else { clock::later(now, every) }
}

impl Sending {
    fn send(&mut self, now: Instant) {
        for snapshot in self.collector.collect(now) {
            self.client.emit(snapshot);
        }
        for snapshot in self.probes.iter_mut().filter_map(|probe| probe.look(now)) {
            self.client.emit(snapshot);
        }
        let stats = self.recorder.stats();
        if self.client_stats {
            self.client.emit(client_stats::snapshot(&self.client.stats(), stats));
        }
        self.tell(stats.refused, now);
    }

    /// Reports refused series by an event: at the first, then once a minute while there are more.
    fn tell(&mut self, refused: u64, now: Instant) {
        let (told, at) = self.told.unzip();
        let is_recent = at.is_some_and(|at| now.saturating_duration_since(at) < TELL);
        if refused > told.unwrap_or(0) && !is_recent {
            self.told = Some((refused, now));
            self.client
                .event("metrics refused")
                .severity(Severity::Warning)
                .message(format!(
                    "too many series: {refused} new ones were recorded as the series with the label overflow, or \
                     dropped"
                ))
                .emit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::after;
    use crate::clock;
    use std::time::Duration;

    #[test]
    fn intervals_keep_their_beat_and_none_is_made_up_for() {
        let (start, second) = (clock::now(), Duration::from_secs(1));
        assert_eq!(after(start, second, start + second / 2), start + second);
        assert_eq!(after(start, second, start + second * 100), start + second * 101);
        assert!(after(start, Duration::MAX, start) > start);
    }
}
