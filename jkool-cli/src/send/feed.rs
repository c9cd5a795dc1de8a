//! Events from a file or standard input, one a line.

use super::progress::Progress;
use crate::out;
use jkool_client::model::{Entity, repair_json};
use jkool_client::{Admission, Client, LossReason};
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far the reading is; it goes on in a thread of its own.
#[derive(Debug)]
pub(crate) struct Feed {
    name: String,
    len: Option<u64>,
    bytes: AtomicU64,
    refused: AtomicU64,
    repaired: AtomicU64,
    /// The input ended by an error, or nothing gets through.
    failed: AtomicBool,
    stopped: AtomicBool,
}

/// A longer line is no event.
const LONGEST: u64 = 16 << 20;

/// So many lines that are none are told one by one; the others are counted.
const TOLD: u64 = 20;

impl Feed {
    /// Opens a file, or standard input.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<(Arc<Self>, Box<dyn BufRead + Send>)> {
        let (name, len, input): (_, _, Box<dyn BufRead + Send>) = match path {
            Some(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                if metadata.is_dir() {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "is a folder"));
                }
                let len = Some(metadata.len()).filter(|_| metadata.is_file());
                (path.display().to_string(), len, Box::new(BufReader::new(file)))
            }
            None => ("standard input".to_owned(), None, Box::new(BufReader::new(io::stdin()))),
        };
        let feed = Self {
            name,
            len,
            bytes: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            repaired: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        };
        Ok((Arc::new(feed), input))
    }

    /// How long the file is.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// How much of it is read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many lines are no event.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many lines were no JSON and were made such.
    pub(crate) fn repaired(&self) -> u64 {
        self.repaired.load(Ordering::Relaxed)
    }

    /// Whether the end was not reached.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// No further line is wanted.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Emits every line. Waits whenever the client has enough to do.
    pub(crate) fn read(&self, mut input: impl BufRead, client: &Client, progress: &Progress) {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(read) => read as u64,
                Err(error) => {
                    progress.above(|| out::note(format_args!("jkool: {}: {error}", self.name)));
                    return self.failed.store(true, Ordering::Relaxed);
                }
            };
            self.bytes.fetch_add(read, Ordering::Relaxed);
            let emitted = match read == LONGEST && !line.ends_with(b"\n") {
                true => self.skip(&mut input).and(Err(Trouble::Line(1, "a line is no longer than 16 MiB".to_owned()))),
                false if line.trim_ascii().is_empty() => Ok(false),
                false => emit(&line, client),
            };
            match emitted {
                Ok(repaired) => drop(self.repaired.fetch_add(repaired.into(), Ordering::Relaxed)),
                Err(Trouble::Line(column, reason)) => self.refuse(number, column, &reason, progress),
                Err(Trouble::NoRoom) => return self.failed.store(true, Ordering::Relaxed),
            }
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn refuse(&self, line: u64, column: usize, reason: &str, progress: &Progress) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        progress.above(|| match refused {
            ..=TOLD => out::note(format_args!("{}:{line}:{column}: {reason}", self.name)),
            _ if refused == TOLD + 1 => out::note("further lines that are no event are counted only"),
            _ => {}
        });
    }

    /// Reads on to the end of a line.
    fn skip(&self, input: &mut impl BufRead) -> Result<bool, Trouble> {
        loop {
            let piece = input.fill_buf().map_err(|error| Trouble::Line(1, error.to_string()))?;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let read = end.map_or(piece.len(), |end| end + 1);
            input.consume(read);
            self.bytes.fetch_add(read as u64, Ordering::Relaxed);
            if end.is_some() || read == 0 {
                return Ok(false);
            }
        }
    }
}

/// How a line of a spool's `dead-letters.jsonl` begins, and an event does not: with why it was refused.
const DEAD_LETTER: &str = r#"{"error":"#;

fn read(line: &[u8]) -> Result<Entity, serde_json::Error> {
    if line.starts_with(DEAD_LETTER.as_bytes()) {
        let mut letter: Value = serde_json::from_slice(line)?;
        return serde_json::from_value(letter["entity"].take());
    }
    serde_json::from_slice(line)
}

/// Why a line is not on its way.
enum Trouble {
    /// At that column it is no event.
    Line(usize, String),
    /// Nothing gets through.
    NoRoom,
}

/// Emits a line, or says at which column it is none. Whether it had to be made JSON first.
fn emit(line: &[u8], client: &Client) -> Result<bool, Trouble> {
    let trouble = |column, reason: String| Trouble::Line(column, reason);
    let (entity, repaired) = match read(line) {
        Ok(entity) => (Ok(entity), false),
        Err(error) => match repair_json(line.trim_ascii_end()) {
            Some(json) => (read(&json), true),
            None => (Err(error), false),
        },
    };
    let entity = entity.map_err(|error| {
        let reason = error.to_string();
        // Where in the line it is, stands before it already.
        let end = reason.rfind(" at line ").unwrap_or(reason.len());
        trouble(error.column().max(1), reason[..end].to_owned())
    })?;
    // A source is what the client adds.
    if let Err(invalid) = entity.validate()
        && invalid.field() != "source-fqn"
    {
        return Err(trouble(1, invalid.to_string()));
    }
    match client.emit(entity) {
        Admission::Dropped(LossReason::Invalid) => Err(trouble(1, "it lacks what the service requires".to_owned())),
        // It has waited in vain; the next would wait as long.
        Admission::Dropped(LossReason::Overflow) => Err(Trouble::NoRoom),
        _ => Ok(repaired),
    }
}
