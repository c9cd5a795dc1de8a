//! Facts about the machine, the process and the thread.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The process and the machine, determined once when the client is built.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// The address in the network, as far as the machine knows it.
    pub(crate) address: String,
    /// Empty in a container without a name.
    pub(crate) user: String,
    pub(crate) program: String,
    pub(crate) pid: u32,
}

impl Host {
    pub(crate) fn look(env: impl Fn(&str) -> Option<String>) -> Self {
        let program =
            std::env::current_exe().ok().and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
        Self {
            name: tidy(&gethostname::gethostname().to_string_lossy()),
            address: address().unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string()),
            user: ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(env).map(|user| tidy(&user)).unwrap_or_default(),
            program: tidy(&program.unwrap_or_default()),
            pid: std::process::id(),
        }
    }
}

/// Converts a text to a valid name in a source.
fn tidy(name: &str) -> String {
    match name.trim() {
        "" => "unknown".into(),
        name => name.replace(|c: char| matches!(c, '#' | '=') || c.is_control(), "_"),
    }
}

/// Asks the routing table which local address would be used; connecting a UDP socket sends nothing. The addresses are
/// reserved for documentation.
fn address() -> Option<String> {
    let from = |unspecified: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((unspecified, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
    };
    let v4 = from(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    // A machine may have IPv6 only.
    let v6 = || from(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    Some(v4.or_else(v6)?.to_string())
}

/// Numbers the threads in the order of their first event.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Thread = Thread { tid: tid(), number: THREADS.fetch_add(1, Ordering::Relaxed) };
}

/// The name and the number of a thread.
#[derive(Clone, Copy)]
struct Thread {
    tid: i64,
    number: usize,
}

/// The number of the current thread in the system's tools; on systems other than Linux, our own number.
pub(crate) fn current_tid() -> i64 {
    THREAD.try_with(|thread| thread.tid).unwrap_or_else(|_| tid())
}

/// Our own number of the current thread: threads that start one after the other have different ones.
pub(crate) fn thread_number() -> usize {
    THREAD.try_with(|thread| thread.number).unwrap_or(0)
}

#[cfg(target_os = "linux")]
fn tid() -> i64 {
    rustix::thread::gettid().as_raw_nonzero().get().into()
}

#[cfg(not(target_os = "linux"))]
fn tid() -> i64 {
    // `ThreadId(7)`: there is no other stable way to get the number.
    let id = format!("{:?}", std::thread::current().id());
    id.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Host, current_tid, tidy};

    #[test]
    fn a_host_is_always_fit_for_a_source() {
        let host = Host::look(|_| None);
        for name in [&host.name, &host.address, &host.program] {
            assert!(!name.is_empty() && !name.contains(['#', '=']), "{name:?}");
        }
        assert_eq!(host.user, "");
        assert_eq!(Host::look(|name| (name == "LOGNAME").then(|| "bob".into())).user, "bob");
        assert_eq!(tidy(" a=b#c\n "), "a_b_c");
    }

    #[test]
    fn each_thread_has_its_number() {
        let here = current_tid();
        assert_eq!(here, current_tid());
        assert_ne!(here, std::thread::spawn(current_tid).join().unwrap());
    }
}
