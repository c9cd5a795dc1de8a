//! A VictoriaLogs server of its own for a test: the real program, where it is installed.

use super::place::eventually;
use crate::common::Folder;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};

/// The program's path is in this variable; without it the tests that need it are skipped.
const PROGRAM: &str = "VICTORIA_LOGS";

pub(crate) struct Server {
    program: PathBuf,
    folder: Folder,
    port: u16,
    child: Option<Child>,
    /// Of the front of a cluster, those behind it.
    pub(crate) nodes: Vec<Server>,
}

impl Server {
    /// `None` where VictoriaLogs is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::before(Vec::new())
    }

    /// The front of a cluster of two.
    pub(crate) fn cluster() -> Option<Self> {
        Self::before(vec![Self::start()?, Self::start()?])
    }

    #[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
    fn before(nodes: Vec<Self>) -> Option<Self> {
        let Some(program) = std::env::var_os(PROGRAM) else {
            eprintln!("SKIPPED: {PROGRAM} names no program");
            return None;
        };
        // Free now; that somebody else takes it at this moment would fail the test at once.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { program: program.into(), folder: Folder::new(), port, child: None, nodes };
        server.go_on();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it, or starts it again.
    pub(crate) fn go_on(&mut self) {
        let log = File::create(self.folder.path("log")).unwrap();
        let nodes = self.nodes.iter().map(|node| format!("-storageNode=127.0.0.1:{}", node.port));
        let child = Command::new(&self.program)
            .args(nodes)
            .arg(format!("-storageDataPath={}", self.folder.path("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{}", self.port))
            .args(["-retentionPeriod=100y", "-inmemoryDataFlushInterval=1s", "-memory.allowedBytes=64MiB"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        eventually("it starts", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// Asks it something, past the store, and returns what it says.
    pub(crate) fn ask(&self, path: &str, body: &str) -> String {
        let kind =
            if path.starts_with("/insert") { "application/stream+json" } else { "application/x-www-form-urlencoded" };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.0\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 ") || head.contains(" 204 "), "{head}");
        body.to_owned()
    }

    /// Ends it with SIGKILL: what it has in memory is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
