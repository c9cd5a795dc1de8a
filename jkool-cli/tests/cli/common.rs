//! The real command, and a collector for it.
#![allow(dead_code, reason = "each test uses a part of it")]

use jkool_collector::{Collector, Filter, Record, Stored};
use jkool_model::{Entity, Timestamp};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The command, in an environment that says nothing.
pub(crate) fn jkool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jkool"));
    for variable in ["JKOOL_TOKEN", "JKOOL_URL", "NO_COLOR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(args: &[&str]) -> Ran {
    jkool(args).output().unwrap().into()
}

/// A run with something on its standard input.
pub(crate) fn run_with(args: &[&str], input: &str) -> Ran {
    let mut child = jkool(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

pub(crate) fn collector() -> Collector {
    Collector::builder().listen("127.0.0.1:0").start().unwrap()
}

/// Everything that is stored, the oldest first.
pub(crate) fn stored(collector: &Collector) -> Vec<Stored> {
    let all = collector.store().read_now(|reader| reader.find_after(&Filter::default(), 1_000_000, None, now()));
    all.unwrap()
}

/// The numbers at the ends of the messages that are stored.
pub(crate) fn numbers(collector: &Collector) -> BTreeSet<u64> {
    let number = |stored: &Stored| match &stored.entity {
        Entity::Event(event) => event.message.rsplit(' ').next()?.parse().ok(),
        _ => None,
    };
    stored(collector).iter().filter_map(number).collect()
}

/// Stores straight away.
pub(crate) fn store(collector: &Collector, entities: &[&str]) {
    let records = entities.iter().map(|json| Record::read(json.as_bytes().to_vec().into(), now()).unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(collector.store().append(records)).unwrap();
}

pub(crate) fn now() -> Timestamp {
    jkool_collector::Clock::default().now()
}

/// Asks again and again until the answer is there.
#[allow(clippy::disallowed_methods, reason = "a test's deadline")]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Stores something new, over and over on a thread, until `done`: only that shows that a tail has begun.
pub(crate) fn while_storing<T>(collector: &Collector, done: impl FnOnce() -> T) -> T {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0.. {
                let time = now().as_usec();
                let knock =
                    format!(r#"{{"operation":"Knock","msg-text":"{number}","time-usec":{time},"severity":"DEBUG"}}"#);
                let error =
                    format!(r#"{{"operation":"Fail","msg-text":"{number}","time-usec":{time},"severity":"ERROR"}}"#);
                store(collector, &[&knock, &error]);
                if stopped.recv_timeout(std::time::Duration::from_millis(20))
                    != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    return;
                }
            }
        });
        let result = done();
        drop(stop);
        result
    })
}

/// A port of this machine at which nobody listens, kept so that nobody else gets it.
pub(crate) struct Nobody(tokio::net::TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

/// A file that is gone with the test.
pub(crate) struct TempFile(pub(crate) std::path::PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str, content: &str) -> Self {
        let file = Self::missing(name);
        std::fs::write(&file.0, content).unwrap();
        file
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("jkool-cli-{}-{name}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        for suffix in ["", ".old", ".converting", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            drop(std::fs::remove_dir_all(&path));
            drop(std::fs::remove_file(path));
        }
    }
}
