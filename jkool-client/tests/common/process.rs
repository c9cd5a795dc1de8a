//! This program once more, as a child with a spool: what it does, and what its parent sees of it.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "this is a part of a test")]

use crate::faults::{PATIENCE, client, now};
use crate::spooled::{Folder, Number};
use jkool_client::{Admission, Client, Spool, SpoolMode};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Says what this process is to do, if it is a child.
pub const ROLE: &str = "JKOOL_TEST_ROLE";

/// How many threads of a child emit.
pub const THREADS: u32 = 3;

/// How far a thread may be ahead of what is durable.
const AHEAD: u32 = 8;

/// Nothing leaves by itself within a test.
const NEVER: Duration = Duration::from_secs(3600);

/// The accounts of a process at its end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub accepted: u64,
    pub recovered: u64,
    pub delivered: u64,
    pub spooled: u64,
    pub dropped: u64,
    pub maybe_duplicated: u64,
}

impl End {
    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.recovered += other.recovered;
        self.delivered += other.delivered;
        self.spooled += other.spooled;
        self.dropped += other.dropped;
        self.maybe_duplicated += other.maybe_duplicated;
    }
}

// What the child does.

pub fn child(role: &str) {
    let variable = |name: &str| std::env::var(name).unwrap();
    let round = variable("JKOOL_TEST_ROUND").parse().unwrap();
    let mode = if variable("JKOOL_TEST_MODE") == "overflow" { SpoolMode::Overflow } else { SpoolMode::WriteAhead };
    let spool = Spool::new(variable("JKOOL_TEST_FOLDER")).mode(mode);
    // One request at a time keeps the order.
    let builder = client(variable("JKOOL_TEST_URL")).http(|http| http.batches(100)).in_flight(1).spool(spool);
    match role {
        "emit" => emit_until_asked(&builder.in_flight(4).build().unwrap(), round),
        "drain" => {
            let client = builder.build().unwrap();
            assert!(client.flush(PATIENCE).is_delivered(), "{}", client.stats());
            assert!(client.shutdown(PATIENCE).is_delivered());
            tell(&client);
        }
        "exit" => {
            let client = builder.flush_interval(NEVER).build().unwrap();
            emit(&client, round, 1..=100);
            assert!(client.flush_durable(PATIENCE).is_durable());
            say("durable");
            emit(&client, round, 101..=105);
            std::process::exit(7);
        }
        "abort" => {
            let client = builder.flush_interval(NEVER).build().unwrap();
            emit(&client, round, 1..=100);
            assert!(client.flush_durable(PATIENCE).is_durable());
            emit(&client, round, 101..=105);
            // As a panic does with `panic = "abort"`.
            std::process::abort();
        }
        "panic" => {
            let client = builder.shutdown_timeout(Duration::from_secs(2)).build().unwrap();
            emit(&client, round, 1..=100);
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        "shutdown" => {
            let client = builder.build().unwrap();
            emit(&client, round, 1..=100);
            let report = client.shutdown(Duration::from_secs(1));
            assert!(report.is_durable() && report.spooled() == client.stats().spooled(), "{report}");
            tell(&client);
        }
        _ => panic!("no such role: {role}"),
    }
}

fn emit(client: &Client, round: u32, sequences: std::ops::RangeInclusive<u32>) {
    for sequence in sequences {
        emit_one(client, Number { round, thread: THREADS, sequence });
    }
}

fn emit_one(client: &Client, number: Number) {
    assert_eq!(client.event("op").message(number.message()).emit(), Admission::Accepted);
}

/// Several threads emit, and one says again and again how far each was when all that was durable.
fn emit_until_asked(client: &Client, round: u32) {
    let emitted: [AtomicU32; THREADS as usize] = Default::default();
    let (durable, advanced, done) = (Mutex::new([0; THREADS as usize]), Condvar::new(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for (thread, emitted) in (0..).zip(&emitted) {
            let (durable, advanced, done) = (&durable, &advanced, &done);
            scope.spawn(move || {
                for sequence in 1.. {
                    let ahead = |durable: &mut [u32; THREADS as usize]| {
                        sequence > durable[thread as usize] + AHEAD && !done.load(Ordering::SeqCst)
                    };
                    drop(advanced.wait_while(durable.lock().unwrap(), ahead).unwrap());
                    if done.load(Ordering::SeqCst) {
                        return;
                    }
                    emit_one(client, Number { round, thread, sequence });
                    emitted.store(sequence, Ordering::SeqCst);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let marks = emitted.each_ref().map(|emitted| emitted.load(Ordering::SeqCst));
                let report = client.flush_durable(PATIENCE);
                assert!(report.is_durable(), "{report}");
                say(&format!("durable {} {} {}", marks[0], marks[1], marks[2]));
                // The parent keeps a record of everything: there must not be too much of it.
                let _report = client.flush(Duration::from_millis(5));
                *durable.lock().unwrap() = marks;
                advanced.notify_all();
            }
        });
        let mut asked = String::new();
        std::io::stdin().read_line(&mut asked).unwrap();
        if asked.is_empty() {
            // The parent is gone.
            std::process::exit(1);
        }
        done.store(true, Ordering::SeqCst);
        drop(durable.lock().unwrap());
        advanced.notify_all();
    });
    say("ending");
    let report = client.shutdown(Duration::from_secs(1));
    assert_eq!(report.pending(), 0);
    tell(client);
}

/// One line in one write, so that there is all of it or nothing.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn tell(client: &Client) {
    let stats = client.stats();
    let sum = stats.delivered() + stats.spooled() + stats.in_memory() + stats.dropped_total();
    assert_eq!((stats.accepted() + stats.recovered(), stats.in_memory()), (sum, 0), "{stats}");
    say(&format!(
        "end {} {} {} {} {} {}",
        stats.accepted(),
        stats.recovered(),
        stats.delivered(),
        stats.spooled(),
        stats.dropped_total(),
        stats.maybe_duplicated()
    ));
}

// What the parent sees of it.

/// Runs what is added to it as process 1 of its own.
fn container() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child"]);
    command
}

/// Whether this user may make such containers on this machine.
pub fn has_containers() -> bool {
    container().arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

pub struct Process {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

impl Process {
    pub fn start(role: &str, url: &str, folder: &Folder, mode: &str, round: u32) -> Self {
        Self::start_by(Command::new(std::env::current_exe().unwrap()), role, url, folder, mode, round)
    }

    /// The same in a container of its own, as process 1.
    pub fn start_in_container(role: &str, url: &str, folder: &Folder, mode: &str, round: u32) -> Self {
        let mut command = container();
        command.arg(std::env::current_exe().unwrap());
        Self::start_by(command, role, url, folder, mode, round)
    }

    fn start_by(mut command: Command, role: &str, url: &str, folder: &Folder, mode: &str, round: u32) -> Self {
        command.env(ROLE, role).env("JKOOL_TEST_URL", url).env("JKOOL_TEST_FOLDER", folder.path());
        command.env("JKOOL_TEST_MODE", mode).env("JKOOL_TEST_ROUND", round.to_string());
        command.env_remove("JKOOL_TOKEN").env_remove("JKOOL_URL");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (said, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                said.send(line.unwrap()).unwrap_or_default();
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, lines, errors: Some(errors) }
    }

    /// The next line that it says, which must come.
    pub fn line(&mut self) -> String {
        match self.line_before(now() + PATIENCE) {
            Some(line) => line,
            None => panic!("it says nothing more: {}", self.errors()),
        }
    }

    /// None when it ends or the time is over.
    pub fn line_before(&self, deadline: Instant) -> Option<String> {
        let left = deadline.checked_duration_since(now())?;
        self.lines.recv_timeout(left).ok()
    }

    /// Kills it; all that it has said by then.
    pub fn kill(&mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let lines = self.lines.iter().collect();
        self.status();
        lines
    }

    /// Asks a child that emits to shut down; what it said before.
    pub fn ask_to_end(&mut self) -> Vec<String> {
        self.child.stdin.as_mut().unwrap().write_all(b"end\n").unwrap();
        let mut lines = Vec::new();
        loop {
            match self.line() {
                line if line == "ending" => return lines,
                line => lines.push(line),
            }
        }
    }

    /// Its last line, after which it ends well.
    pub fn end(&mut self) -> End {
        let line = self.line();
        assert!(self.status().success(), "{line}");
        let mut numbers = line.strip_prefix("end").unwrap().split_whitespace().map(|number| number.parse().unwrap());
        let mut next = || numbers.next().unwrap();
        End {
            accepted: next(),
            recovered: next(),
            delivered: next(),
            spooled: next(),
            dropped: next(),
            maybe_duplicated: next(),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// From now on it can write to no file, as on a full disk; or it can again.
    pub fn fill_disk(&self, full: bool) {
        let limits = getrlimit(Resource::Fsize);
        let current = if full { Some(0) } else { limits.maximum };
        prlimit(Some(self.pid()), Resource::Fsize, Rlimit { current, ..limits }).unwrap();
    }

    /// Waits for its end, without a word on standard error.
    pub fn status(&mut self) -> ExitStatus {
        match self.lines.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {}
            said => panic!("it goes on: {said:?} {}", self.errors()),
        }
        assert_eq!(self.errors(), "");
        self.child.wait().unwrap()
    }

    /// What it wrote on standard error until its end, which is now.
    fn errors(&mut self) -> String {
        self.child.kill().unwrap();
        self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already says so.
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}
