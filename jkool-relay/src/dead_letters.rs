//! Stores records that are not events, and events that the server rejects, elsewhere, so that they do not block others.

use crate::source::Record;
use crate::status::Counters;
use jkool_client::DeadLetter;
use jkool_client::model::error_chain;
use jkool_client::transport::{Disposition, Kind, Outcome, Payload, Transport};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The delay between tries: the first, and the maximum.
const WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const BATCH: usize = 64;

/// Receives messages about failures, for people.
pub(crate) type OnNotice = Arc<dyn Fn(&str) + Send + Sync>;

/// A dead letter: a line of JSON that `jkool send` can read, and the reason.
pub(crate) struct Letter {
    line: Vec<u8>,
    why: String,
}

impl Letter {
    /// Creates one for a record that is not an entity.
    pub(crate) fn unreadable(source: &str, record: &Record, why: &str) -> Self {
        let place = format!("{source}, partition {}, before {}", record.position.partition, record.position.offset);
        let text = String::from_utf8_lossy(&record.body);
        let line = serde_json::json!({ "error": why, "reason": "no event", "from": place, "record": text });
        Self { line: line.to_string().into_bytes(), why: format!("{place}: {why}") }
    }

    /// Creates one for an event that the server rejected permanently.
    pub(crate) fn refused(letter: &DeadLetter) -> Self {
        let why = error_chain(&letter.error);
        let head = serde_json::json!({ "error": why, "reason": letter.reason.to_string() });
        let mut line = head.to_string().into_bytes();
        // The payload is JSON already, on one line.
        line.pop();
        line.extend_from_slice(br#","entity":"#);
        line.extend_from_slice(letter.payload.body());
        line.push(b'}');
        Self { line, why: format!("refused: {why}") }
    }
}

/// Queues dead letters; can be used from any thread.
#[derive(Clone)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    to: UnboundedSender<Letter>,
    /// Locked while a letter is queued, so that letters are in the order of their numbers.
    put: Mutex<u64>,
    written: AtomicU64,
}

impl Outbox {
    /// Queues a letter, and returns its number.
    pub(crate) fn put(&self, letter: Letter) -> u64 {
        let mut put = self.shared.put.lock().unwrap_or_else(PoisonError::into_inner);
        *put += 1;
        // If there is no writer any more, the letter is never written, and its record is read again.
        drop(self.shared.to.send(letter));
        *put
    }

    /// Returns the number of the last queued letter.
    pub(crate) fn last(&self) -> u64 {
        *self.shared.put.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all letters up to this number are written.
    pub(crate) fn is_written(&self, number: u64) -> bool {
        self.shared.written.load(Ordering::Acquire) >= number
    }
}

/// Writes the letters to their destination, in order.
pub(crate) struct Writer {
    from: UnboundedReceiver<Letter>,
    shared: Arc<Shared>,
    to: Option<Arc<dyn Transport>>,
    counters: Arc<Counters>,
    on_notice: OnNotice,
}

pub(crate) fn outbox(to: Option<Arc<dyn Transport>>, counters: Arc<Counters>, on_notice: OnNotice) -> (Outbox, Writer) {
    let (sender, from) = unbounded_channel();
    let shared = Arc::new(Shared { to: sender, put: Mutex::new(0), written: AtomicU64::new(0) });
    (Outbox { shared: Arc::clone(&shared) }, Writer { from, shared, to, counters, on_notice })
}

impl Writer {
    /// Runs until it is dropped.
    pub(crate) async fn run(&mut self) {
        let mut letters = Vec::new();
        while self.from.recv_many(&mut letters, BATCH).await > 0 {
            let count = letters.len() as u64;
            for letter in &letters {
                (self.on_notice)(&format!("dead letter: {}", letter.why));
            }
            let lines = letters.drain(..).map(|letter| Payload::new(Kind::Event, letter.line));
            self.write(lines.collect()).await;
            self.counters.dead_letters.fetch_add(count, Ordering::Relaxed);
            self.shared.written.fetch_add(count, Ordering::Release);
        }
    }

    /// Retries until each letter is delivered or rejected.
    async fn write(&self, mut left: Vec<Payload>) {
        let Some(to) = &self.to else { return };
        let mut wait = WAIT;
        while !left.is_empty() {
            let outcomes = to.send(&left).await.into_outcomes();
            let (tried, mut error) = (left.len(), None);
            let mut outcomes = outcomes.into_iter();
            left.retain(|_| match outcomes.next() {
                Some(Outcome::Delivered) => false,
                Some(Outcome::Failed(failure)) => {
                    let refused = matches!(failure.disposition, Disposition::Rejected | Disposition::TooLarge);
                    if refused {
                        self.counters.dead_letters_lost.fetch_add(1, Ordering::Relaxed);
                        (self.on_notice)(&format!(
                            "a dead letter was rejected and is lost: {}",
                            error_chain(&failure.error)
                        ));
                    } else {
                        error = Some(failure.error);
                    }
                    !refused
                }
                _ => true,
            });
            if left.len() < tried {
                wait = WAIT;
            }
            if let Some(error) = error {
                (self.on_notice)(&format!("dead letters can't be written, and are retried: {}", error_chain(&error)));
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("to", &self.to).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("last", &self.last()).finish_non_exhaustive()
    }
}
