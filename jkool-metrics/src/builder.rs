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

/// Builds the [`Recorder`] and installs it. Every setting has a default except the client.
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

    /// Sets the client that sends the snapshots. They get its source, properties and settings.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Sets the interval at which snapshots are sent. The default is 10 s, the minimum 10 ms.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// Sets how long a counter or gauge that does not change is still sent. The default is 5 minutes. After that it is removed,
    /// unless the program holds its handle; a removed counter starts at 0 when it is used again. A histogram is only sent if
    /// values were recorded.
    pub fn idle_after(mut self, idle: Duration) -> Self {
        self.idle_after = idle;
        self
    }

    /// Sets the maximum number of series in total: metric names, each with a set of labels. The default is 10,000. Further
    /// series are not recorded, counted by [`Guard::stats`](crate::Guard::stats), and reported by an event.
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// Sets the maximum number of label sets for each metric name. The default is 1,000. Further ones are recorded in one
    /// common series that has only the label `overflow = true`, and are counted and reported as above. A gauge of that series
    /// has the value that was set last in any of them.
    pub fn max_series_per_name(mut self, series: usize) -> Self {
        self.max_series_per_name = series;
        self
    }

    /// Sets the category of the snapshots. The default is `Metrics`.
    pub fn category(mut self, category: impl Into<Text>) -> Self {
        self.category = category.into();
        self
    }

    /// Sets whether each interval also sends a snapshot `jkool-client` of the category `jKool`, with the delivery statistics of
    /// the client and the number of series. The default is false.
    pub fn client_stats(mut self, enabled: bool) -> Self {
        self.client_stats = enabled;
        self
    }

    /// Adds a snapshot `process` of the category `System` to each interval: `cpu` in percent of one core over the interval,
    /// `cpu-time` in milliseconds, `memory` and `virtual-memory` in bytes, `uptime` in seconds, and, on systems that provide
    /// them, `threads`, `open-files` and `open-files-limit`.
    #[cfg(feature = "process")]
    pub fn process(mut self) -> Self {
        self.probes.push(Box::new(Process::new(clock::now())));
        self
    }

    /// Adds a snapshot `tokio` of the category `System` to each interval, with this name as the property `runtime`: the number
    /// of `workers`; `tasks` that are alive; `queue`, the tasks in the injection queue, which wait for a worker; `busy`, in
    /// percent of the time of all workers in the interval; and `parks`, how often a worker found no work in the interval. Call
    /// it once for each runtime.
    #[cfg(feature = "tokio")]
    pub fn tokio_runtime(mut self, name: impl Into<Text>, runtime: &tokio::runtime::Handle) -> Self {
        self.probes.push(Box::new(TokioRuntime::new(name.into(), runtime)));
        self
    }

    /// Starts the thread and returns the recorder, for a program that composes several recorders or uses
    /// `metrics::with_local_recorder`.
    ///
    /// # Errors
    /// If there is no client, a setting is out of range, or the thread cannot be started.
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

    /// Starts the thread and installs the recorder for the macros of `metrics`. The recorder does not keep the client alive.
    ///
    /// # Errors
    /// As [`build`](Self::build), and [`InstallError::AlreadyInstalled`]. After an error, nothing keeps running.
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
