//! Opens a store in VictoriaLogs: the local journal, and the threads that send to the server.

use super::Victoria;
use super::known::Known;
use super::position::Position;
use super::refused::Refused;
use super::sender::{Sender, Task};
use super::server::Server;
use crate::store::front::{self, Follower, Group, Settings, Shared, State, TAIL, Work, Writer};
use crate::store::journal::{Journal, replay};
use crate::store::{Record, Retention, StoreError, StoreErrorKind};
use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;

/// The count of sequence numbers that are skipped if a previous process left a journal.
const SKIPPED: u64 = 1 << 20;

impl Victoria {
    /// Opens the store, even if the server is not reachable. Also returns messages about files that were set aside.
    pub(in crate::store) fn open(
        settings: Settings,
        url: &str,
        flushed_after: Duration,
    ) -> Result<(Self, Vec<String>), StoreError> {
        let server = Server::new(url)?;
        let wrong = |error| Err(StoreError::new(StoreErrorKind::Server, error));
        let Some(folder) = settings.path else {
            return wrong(
                "VictoriaLogs keeps its last seconds in memory: a folder is needed for the journal in front of it",
            );
        };
        if settings.retention != Retention::ALL {
            return wrong("how long events are kept is up to VictoriaLogs: see its -retentionPeriod");
        }
        if folder.join("index").exists() {
            let error =
                "it holds an embedded store: a folder of its own is needed for the journal in front of VictoriaLogs";
            return Err(StoreError::new(StoreErrorKind::Server, error).at(&folder));
        }
        let journal = folder.join("journal");
        front::make_folders(&[&folder, &journal])?;
        let lock = front::take(&folder)?;
        let position = Position::open(&folder)?;
        let replayed = replay(&journal, position.durable)?;
        let last = replayed.entities.last().map_or(position.durable, |last| last.id.sequence());
        let has_left = !replayed.entities.is_empty();
        let mut known = Known::default();
        replayed.entities.iter().for_each(|stored| known.add(&stored.entity));
        let bytes = replayed.entities.iter().map(|stored| stored.json.len()).sum();
        let pending = Group { entities: replayed.entities, bytes };
        let state = State {
            view: (),
            indexed: position.durable,
            pending_bytes: bytes,
            pending: if pending.entities.is_empty() { [].into() } else { [Arc::new(pending)].into() },
            failure: None,
        };
        let files = Journal::open(&journal, settings.durability, replayed.files, settings.disk);
        let shared = Arc::new(Shared::new(state, Some(files)));
        let refused = Arc::new(Refused::in_folder(&folder));
        let (tail, _) = broadcast::channel(TAIL);
        let (sender, tasks) = channel();
        let sending = Sender {
            shared: Arc::clone(&shared),
            server: server.clone(),
            sent: position.durable,
            position,
            refused: Arc::clone(&refused),
            journal,
            flushed_after,
            batches: VecDeque::new(),
            // The journal's entities may have been sent before the previous process ended.
            doubt: last,
            was_away: false,
        };
        let thread = std::thread::Builder::new().name("jkool-send".into()).spawn(move || sending.run(&tasks));
        let thread = thread.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        let work = Work {
            shared: Arc::clone(&shared),
            clock: settings.clock,
            retention: Retention::ALL,
            tail: tail.clone(),
            follower: Lately(known),
            // If not every group is synced, a power failure may remove the end of the journal although the server has
            // these entities: their numbers are not reused.
            next: last + if has_left { SKIPPED } else { 1 },
        };
        let writer = Some(Writer::start(work, settings.waiting)?);
        let sender = Mutex::new(sender);
        Ok((
            Self { writer, sender, thread: Some(thread), server, shared, refused, tail, _lock: lock },
            replayed.notices,
        ))
    }
}

/// Remembers recent entities. The sending thread itself looks for entities to send.
struct Lately(Known);

impl Follower for Lately {
    type View = ();

    fn has_equal(&mut self, (): &(), record: &Record) -> Result<bool, StoreError> {
        Ok(self.0.has(&record.entity))
    }

    fn follow(&mut self, group: Arc<Group>) {
        let with_id = group.entities.iter().filter(|stored| stored.entity.tracking_id().is_some());
        with_id.for_each(|stored| self.0.add(&stored.entity));
    }
}

impl Task {
    /// Sends the task; returns false if the thread has ended, because the other end of the channel is then closed.
    pub(super) fn give(self, to: &Mutex<std::sync::mpsc::Sender<Self>>) -> bool {
        to.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(self).is_ok()
    }
}
