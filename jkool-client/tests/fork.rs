//! A daemon that was forked after its client was built, while other threads were emitting: nothing hangs there, and it is told.
//! Real processes, so this has a main of its own.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and this one is its own main")]

#[cfg(not(all(unix, feature = "http")))]
fn main() {}

#[cfg(all(unix, feature = "http"))]
fn main() {
    test::main();
}

#[cfg(all(unix, feature = "http"))]
#[path = "common/faults.rs"]
mod faults;

#[cfg(all(unix, feature = "http"))]
mod test {
    use super::faults::server::{Reply, Server};
    use super::faults::{MARGIN, PATIENCE, client, now};
    use daemonize::Daemonize;
    use jkool_client::{Admission, LossReason, Spool};
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Duration;

    const ROLE: &str = "JKOOL_TEST_FORK";
    const URL: &str = "JKOOL_TEST_FORK_URL";

    pub(super) fn main() {
        if let Some(folder) = std::env::var_os(ROLE) {
            return program(Path::new(&folder));
        }
        for round in 0..20 {
            let folder = std::env::temp_dir().join(format!("jkool-fork-{}-{round}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let server = Server::start();
            server.otherwise(Reply::Status(202));
            let mut command = Command::new(std::env::current_exe().unwrap());
            let status = command.env(ROLE, &folder).env(URL, server.url()).status().unwrap();
            assert!(status.success(), "{status}");
            let start = now();
            let result = loop {
                match fs::read_to_string(result(&folder)) {
                    Ok(text) if text.ends_with("end\n") => break text,
                    _ => assert!(start.elapsed() < PATIENCE, "the daemon hangs, round {round}"),
                }
                std::thread::yield_now();
            };
            assert_eq!(result, "forked\nall told\nend\n");
            let told = fs::read_to_string(folder.join("stderr")).unwrap();
            assert_eq!(told.matches("forked after the client was built").count(), 1, "{told}");
            fs::remove_dir_all(folder).unwrap();
        }
        println!("20 daemons: none hangs, and each is told");
    }

    fn result(folder: &Path) -> PathBuf {
        folder.join("result")
    }

    /// Emits from several threads, becomes a daemon, and goes on as if nothing had happened.
    fn program(folder: &Path) {
        let spool = Spool::new(folder.join("spool"));
        let client = client(std::env::var(URL).unwrap()).notices(true).spool(spool).build().unwrap();
        for _ in 0..4 {
            let client = client.clone();
            std::thread::spawn(move || {
                loop {
                    client.event("op").message("from a thread of the parent").emit();
                }
            });
        }
        let _some_delivered = client.flush(Duration::from_millis(20));
        let stderr = File::create(folder.join("stderr")).unwrap();
        Daemonize::new().stderr(stderr).start().unwrap();
        let start = now();
        let mut refused = 0;
        for _ in 0..200 {
            let admission = client.event("op").message("from the daemon").emit();
            refused += u64::from(admission == Admission::Dropped(LossReason::Forked));
        }
        // It asks the system at the first that waits, and at every 64th.
        let mut lines = if refused >= 136 { "forked\n".to_owned() } else { format!("{refused} refused\n") };
        let report = client.flush(PATIENCE);
        let durable = client.flush_durable(PATIENCE);
        let stats = client.stats();
        client.retry_now();
        let known = stats.dropped(LossReason::Forked) == refused && stats.accepted() == refused;
        let undelivered = !report.is_delivered() && !durable.is_durable();
        drop(client);
        let quick = start.elapsed() < MARGIN;
        lines += if known && undelivered && quick { "all told\n" } else { "not all\n" };
        // The line on standard error is written by a thread.
        while fs::read_to_string(folder.join("stderr")).unwrap().is_empty() && start.elapsed() < PATIENCE {}
        fs::write(result(folder), lines + "end\n").unwrap();
    }
}
