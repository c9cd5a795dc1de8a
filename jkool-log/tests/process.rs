//! How processes end, and what arrives then. Each case starts this program again as a child that logs over HTTP to a server
//! of this one's; the child's `main` is a real one, and ends, panics, exits or is killed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and this one is its own harness")]

#[cfg(all(unix, feature = "http"))]
#[allow(dead_code, unreachable_pub, clippy::expect_used, reason = "shared with the tests of jkool-transport")]
#[path = "../../jkool-transport/tests/common/server.rs"]
mod server;

#[cfg(all(unix, feature = "http"))]
fn main() {
    match std::env::var(cases::ROLE) {
        Ok(role) => cases::child(&role),
        Err(_) => cases::run_all(),
    }
}

#[cfg(not(all(unix, feature = "http")))]
fn main() {}

#[cfg(all(unix, feature = "http"))]
mod cases {
    use super::server::{Reply, Server};
    use jkool_log::Builder;
    use jkool_log::client::Client;
    use log::{error, info};
    use rustix::process::{Pid, Signal, kill_process};
    use std::collections::BTreeSet;
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// Says what this process is to do, if it is a child.
    pub(super) const ROLE: &str = "JKOOL_TEST_ROLE";
    const PATIENCE: Duration = Duration::from_secs(60);
    /// Nothing leaves by itself within a test.
    const NEVER: Duration = Duration::from_secs(3600);

    type Case = (&'static str, fn());

    const CASES: &[Case] = &[
        ("the_normal_end_of_main_delivers_all", the_normal_end_of_main_delivers_all),
        ("a_panic_in_main_delivers_all", a_panic_in_main_delivers_all),
        ("a_panic_in_a_thread_delivers_all", a_panic_in_a_thread_delivers_all),
        ("an_exit_loses_what_was_in_memory_and_no_more", an_exit_loses_what_was_in_memory_and_no_more),
        ("an_exit_does_not_wait_for_a_server", an_exit_does_not_wait_for_a_server),
        ("an_abort_loses_what_was_in_memory_and_no_more", an_abort_loses_what_was_in_memory_and_no_more),
        ("sigterm_ends_it_at_once", sigterm_ends_it_at_once),
        ("the_end_of_main_waits_for_a_server_only_so_long", the_end_of_main_waits_for_a_server_only_so_long),
        ("main_can_end_without_a_guard", main_can_end_without_a_guard),
    ];

    /// Understands what `cargo test` passes on: a part of a name, `--exact`, `--list`.
    pub(super) fn run_all() {
        let args: Vec<_> = std::env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        let filter = args.iter().find(|arg| !arg.starts_with('-'));
        let is_meant =
            |name: &str| filter.is_none_or(|part| if has("--exact") { name == part } else { name.contains(part) });
        let ignored = has("--ignored");
        for (name, case) in CASES.iter().filter(|(name, _)| !ignored && is_meant(name)) {
            if has("--list") {
                println!("{name}: test");
            } else {
                println!("test {name} ...");
                case();
            }
        }
    }

    // What the child does.

    fn builder() -> Builder {
        let url = std::env::var("JKOOL_TEST_URL").unwrap();
        let source = "APPL=child".parse().unwrap();
        let settings = jkool_log::builder().url(url).source(source).shutdown_timeout(PATIENCE);
        // Less than 32 events wait until the end.
        settings.configure(|client| client.flush_interval(NEVER).notices(false))
    }

    fn log(numbers: std::ops::Range<u32>) {
        for number in numbers {
            info!("record {number}");
        }
    }

    /// Tells the parent the accounts: accepted, delivered, in memory, dropped.
    fn tell(client: &Client) {
        let stats = client.stats();
        println!("{} {} {} {}", stats.accepted(), stats.delivered(), stats.in_memory(), stats.dropped_total());
    }

    pub(super) fn child(role: &str) {
        let settings =
            if role == "impatient" { builder().shutdown_timeout(Duration::from_millis(20)) } else { builder() };
        let guard = settings.install().unwrap();
        log(0..100);
        match role {
            "end" => {}
            "impatient" => {
                let client = guard.client().clone();
                drop(guard);
                tell(&client);
            }
            "panic" => panic!("on purpose"),
            "thread" => {
                let thread = std::thread::spawn(|| {
                    log(100..110);
                    std::panic::resume_unwind(Box::new("on purpose"));
                });
                thread.join().unwrap_err();
                error!("record 110");
            }
            "exit" | "abort" => {
                assert!(guard.flush(PATIENCE).is_delivered());
                log(100..120);
                tell(guard.client());
                if role == "exit" { std::process::exit(7) } else { std::process::abort() }
            }
            "exit at once" => std::process::exit(7),
            "forget" => {
                assert!(guard.flush(PATIENCE).is_delivered());
                log(100..120);
                tell(guard.client());
                std::mem::forget(guard);
            }
            "wait" => {
                assert!(guard.flush(PATIENCE).is_delivered());
                log(100..120);
                tell(guard.client());
                // Until the parent is gone, at the latest.
                let mut nothing = String::new();
                std::io::stdin().read_line(&mut nothing).unwrap();
            }
            _ => panic!("no such role: {role}"),
        }
    }

    // What the parent sees of it.

    fn start(role: &str, server: &Server) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ROLE, role).env("JKOOL_TEST_URL", server.url()).env("RUST_BACKTRACE", "0");
        command.env_remove("JKOOL_TOKEN").env_remove("JKOOL_URL");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn pid(child: &Child) -> Pid {
        Pid::from_raw(child.id().try_into().unwrap()).unwrap()
    }

    /// Waits for its end, which must come. What it wrote on standard output and error.
    fn end(mut child: Child) -> (ExitStatus, String, String) {
        let (pid, stdin) = (pid(&child), child.stdin.take());
        let (ended, is_ended) = channel();
        let waiting = std::thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            ended.send(()).unwrap_or_default();
            output
        });
        let in_time = is_ended.recv_timeout(PATIENCE).is_ok();
        if !in_time {
            kill_process(pid, Signal::KILL).unwrap();
        }
        let output = waiting.join().unwrap();
        drop(stdin);
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(in_time, "the child hung: {out} {err}");
        (output.status, out, err)
    }

    fn run(role: &str, server: &Server) -> (ExitStatus, String, String) {
        end(start(role, server))
    }

    /// Exactly these records have come, each once.
    fn assert_arrived(server: &Server, records: std::ops::Range<u32>) {
        let requests = server.requests();
        let numbers: BTreeSet<u32> = requests
            .iter()
            .map(|request| {
                let text = request.text();
                let (_, rest) = text.split_once(r#""msg-text":"record "#).unwrap();
                rest.split_once('"').unwrap().0.parse().unwrap()
            })
            .collect();
        assert_eq!(requests.len(), records.len());
        assert_eq!(numbers, records.collect());
    }

    fn the_normal_end_of_main_delivers_all() {
        let server = Server::start();
        let (status, _, err) = run("end", &server);
        assert_eq!((status.code(), &*err), (Some(0), ""));
        assert_arrived(&server, 0..100);
    }

    fn a_panic_in_main_delivers_all() {
        let server = Server::start();
        let (status, _, err) = run("panic", &server);
        assert_eq!(status.code(), Some(101));
        assert!(err.contains("on purpose"), "{err}");
        assert_arrived(&server, 0..100);
    }

    fn a_panic_in_a_thread_delivers_all() {
        let server = Server::start();
        let (status, _, err) = run("thread", &server);
        assert_eq!((status.code(), &*err), (Some(0), ""));
        assert_arrived(&server, 0..111);
    }

    /// What a child told that delivered 100 and then logged 20 more: the law holds, and what the server has is what it says.
    fn assert_told(server: &Server, told: &str) {
        assert_eq!(told, "120 100 20 0\n");
        assert_arrived(server, 0..100);
    }

    fn an_exit_loses_what_was_in_memory_and_no_more() {
        let server = Server::start();
        let (status, told, err) = run("exit", &server);
        assert_eq!((status.code(), &*err), (Some(7), ""));
        assert_told(&server, &told);
    }

    fn an_exit_does_not_wait_for_a_server() {
        let server = Server::start();
        server.script(vec![Reply::Stall; 100]);
        let (status, _, err) = run("exit at once", &server);
        assert_eq!((status.code(), &*err), (Some(7), ""));
    }

    fn an_abort_loses_what_was_in_memory_and_no_more() {
        let server = Server::start();
        let (status, told, err) = run("abort", &server);
        assert_eq!((status.signal(), &*err), (Some(Signal::ABORT.as_raw()), ""));
        assert_told(&server, &told);
    }

    fn main_can_end_without_a_guard() {
        let server = Server::start();
        let (status, told, err) = run("forget", &server);
        assert_eq!((status.code(), &*err), (Some(0), ""));
        assert_told(&server, &told);
    }

    fn sigterm_ends_it_at_once() {
        let server = Server::start();
        let mut child = start("wait", &server);
        let mut told = String::new();
        // It tells when it is as far.
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut told).unwrap();
        kill_process(pid(&child), Signal::TERM).unwrap();
        let (status, _, err) = end(child);
        stdout.read_to_string(&mut told).unwrap();
        assert_eq!((status.signal(), &*err), (Some(Signal::TERM.as_raw()), ""));
        assert_told(&server, &told);
    }

    fn the_end_of_main_waits_for_a_server_only_so_long() {
        let server = Server::start();
        server.script(vec![Reply::Stall; 100]);
        // Each request would be given up after half a minute, and tried again.
        let (status, told, err) = run("impatient", &server);
        assert_eq!((status.code(), &*told, &*err), (Some(0), "100 0 0 100\n", ""));
    }
}
