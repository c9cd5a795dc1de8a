//! A snapshot of the metrics of a tokio runtime.

use crate::probe::{CATEGORY, Probe};
use jkool_client::model::{Property, Snapshot, Text, TypedValue, ValueType};
use std::fmt;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio_metrics::{RuntimeIntervals, RuntimeMonitor};

/// A runtime.
pub(crate) struct TokioRuntime {
    name: Text,
    /// Metrics since the last call.
    intervals: RuntimeIntervals,
}

impl TokioRuntime {
    pub(crate) fn new(name: Text, runtime: &Handle) -> Self {
        Self { name, intervals: RuntimeMonitor::new(runtime).intervals() }
    }
}

impl fmt::Debug for TokioRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioRuntime").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Probe for TokioRuntime {
    fn look(&mut self, _now: Instant) -> Option<Snapshot> {
        let done = self.intervals.next()?;
        let mut snapshot = Snapshot::builder("tokio").category(CATEGORY).build();
        let mut add = |name: &'static str, value: TypedValue, value_type: ValueType| {
            snapshot.properties.push(Property::new(name, value).value_type(value_type));
        };
        add("runtime", self.name.clone().into(), ValueType::None);
        add("workers", done.workers_count.into(), ValueType::Gauge);
        add("tasks", done.live_tasks_count.into(), ValueType::Gauge);
        add("queue", done.global_queue_depth.into(), ValueType::Gauge);
        add("parks", done.total_park_count.into(), ValueType::Absolute);
        let could = done.elapsed.as_secs_f64() * done.workers_count as f64;
        if could > 0.0 {
            let busy = 100.0 * done.total_busy_duration.as_secs_f64() / could;
            add("busy", busy.into(), ValueType::Percent);
        }
        Some(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::TokioRuntime;
    use crate::clock;
    use crate::probe::Probe;
    use tokio::runtime::Builder;
    use tokio::sync::oneshot;

    #[test]
    fn workers_and_tasks_are_counted() {
        let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let mut probe = TokioRuntime::new("orders".into(), runtime.handle());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = runtime.spawn(stopped);
        let snapshot = probe.look(clock::now()).unwrap();
        let value = |name: &str| {
            let property = snapshot.properties.iter().find(|property| property.name == name);
            &property.unwrap_or_else(|| panic!("{name} in {snapshot:?}")).value
        };
        assert_eq!(value("runtime").as_str(), Some("orders"));
        assert_eq!((value("workers").as_i64(), value("tasks").as_i64()), (Some(2), Some(1)));
        assert!(value("busy").as_f64().unwrap() >= 0.0 && value("parks").as_i64().unwrap() >= 0);
        drop(stop);
        assert!(runtime.block_on(task).unwrap().is_err());
    }
}
