//! A server that takes lines and answers nothing.

use std::io::{BufRead, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

pub struct LineServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Complete lines, over all connections.
    lines: Vec<String>,
    connections: Vec<TcpStream>,
}

impl LineServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let server = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = stream.try_clone().expect("another handle");
                shared.state.lock().expect("the state").connections.push(connection);
                let shared = Arc::clone(&shared);
                thread::spawn(move || read(BufReader::new(stream), &shared));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// All lines, once there are so many.
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        let state = self.shared.state.lock().expect("the state");
        let (state, late) = self
            .shared
            .changed
            .wait_timeout_while(state, super::LONG / 2, |state| state.lines.len() < count)
            .expect("the state");
        assert!(!late.timed_out(), "{} lines of {count}", state.lines.len());
        state.lines.clone()
    }

    /// Ends all connections, and forgets what came, as a server that dies with what it had not dealt with yet.
    pub fn lose_all(&self) {
        let mut state = self.shared.state.lock().expect("the state");
        for connection in state.connections.drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
        state.lines.clear();
    }
}

fn read(mut stream: BufReader<TcpStream>, shared: &Shared) {
    let mut line = String::new();
    while stream.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
        line.pop();
        shared.state.lock().expect("the state").lines.push(std::mem::take(&mut line));
        shared.changed.notify_all();
    }
}
