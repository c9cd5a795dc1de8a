//! Converts bytes to events, emits them, and counts the outcome of each line.

use super::identity::Identity;
use super::progress::Progress;
use super::rules::Rules;
use super::splitter::{Line, Splitter};
use crate::formats::{Format, Record, Records, parse};
use crate::out;
use jkool_client::model::Entity;
use jkool_client::{Admission, Client, LossReason};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The progress of reading, which has a thread of its own.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// The number of bytes read.
    pub(super) bytes: Arc<AtomicU64>,
    emitted: AtomicU64,
    refused: AtomicU64,
    repaired: AtomicU64,
    /// An input ended with an error, or nothing is delivered.
    failed: AtomicBool,
    stopped: AtomicBool,
}

/// The number of invalid lines that are reported one by one; the others are counted.
const TOLD: u64 = 20;

/// Converts lines to events.
pub(super) struct How {
    pub(super) format: Format,
    /// For times without a year.
    pub(super) year: i64,
    pub(super) rules: Rules,
    /// `None` for a dry run.
    pub(super) client: Option<Client>,
    pub(super) progress: Progress,
}

/// Nothing is delivered, or no more input is wanted.
#[derive(Debug)]
pub(super) struct Stop;

impl Feed {
    /// The number of bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The number of events that were emitted.
    pub(crate) fn emitted(&self) -> u64 {
        self.emitted.load(Ordering::Relaxed)
    }

    /// The number of records that are not events.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The number of records with invalid JSON that was repaired.
    pub(crate) fn repaired(&self) -> u64 {
        self.repaired.load(Ordering::Relaxed)
    }

    /// Whether some input was not read to its end.
    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// No further line is wanted.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn fail(&self, how: &How, what: impl std::fmt::Display) {
        how.progress.above(|| out::note(format_args!("jkool: {what}")));
        self.failed.store(true, Ordering::Relaxed);
    }

    /// The same for a failure after which reading continues, and which may repeat: it is reported once.
    pub(super) fn fail_once(&self, how: &How, what: impl std::fmt::Display) {
        if !self.failed() {
            self.fail(how, what);
        }
    }

    fn refuse(&self, name: &str, line: u64, column: usize, reason: &str, how: &How) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        how.progress.above(|| match refused {
            ..=TOLD => out::note(format_args!("{name}:{line}:{column}: {reason}")),
            _ if refused == TOLD + 1 => out::note("further lines that are not events are only counted"),
            _ => {}
        });
    }
}

/// The lines of one input.
pub(super) struct Lines {
    name: String,
    splitter: Splitter,
    records: Records,
    identity: Identity,
    /// The number of lines before the next record.
    line: u64,
    /// The number of bytes in the open record.
    open: u64,
}

impl Lines {
    pub(super) fn new(name: String, format: Format, identity: Identity) -> Self {
        Self { name, splitter: Splitter::default(), records: Records::new(format), identity, line: 0, open: 0 }
    }

    pub(super) fn of_path(path: &Path, format: Format, identity: Identity) -> Self {
        Self::new(path.display().to_string(), format, identity)
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Starts after a number of lines.
    pub(super) fn after(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The number of bytes that were read and belong to no complete record.
    pub(super) fn held(&self) -> u64 {
        self.splitter.held() as u64 + self.open
    }

    /// Adds bytes that were read.
    pub(super) fn push(&mut self, bytes: &[u8], feed: &Feed, how: &How) -> Result<(), Stop> {
        let Self { splitter, records, open, .. } = self;
        let mut ready = Vec::new();
        let each = |line: Line<'_>| {
            match line {
                Some(line) => {
                    let record = records.push(line);
                    let own = line.len() as u64 + 1;
                    *open = match records.is_open() {
                        false => 0,
                        // This line is the first of the next record.
                        true if record.is_some() => own,
                        true => *open + own,
                    };
                    ready.extend(record.map(Ok));
                }
                None => {
                    ready.extend(records.flush().map(Ok).into_iter().chain([Err(TOO_LONG)]));
                    *open = 0;
                }
            }
            Ok(())
        };
        splitter.push(bytes, each)?;
        self.take(ready, feed, how)
    }

    /// Completes the open record, after a pause. A line without its line break stays open.
    pub(super) fn settle(&mut self, feed: &Feed, how: &How) -> Result<(), Stop> {
        if self.splitter.held() > 0 {
            return Ok(());
        }
        self.open = 0;
        while let Some(record) = self.records.flush() {
            self.take(vec![Ok(record)], feed, how)?;
        }
        Ok(())
    }

    /// Completes the last line and record, at the end of the input.
    pub(super) fn finish(&mut self, feed: &Feed, how: &How) -> Result<(), Stop> {
        let (records, mut ready) = (&mut self.records, Vec::new());
        let each = |line: Line<'_>| {
            match line {
                Some(line) => ready.extend(records.push(line).map(Ok)),
                None => ready.push(Err(TOO_LONG)),
            }
            Ok(())
        };
        self.splitter.finish(each)?;
        self.take(ready, feed, how)?;
        self.settle(feed, how)
    }

    fn take(&mut self, ready: Vec<Result<Record, &'static str>>, feed: &Feed, how: &How) -> Result<(), Stop> {
        for record in ready {
            match record {
                Ok(record) => self.record(&record, feed, how)?,
                Err(reason) => {
                    self.line += 1;
                    feed.refuse(&self.name, self.line, 1, reason, how);
                }
            }
            if feed.is_stopped() {
                return Err(Stop);
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &Record, feed: &Feed, how: &How) -> Result<(), Stop> {
        let first = self.line + record.before + 1;
        self.line += record.before + record.lines;
        self.identity.next(record.content());
        let parsed = match parse(record, how.format, how.year) {
            Ok(parsed) => parsed,
            Err(wrong) => {
                feed.refuse(&self.name, first + wrong.line as u64, wrong.column, &wrong.reason, how);
                return Ok(());
            }
        };
        feed.repaired.fetch_add(parsed.repaired.into(), Ordering::Relaxed);
        for (index, mut entity) in parsed.entities.into_iter().enumerate() {
            if let Entity::Event(event) = &mut entity {
                how.rules.apply(event);
            }
            self.identity.complete(&mut entity, index);
            if let Err(reason) = emit(entity, how)? {
                feed.refuse(&self.name, first, 1, &reason, how);
            } else {
                feed.emitted.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

const TOO_LONG: &str = "a line is longer than 16 MiB";

/// Emits an entity, or returns why it is invalid.
fn emit(entity: Entity, how: &How) -> Result<Result<(), String>, Stop> {
    // The client adds a missing source.
    if let Err(invalid) = entity.validate()
        && invalid.field() != "source-fqn"
    {
        return Ok(Err(invalid.to_string()));
    }
    let Some(client) = &how.client else {
        let mut json = Vec::new();
        entity.append_json(&mut json);
        json.push(b'\n');
        return out::raw(&json).map(Ok).map_err(|_| Stop);
    };
    match client.emit(entity) {
        Admission::Dropped(LossReason::Invalid) => Ok(Err("a required field is missing".to_owned())),
        // The wait timed out; the next one would too.
        Admission::Dropped(LossReason::Overflow) => Err(Stop),
        _ => Ok(Ok(())),
    }
}
