//! A batch of entities that was sent to the server.

use super::encoding::{block, from_letters, quoted};
use super::logsql::times;
use super::row::{parts, text};
use super::server::Server;
use crate::store::{EntityId, StoreError, Stored};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The timeout of the query for a batch.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Batch {
    /// The entities, until the server finds them.
    pub(super) entities: Vec<Arc<Stored>>,
    /// The ids of the entities, each with its number of rows.
    rows: Vec<(EntityId, usize)>,
    /// The sequence number of the last entity, including one that could not be sent.
    pub(super) last: u64,
    sent_at: Option<Instant>,
    /// The number of times that the batch was sent.
    pub(super) tries: u32,
    /// Whether queries find the whole batch.
    pub(super) is_found: bool,
}

impl Batch {
    pub(super) fn of(entities: Vec<Arc<Stored>>, last: u64) -> Self {
        let rows = entities.iter().map(|stored| (stored.id, 1 + parts(stored.json.len()))).collect();
        Self { entities, rows, last, sent_at: None, tries: 0, is_found: false }
    }

    #[expect(clippy::disallowed_methods, reason = "an interval, which a clock that jumps must not change")]
    pub(super) fn is_sent(&mut self) {
        self.sent_at = Some(Instant::now());
        self.tries += 1;
    }

    /// Returns the time since the batch was sent.
    pub(super) fn age(&self) -> Duration {
        self.sent_at.map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// Returns the entities with these ids.
    pub(super) fn those(&self, ids: &HashSet<EntityId>) -> Vec<Arc<Stored>> {
        self.entities.iter().filter(|stored| ids.contains(&stored.id)).cloned().collect()
    }

    pub(super) fn forget(&mut self, ids: &HashSet<EntityId>) {
        self.rows.retain(|(id, _)| !ids.contains(id));
    }

    /// Returns the ids of the entities of which the server lacks rows.
    pub(super) fn missing(&self, server: &Server) -> Result<HashSet<EntityId>, StoreError> {
        let ids = || self.rows.iter().map(|(id, _)| *id);
        let all = || ids().map(|id| id.time().as_usec());
        let (Some(first), Some(last)) = (all().min(), all().max()) else { return Ok(HashSet::new()) };
        let blocks: BTreeSet<String> = ids().map(|id| quoted(&block(id.sequence()))).collect();
        let blocks = blocks.into_iter().collect::<Vec<_>>().join(",");
        let times = times(&(first..last + 1)).unwrap_or_default();
        let question = format!("{{store=~\"jkool|jkool-part\"}} {times} block:in({blocks}) | fields seq, part");
        let mut found: HashMap<u64, HashSet<String>> = HashMap::new();
        for answer in server.query(&question, PATIENCE)? {
            if let Some(sequence) = text(&answer, "seq").and_then(from_letters) {
                found.entry(sequence).or_default().insert(text(&answer, "part").unwrap_or_default().to_owned());
            }
        }
        let is_missing = |(id, rows): &&(EntityId, usize)| found.get(&id.sequence()).map_or(0, HashSet::len) < *rows;
        Ok(self.rows.iter().filter(is_missing).map(|(id, _)| *id).collect())
    }
}
