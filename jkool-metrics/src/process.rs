//! A snapshot of the resources that the process uses.

use crate::probe::{CATEGORY, Probe};
use jkool_client::model::{Property, Snapshot, TypedValue, ValueType};
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// This process.
#[derive(Debug)]
pub(crate) struct Process {
    system: System,
    /// The time of the last reading, and the CPU time used by then, if known.
    last: (Instant, Option<Duration>),
}

impl Process {
    pub(crate) fn new(now: Instant) -> Self {
        let mut process = Self { system: System::new(), last: (now, None) };
        process.last.1 = process.read().map(cpu_time);
        process
    }

    /// A forked process has an id of its own.
    fn read(&mut self) -> Option<&sysinfo::Process> {
        let id = Pid::from_u32(std::process::id());
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory().with_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, wanted);
        self.system.process(id)
    }
}

impl Probe for Process {
    fn look(&mut self, now: Instant) -> Option<Snapshot> {
        let (then, used) = self.last;
        let process = self.read()?;
        let cpu_time = cpu_time(process);
        let mut snapshot = Snapshot::builder("process").category(CATEGORY).build();
        let mut add = |name: &'static str, value: TypedValue, value_type: ValueType| {
            snapshot.properties.push(Property::new(name, value).value_type(value_type));
        };
        if let Some(percent) = used.and_then(|used| percent(cpu_time.saturating_sub(used), now - then)) {
            add("cpu", percent.into(), ValueType::Percent);
        }
        add("cpu-time", (cpu_time.as_millis() as u64).into(), ValueType::CounterMsec);
        add("memory", process.memory().into(), ValueType::SizeByte);
        add("virtual-memory", process.virtual_memory().into(), ValueType::SizeByte);
        add("uptime", process.run_time().into(), ValueType::AgeSec);
        let counts = [
            ("threads", process.tasks().map(|threads| threads.len())),
            ("open-files", process.open_files()),
            ("open-files-limit", process.open_files_limit()),
        ];
        for (name, count) in counts {
            if let Some(count) = count {
                add(name, count.into(), ValueType::Gauge);
            }
        }
        self.last = (now, Some(cpu_time));
        Some(snapshot)
    }
}

fn cpu_time(process: &sysinfo::Process) -> Duration {
    Duration::from_millis(process.accumulated_cpu_time())
}

/// CPU usage in percent of one core; more than 100 if several cores were used. `None` for an interval of no length.
fn percent(used: Duration, elapsed: Duration) -> Option<f64> {
    (!elapsed.is_zero()).then(|| 100.0 * used.as_secs_f64() / elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Process, percent};
    use crate::clock;
    use crate::probe::Probe;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn the_process_is_seen_as_the_system_sees_it() {
        let mut process = Process::new(clock::now());
        let value = |snapshot: &jkool_client::model::Snapshot, name: &str| {
            let property = snapshot.properties.iter().find(|property| property.name == name);
            property.and_then(|property| property.value.as_f64())
        };
        let block = vec![1_u8; 32 << 20];
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || stopped.recv());
        let snapshot = process.look(clock::now() + Duration::from_secs(1)).unwrap();
        assert!(value(&snapshot, "memory").unwrap() >= block.len() as f64);
        assert!(value(&snapshot, "cpu").unwrap() >= 0.0);
        assert!(value(&snapshot, "uptime").is_some() && value(&snapshot, "cpu-time").is_some());
        if cfg!(target_os = "linux") {
            assert!(value(&snapshot, "threads").unwrap() >= 2.0, "{snapshot:?}");
            let (open, limit) =
                (value(&snapshot, "open-files").unwrap(), value(&snapshot, "open-files-limit").unwrap());
            assert!(open >= 3.0 && open <= limit, "{open} {limit}");
        }
        drop(stop);
        assert!(thread.join().unwrap().is_err());
    }

    #[test]
    fn two_processors_at_work_are_200_percent() {
        assert_eq!(percent(Duration::from_secs(20), Duration::from_secs(10)), Some(200.0));
        assert_eq!(percent(Duration::ZERO, Duration::ZERO), None);
    }
}
