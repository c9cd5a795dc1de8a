//! What it costs to hand 700 bytes to another thread.

use super::{Row, Running};
use crate::delivers::Delivers;
use jkool_benches::delivered;
use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "floor:chan-crossbeam",
        delivers: Delivers::Everything,
        about: "allocate and copy 700 B, crossbeam bounded(8192) send (blocks), a thread drains",
        start: |_| crossbeam(),
    },
    Row {
        name: "floor:chan-crossbeam-try",
        delivers: Delivers::WhatFits,
        about: "the same with try_send (drops)",
        start: |_| crossbeam_try(),
    },
    Row {
        name: "floor:chan-std",
        delivers: Delivers::Everything,
        about: "the same, std sync_channel(8192) send (blocks)",
        start: |_| std_channel(),
    },
    Row {
        name: "floor:chan-tokio",
        delivers: Delivers::Everything,
        about: "the same, tokio mpsc(8192) blocking_send",
        start: |_| tokio_channel(),
    },
    Row {
        name: "floor:mutex-buf",
        delivers: Delivers::Everything,
        about: "append 700 B to a buffer behind a mutex (1 MiB, blocks), a thread swaps it",
        start: |_| buffer(),
    },
];

const EVENT: [u8; 700] = [b'x'; 700];
const ROOM: usize = 8192;

fn crossbeam() -> Running {
    let (sender, receiver) = crossbeam_channel::bounded(ROOM);
    let end = sender.clone();
    queue(
        move |event| sender.send(event).expect("the worker"),
        move |event| end.send(event).expect("the worker"),
        move || receiver.recv().ok(),
    )
}

fn crossbeam_try() -> Running {
    let (sender, receiver) = crossbeam_channel::bounded(ROOM);
    let end = sender.clone();
    queue(
        move |event| sender.try_send(event).unwrap_or_else(drop),
        move |event| end.send(event).expect("the worker"),
        move || receiver.recv().ok(),
    )
}

fn std_channel() -> Running {
    let (sender, receiver) = std::sync::mpsc::sync_channel(ROOM);
    let end = sender.clone();
    queue(
        move |event| sender.send(event).expect("the worker"),
        move |event| end.send(event).expect("the worker"),
        move || receiver.recv().ok(),
    )
}

fn tokio_channel() -> Running {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(ROOM);
    let end = sender.clone();
    queue(
        move |event| sender.blocking_send(event).expect("the worker"),
        move |event| end.blocking_send(event).expect("the worker"),
        move || receiver.blocking_recv(),
    )
}

/// A thread that drops what it receives; an empty event ends it.
fn queue(
    send: impl Fn(Vec<u8>) + Send + Sync + 'static,
    send_last: impl FnOnce(Vec<u8>) + 'static,
    mut receive: impl FnMut() -> Option<Vec<u8>> + Send + 'static,
) -> Running {
    let worker = std::thread::spawn(move || {
        while let Some(event) = receive().filter(|event| !event.is_empty()) {
            black_box(&event);
            delivered::add(1);
        }
    });
    let finish = move || {
        send_last(Vec::new());
        worker.join().expect("the worker");
    };
    Running::direct(move |_| send(EVENT.to_vec()), finish)
}

#[derive(Default)]
struct Buffer {
    state: Mutex<State>,
    more: Condvar,
    room: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    stop: bool,
    /// The worker waits.
    idle: bool,
}

const BUFFER_ROOM: usize = 1 << 20;

fn buffer() -> Running {
    let buffer = Arc::new(Buffer::default());
    buffer.state.lock().expect("lock").bytes.reserve(BUFFER_ROOM);
    let [of_worker, of_end] = [Arc::clone(&buffer), Arc::clone(&buffer)];
    let worker = std::thread::spawn(move || of_worker.drain());
    let finish = move || {
        of_end.state.lock().expect("lock").stop = true;
        of_end.more.notify_one();
        worker.join().expect("the worker");
    };
    Running::direct(move |_| buffer.append(&EVENT), finish)
}

impl Buffer {
    fn append(&self, event: &[u8]) {
        let mut state = self.state.lock().expect("lock");
        while state.bytes.len() + event.len() > BUFFER_ROOM {
            state = self.room.wait(state).expect("lock");
        }
        state.bytes.extend_from_slice(event);
        let wake = state.idle;
        drop(state);
        if wake {
            self.more.notify_one();
        }
    }

    fn drain(&self) {
        let mut mine = Vec::with_capacity(BUFFER_ROOM);
        loop {
            let mut state = self.state.lock().expect("lock");
            while state.bytes.is_empty() && !state.stop {
                state.idle = true;
                state = self.more.wait(state).expect("lock");
            }
            state.idle = false;
            if state.bytes.is_empty() {
                return;
            }
            std::mem::swap(&mut state.bytes, &mut mine);
            drop(state);
            self.room.notify_all();
            delivered::add((mine.len() / EVENT.len()) as u64);
            black_box(&mine);
            mine.clear();
        }
    }
}
