//! Opens the store in this process.

use super::Local;
use super::active::{Active, folder_of};
use super::indexer::{Indexer, ToIndexer};
use super::rebuild::{Found, open_all};
use crate::store::front::{self, Group, Settings, Shared, State, TAIL, Work, Writer};
use crate::store::index::Span;
use crate::store::journal::{Journal, Replayed, replay};
use crate::store::{StoreError, StoreErrorKind};
use std::fs;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

impl Local {
    /// Opens the store. Also returns messages about files that were set aside.
    #[expect(
        clippy::disallowed_methods,
        reason = "the beginning of an interval, which a clock that jumps must not change"
    )]
    pub(in crate::store) fn open(settings: Settings) -> Result<(Self, Vec<String>), StoreError> {
        let Settings { path, durability, retention, clock, waiting, disk, report } = settings;
        let (mut found, mut replayed) =
            (Found { spans: Vec::new(), indexed: 0, notices: Vec::new() }, Replayed::default());
        let (mut lock, mut folders) = (None, None);
        if let Some(path) = &path {
            let (journal, index) = (path.join("journal"), path.join("index"));
            front::make_folders(&[path, &journal, &index])?;
            lock = Some(front::take(path)?);
            // A process that closes its store leaves no journal.
            let mut files = fs::read_dir(&journal).map_err(|error| StoreError::io(&error).at(path))?;
            let was_closed = files.next().is_none();
            found = open_all(&index, was_closed, &report)?;
            replayed = replay(&journal, found.indexed)?;
            folders = Some((journal, index));
        }
        let (folder, root) = folders.unzip();
        let last = match found.spans.pop() {
            Some(last) => last,
            None => Span::create(1, folder_of(root.as_deref(), 1))?,
        };
        let mut complete = Vec::new();
        for span in found.spans {
            let view = span.view(None)?;
            complete.push((span, view));
        }
        let (mut active, view) = Active::of(last, found.indexed)?;
        let next = replayed.entities.last().map_or(found.indexed, |last| last.id.sequence()) + 1;
        for stored in &replayed.entities {
            active.add(stored)?;
        }
        let bytes = replayed.entities.iter().map(|stored| stored.json.len()).sum();
        let pending = Group { entities: replayed.entities, bytes };
        let state = State {
            view: Arc::new(complete.iter().map(|(_, view)| view.clone()).chain([view.clone()]).collect()),
            indexed: found.indexed,
            pending_bytes: pending.bytes,
            pending: if pending.entities.is_empty() { [].into() } else { [Arc::new(pending)].into() },
            failure: None,
        };
        let journal = folder.map(|folder| Journal::open(&folder, durability, replayed.files, disk));
        let shared = Arc::new(Shared::new(state, journal));
        let (indexer, tasks) = channel();
        let (tail, _) = broadcast::channel(TAIL);
        let work = Work {
            shared: Arc::clone(&shared),
            clock: clock.clone(),
            retention,
            tail: tail.clone(),
            follower: ToIndexer(indexer.clone()),
            next,
        };
        let indexing = Indexer {
            shared: Arc::clone(&shared),
            root,
            retention,
            clock,
            complete,
            merging: None,
            active: Some(active),
            view,
            behind: 0,
            begun: std::time::Instant::now(),
        };
        let thread = std::thread::Builder::new().name("jkool-index".into()).spawn(move || indexing.run(&tasks));
        let thread = thread.map_err(|error| StoreError::new(StoreErrorKind::Internal, error))?;
        let writer = Some(Writer::start(work, waiting)?);
        found.notices.extend(replayed.notices);
        let indexer = Mutex::new(indexer);
        Ok((Self { writer, indexer, thread: Some(thread), shared, tail, _lock: lock }, found.notices))
    }
}
