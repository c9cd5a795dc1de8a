//! The caller formats the message and sends an owned record through a bounded channel; the worker encodes and ships batches.

use super::Ship;
use crate::event::{Encode, now_us};
use crossbeam_channel::{Receiver, Sender};
use log::kv::{Error, Key, Value, VisitSource};
use log::{Log, Metadata, Record};
use std::hint::black_box;
use std::thread::JoinHandle;

const ROOM: usize = 8192;
const BATCH: u64 = 512;

struct OwnedRecord {
    message: String,
    target: Box<str>,
    time: u64,
    key_values: Vec<(String, String)>,
}

/// The worker's end: `None` in the channel stops it.
pub struct Channel {
    sender: Sender<Option<OwnedRecord>>,
    worker: JoinHandle<()>,
}

impl Channel {
    pub fn start(encode: Encode, ship: Ship) -> (Box<dyn Log>, Self) {
        let (sender, receiver) = crossbeam_channel::bounded(ROOM);
        let worker = std::thread::spawn(move || work(&receiver, encode, ship));
        (Box::new(ChannelLogger(sender.clone())), Self { sender, worker })
    }

    pub fn finish(self) {
        self.sender.send(None).expect("the worker");
        self.worker.join().expect("the worker");
    }
}

fn work(receiver: &Receiver<Option<OwnedRecord>>, encode: Encode, mut ship: Ship) {
    let mut body = Vec::with_capacity(BATCH as usize * 1000);
    let mut total = 0;
    while let Ok(Some(first)) = receiver.recv() {
        body.clear();
        let mut events = 0;
        let mut next = Some(first);
        let mut stopped = false;
        while let Some(record) = next {
            black_box((&record.key_values, &record.target));
            encode(&mut body, &record.message, total, record.time);
            body.push(b'\n');
            total += 1;
            events += 1;
            if events == BATCH {
                break;
            }
            let got = receiver.try_recv().ok();
            stopped = matches!(got, Some(None));
            next = got.flatten();
        }
        ship(&body, events);
        if stopped {
            return;
        }
    }
}

struct ChannelLogger(Sender<Option<OwnedRecord>>);

impl Log for ChannelLogger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut key_values = Collect(Vec::new());
        record.key_values().visit(&mut key_values).expect("key-values");
        let owned = OwnedRecord {
            message: record.args().to_string(),
            target: record.target().into(),
            time: now_us(),
            key_values: key_values.0,
        };
        self.0.send(Some(owned)).expect("the worker");
    }

    fn flush(&self) {}
}

struct Collect(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Collect {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push((key.as_str().to_owned(), value.to_string()));
        Ok(())
    }
}
