//! The caller encodes into a buffer of its thread and appends that to one shared buffer; the worker swaps it and ships it.

use super::Ship;
use crate::event::{Encode, now_us};
use log::{Log, Metadata, Record};
use std::cell::RefCell;
use std::fmt::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

const ROOM: usize = 1 << 20;

#[derive(Default)]
struct State {
    body: Vec<u8>,
    events: u64,
    stop: bool,
    /// The worker waits.
    idle: bool,
    /// Callers that wait for room.
    waiting: u32,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
    room: Condvar,
}

pub struct Buffer {
    shared: Arc<Shared>,
    worker: JoinHandle<()>,
}

impl Buffer {
    pub fn start(encode: Encode, ship: Ship) -> (Box<dyn Log>, Self) {
        let shared = Arc::new(Shared::default());
        let of_worker = Arc::clone(&shared);
        let worker = std::thread::spawn(move || work(&of_worker, ship));
        (Box::new(BufferLogger { shared: Arc::clone(&shared), encode }), Self { shared, worker })
    }

    pub fn finish(self) {
        self.shared.state.lock().expect("lock").stop = true;
        self.shared.more.notify_one();
        self.worker.join().expect("the worker");
    }
}

fn work(shared: &Shared, mut ship: Ship) {
    let mut body = Vec::with_capacity(ROOM);
    shared.state.lock().expect("lock").body.reserve(ROOM);
    loop {
        let mut state = shared.state.lock().expect("lock");
        while state.body.is_empty() && !state.stop {
            state.idle = true;
            state = shared.more.wait(state).expect("lock");
        }
        state.idle = false;
        if state.body.is_empty() {
            return;
        }
        std::mem::swap(&mut state.body, &mut body);
        let events = std::mem::take(&mut state.events);
        let somebody_waits = state.waiting > 0;
        drop(state);
        if somebody_waits {
            shared.room.notify_all();
        }
        ship(&body, events);
        body.clear();
    }
}

struct BufferLogger {
    shared: Arc<Shared>,
    encode: Encode,
}

/// What a thread keeps between its calls.
#[derive(Default)]
struct Scratch {
    message: String,
    json: Vec<u8>,
    total: u64,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl BufferLogger {
    fn append(&self, json: &[u8]) {
        let mut state = self.shared.state.lock().expect("lock");
        while state.body.len() + json.len() > ROOM {
            state.waiting += 1;
            state = self.shared.room.wait(state).expect("lock");
            state.waiting -= 1;
        }
        state.body.extend_from_slice(json);
        state.events += 1;
        let wake = state.idle;
        drop(state);
        if wake {
            self.shared.more.notify_one();
        }
    }
}

impl Log for BufferLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        SCRATCH.with_borrow_mut(|Scratch { message, json, total }| {
            message.clear();
            json.clear();
            write!(message, "{}", record.args()).expect("memory");
            (self.encode)(json, message, *total, now_us());
            json.push(b'\n');
            *total += 1;
            self.append(json);
        });
    }

    fn flush(&self) {}
}
