//! The settings of the recorder.

use crate::clock;
use crate::collect::Collector;
use crate::error::InstallError;
use crate::guard::Guard;
use crate::interval::{Interval, Sending};
use crate::limits::Limits;
use crate::probe::Probe;
#[cfg(feature = "process")]
use crate::process::Process;
use crate::recorder::Recorder;
#[cfg(feature = "tokio")]
use crate::tokio_runtime::TokioRuntime;
use jkool_client::Client;
use jkool_client::model::Text;
use std::time::Duration;

/// Builds the [`Recorder`], and installs it. Everything has a default but the client.
///
/// ```
/// # use jkool_metrics::client::Client;
/// # use jkool_metrics::transport::MemoryTransport;
/// use std::time::Duration;
///
/// let client = Client::builder().transport(MemoryTransport::new()).build()?;
/// let _guard = jkool_metrics::builder().client(client).every(Duration::from_secs(30)).category("WebOrders").install()?;
/// metrics::counter!("orders").increment(1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `install` or `build`"]
pub struct Builder {
    client: Option<Client>,
    every: Duration,
    idle_after: Duration,
    max_series: usize,
    max_series_per_name: usize,
    category: Text,
    client_stats: bool,
    probes: Vec<Box<dyn Probe>>,
}

const SHORTEST: Duration = Duration::from_millis(10);

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            client: None,
            every: Duration::from_secs(10),
            idle_after: Duration::from_secs(300),
            max_series: 10_000,
            max_series_per_name: 1_000,
            category: "Metrics".into(),
            client_stats: false,
            probes: Vec::new(),
        }
    }

    /// The client that sends. Its source, properties and settings are those of the snapshots.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// How often the snapshots are sent; every 10 s unless said otherwise, and not more often than every 10 ms.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// How long a counter or a gauge that does not change is still sent; 5 minutes unless said otherwise. Then it takes no room any
    /// more, unless the program holds it, and a counter begins at 0 when it comes again. A histogram is sent when something came.
    pub fn idle_after(mut self, idle: Duration) -> Self {
        self.idle_after = idle;
        self
    }

    /// How many series there may be in all: metric names with a set of labels each; 10,000 unless said otherwise. What comes then is
    /// not recorded, is counted by [`Guard::stats`](crate::Guard::stats), and is told by an event.
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// How many sets of labels there may be of a metric name; 1,000 unless said otherwise. What comes then is recorded in one series
    /// together, which has the label `overflow = true` alone, and is counted and told as above. A gauge of that series is what was said
    /// last of any of them.
    pub fn max_series_per_name(mut self, series: usize) -> Self {
        self.max_series_per_name = series;
        self
    }

    /// The category of the snapshots; `Metrics` unless said otherwise.
    pub fn category(mut self, category: impl Into<Text>) -> Self {
        self.category = category.into();
        self
    }

    /// Whether each interval has a snapshot `jkool-client` of the category `jKool` too: what became of everything that the client was
    /// handed, and how many series there are. False unless said otherwise.
    pub fn client_stats(mut self, enabled: bool) -> Self {
        self.client_stats = enabled;
        self
    }

    /// Each interval has a snapshot `process` of the category `System` too: `cpu` in percent of one core, over the interval, `cpu-time`
    /// in milliseconds, `memory` and `virtual-memory` in bytes, `uptime` in seconds, and where the system tells them `threads`,
    /// `open-files` and `open-files-limit`.
    #[cfg(feature = "process")]
    pub fn process(mut self) -> Self {
        self.probes.push(Box::new(Process::new(clock::now())));
        self
    }

    /// Each interval has a snapshot `tokio` of the category `System` too, whose property `runtime` is this name: `workers`, `tasks`
    /// that live, `queue` of those that wait for a worker and came from outside, `busy` in percent of what all workers could have
    /// done in the interval, and `parks`, how often a worker found nothing to do in it. For several runtimes it is called for each.
    #[cfg(feature = "tokio")]
    pub fn tokio_runtime(mut self, name: impl Into<Text>, runtime: &tokio::runtime::Handle) -> Self {
        self.probes.push(Box::new(TokioRuntime::new(name.into(), runtime)));
        self
    }

    /// Starts the thread for the interval, and hands over the recorder for a program that composes its recorders by itself, or that
    /// records within `metrics::with_local_recorder`.
    ///
    /// # Errors
    /// When there is no client, a setting is out of its range, or the thread can't be started.
    pub fn build(self) -> Result<(Recorder, Guard), InstallError> {
        if self.every < SHORTEST {
            return Err(InstallError::Setting { setting: "every", reason: "can't be less than 10 ms" });
        }
        for (setting, value) in [("max_series", self.max_series), ("max_series_per_name", self.max_series_per_name)] {
            if value == 0 {
                return Err(InstallError::Setting { setting, reason: "can't be 0" });
            }
        }
        let client = self.client.ok_or(InstallError::NoClient)?;
        let recorder = Recorder::new(Limits::new(self.max_series_per_name, self.max_series));
        let collector = Collector::new(recorder.clone(), self.category, self.idle_after, clock::now());
        let sending = Sending {
            client: client.clone(),
            collector,
            recorder: recorder.clone(),
            client_stats: self.client_stats,
            probes: self.probes,
            told: None,
        };
        let interval = Interval::start(self.every, sending).map_err(InstallError::Thread)?;
        Ok((recorder.clone(), Guard::new(interval, client, recorder)))
    }

    /// Makes it the program's recorder, to which the macros of `metrics` talk. The recorder holds no client.
    ///
    /// # Errors
    /// As [`build`](Self::build), and [`InstallError::AlreadyInstalled`]; nothing stays behind then.
    pub fn install(self) -> Result<Guard, InstallError> {
        let (recorder, guard) = self.build()?;
        metrics::set_global_recorder(recorder).map_err(|_| InstallError::AlreadyInstalled)?;
        Ok(guard)
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;
    use jkool_client::Client;
    use jkool_client::transport::MemoryTransport;
    use std::time::Duration;

    fn refused(builder: Builder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        let client = Client::builder().transport(MemoryTransport::new()).build().unwrap();
        let fine = || Builder::new().client(client.clone());
        assert_eq!(refused(Builder::new()), "no client: pass one to `client`");
        assert_eq!(refused(fine().every(Duration::from_millis(9))), "every can't be less than 10 ms");
        assert_eq!(refused(fine().max_series(0)), "max_series can't be 0");
        assert_eq!(refused(fine().max_series_per_name(0)), "max_series_per_name can't be 0");
        let (_, guard) = fine().every(Duration::MAX).idle_after(Duration::MAX).max_series(usize::MAX).build().unwrap();
        guard.send_now();
    }
}
