//! What this process has used so far.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::time::{ClockId, clock_gettime};
use std::ops::Sub;
use std::time::Duration;

/// CPU time of the process, all threads together, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Cpu {
    pub user_us: u64,
    pub sys_us: u64,
}

impl Cpu {
    pub fn of_process() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("getrusage");
        let us = |time: TimeVal| time.num_microseconds() as u64;
        Self { user_us: us(usage.user_time()), sys_us: us(usage.system_time()) }
    }

    pub fn total_us(self) -> u64 {
        self.user_us + self.sys_us
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { user_us: self.user_us - earlier.user_us, sys_us: self.sys_us - earlier.sys_us }
    }
}

/// CPU time of the calling thread.
pub fn cpu_of_thread() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the thread's clock").into()
}

/// The most memory that the process has had at once, in KiB.
pub fn peak_memory_kib() -> u64 {
    status_kib("VmHWM:")
}

/// The memory that the process has now, in KiB: its own, and that of mapped files, which the system may take back.
pub fn memory_kib() -> (u64, u64) {
    (status_kib("RssAnon:"), status_kib("RssFile:"))
}

fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let said = status.lines().find_map(|line| line.strip_prefix(name));
    said.and_then(|said| said.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
