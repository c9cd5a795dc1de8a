//! Starts the library's threads.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that blocks all signals for the program: a SIGTERM that another thread waits for, or a SIGPIPE of a
/// closed connection, which by default ends a program.
pub fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    without_signals(|| Builder::new().name(name.into()).spawn(run))
}

/// A thread inherits the signal mask of the thread that starts it.
#[cfg(unix)]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal};
    // Signals for faults of this thread cannot be blocked, and profilers need theirs.
    let kept = [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGTRAP, Signal::SIGPROF];
    let mut blocked = SigSet::all();
    kept.into_iter().for_each(|signal| blocked.remove(signal));
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let started = start();
    if let Ok(before) = before {
        // This can only fail for an invalid mask.
        before.thread_set_mask().unwrap_or_default();
    }
    started
}

#[cfg(not(unix))]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    start()
}

#[cfg(all(test, unix))]
mod tests {
    use super::spawn;
    use nix::sys::signal::{SigSet, Signal};

    #[test]
    fn a_thread_of_ours_and_those_that_it_starts_take_no_signal() {
        let mask = || SigSet::thread_get_mask().unwrap();
        let before = mask();
        let ours = spawn("ours", move || [mask(), std::thread::spawn(mask).join().unwrap()]).unwrap().join().unwrap();
        for mask in ours {
            for signal in [Signal::SIGTERM, Signal::SIGPIPE, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1] {
                assert!(mask.contains(signal), "{signal}");
            }
            assert!(!mask.contains(Signal::SIGSEGV) && !mask.contains(Signal::SIGPROF));
        }
        assert_eq!(mask(), before);
    }
}
