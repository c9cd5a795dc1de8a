//! The thread that reads the files.

use super::listing::{Found, list};
use super::lock;
use super::positions::{Known, Place};
use crate::lines::Lines;
use crate::source::{Next, Position, Record, SourceError};
use std::collections::HashSet;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// The delay until the folder is listed again if there was nothing new.
const LOOK: Duration = Duration::from_millis(250);
const PIECE: usize = 256 << 10;
/// The number of bytes read from one file before the next file is read.
const TURN: u64 = 8 << 20;

/// The state that controls the reader.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_paused: bool,
    is_stopped: bool,
}

impl Control {
    pub(super) fn pause(&self, is_paused: bool) {
        self.lock().is_paused = is_paused;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }

    /// Waits this long, unless it is stopped.
    fn rest(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), time, |state| !state.is_stopped));
    }

    /// Waits while it is paused. Returns false if it is stopped.
    fn may_go_on(&self) -> bool {
        let state = self.changed.wait_while(self.lock(), |state| state.is_paused && !state.is_stopped);
        !state.unwrap_or_else(PoisonError::into_inner).is_stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Reader {
    folder: PathBuf,
    known: Arc<Mutex<Known>>,
    control: Arc<Control>,
    to: Sender<Result<Next, SourceError>>,
    /// The files that could not be read, each of which was reported once.
    told: HashSet<PathBuf>,
}

/// The receiver is gone.
struct Ended;

impl Reader {
    pub(super) fn new(
        folder: PathBuf,
        known: Arc<Mutex<Known>>,
        control: Arc<Control>,
        to: Sender<Result<Next, SourceError>>,
    ) -> Self {
        Self { folder, known, control, to, told: HashSet::new() }
    }

    pub(super) fn run(mut self) {
        while self.control.may_go_on() {
            match self.round() {
                Ok(true) => {}
                Ok(false) => self.control.rest(LOOK),
                Err(Ended) => return,
            }
        }
    }

    /// Reads new lines, and returns whether there were any.
    fn round(&mut self) -> Result<bool, Ended> {
        let mut wrong = Vec::new();
        let found = list(&self.folder, |path, error| wrong.push((path.to_owned(), error)));
        let found = found.unwrap_or_else(|error| {
            wrong.push((self.folder.clone(), error));
            Vec::new()
        });
        let places = lock(&self.known).note(&found);
        let mut some = false;
        for (file, place) in found.iter().zip(places) {
            if !file.is_gzip() && file.len <= place.read {
                continue;
            }
            match self.file(file, place) {
                Ok(read) => some |= read?,
                Err(error) => wrong.push((file.path.clone(), error)),
            }
        }
        for (path, error) in wrong {
            if self.told.insert(path.clone()) {
                let text = format!("{} can't be read: {error}", path.display());
                self.send(Next::Notice(text))?;
            }
        }
        Ok(some)
    }

    /// Continues in one file. Returns whether there was something new.
    fn file(&self, file: &Found, mut place: Place) -> io::Result<Result<bool, Ended>> {
        let mut input = file.open()?;
        let start = place.read;
        if io::copy(&mut input.by_ref().take(start), &mut io::sink())? < start {
            return Ok(Ok(false));
        }
        let (mut lines, mut piece) = (Lines::from(start), vec![0; PIECE]);
        loop {
            if !self.control.may_go_on() {
                return Ok(Err(Ended));
            }
            let read = input.read(&mut piece)?;
            let mut ready = Vec::new();
            lines.push(&piece[..read], &mut ready);
            // A compressed file is complete.
            if read == 0 && file.is_gzip() {
                ready.extend(lines.finish());
            }
            if let Some(last) = ready.last() {
                place.read = last.end;
                let record = |line: crate::lines::Line| Record {
                    position: Position { partition: place.partition, offset: line.end },
                    body: line.bytes,
                    time: file.modified,
                };
                if self.send(Next::Records(ready.into_iter().map(record).collect())).is_err() {
                    return Ok(Err(Ended));
                }
                lock(&self.known).read(place);
            }
            let is_over = read == 0 || (!file.is_gzip() && lines.taken() - start >= TURN);
            if is_over {
                return Ok(Ok(place.read > start));
            }
        }
    }

    fn send(&self, next: Next) -> Result<(), Ended> {
        self.to.blocking_send(Ok(next)).map_err(|_| Ended)
    }
}
