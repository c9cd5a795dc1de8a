//! A store in VictoriaLogs, one server or a cluster, behind our own journal: acknowledged entities are in the journal
//! until they are certainly on the server's disk.

mod aggregate;
mod batch;
mod columns;
mod encoding;
mod find;
mod known;
mod logsql;
mod open;
mod position;
mod refused;
mod row;
mod rows;
mod sender;
mod server;

use super::engine::{Aggregate, Deadline, Engine, Extent, Find, Fresh, Health, Reply, range_of};
use super::front::{self, Lock, Shared, Writer, closed};
use super::{EntityId, Record, Row, StoreError, Stored};
use jkool_model::Timestamp;
use refused::Refused;
use sender::Task;
use server::Server;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::broadcast;

/// A store in VictoriaLogs.
#[derive(Debug)]
pub(super) struct Victoria {
    writer: Option<Writer>,
    sender: Mutex<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    server: Server,
    shared: Arc<Shared<()>>,
    refused: Arc<Refused>,
    tail: broadcast::Sender<Arc<Fresh>>,
    _lock: Lock,
}

/// The timeout of queries without a deadline.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine for Victoria {
    fn put(&self, records: Vec<Record>) -> Result<Reply, StoreError> {
        self.writer.as_ref().ok_or_else(closed)?.submit(records)
    }

    fn find(&self, find: &Find, deadline: &Deadline) -> Result<Vec<Stored>, StoreError> {
        let range = range_of(&find.filter, find.now);
        // The pending entities are read first: an entity that moves to the server meanwhile is found in both places,
        // not in none.
        let (_, pending) = self.shared.snapshot();
        let mut found: Vec<_> = front::find(&pending, find, &range).into_iter().cloned().collect();
        found.extend(find::find(&self.server, find, &range, deadline)?);
        found.sort_unstable_by_key(|stored| stored.id);
        found.dedup_by_key(|stored| stored.id);
        if find.youngest_first {
            found.reverse();
        }
        found.truncate(find.limit);
        Ok(found)
    }

    fn get(&self, id: EntityId) -> Result<Option<Stored>, StoreError> {
        let (_, pending) = self.shared.snapshot();
        let mut young = pending.iter().flat_map(|group| &group.entities);
        match young.find(|stored| stored.id == id) {
            Some(found) => Ok(Some((**found).clone())),
            None => find::get(&self.server, id, &Deadline::within(PATIENCE)),
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, deadline: &Deadline) -> Result<Vec<Row>, StoreError> {
        aggregate::aggregate(&self.server, aggregate, &range_of(&aggregate.filter, aggregate.now), deadline)
    }

    fn settle(&self, deadline: &Deadline) {
        let is_settled = {
            let state = self.shared.state();
            state.pending.is_empty() || state.failure.is_some()
        };
        let (reply, settled) = channel();
        if !is_settled && Task::Settle(reply).give(&self.sender) {
            // If the server is far behind, slightly outdated results are better than none.
            settled.recv_timeout(deadline.left() * 9 / 10).unwrap_or_default();
        }
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Fresh>> {
        self.tail.subscribe()
    }

    fn extent(&self) -> Result<Extent, StoreError> {
        let deadline = Deadline::within(PATIENCE);
        self.settle(&deadline);
        let question = format!(
            "{} | stats count() as n, min(_time) as oldest, max(_time) as newest, sum(skipped) as skipped",
            logsql::ENTITIES
        );
        let answer = self.server.query(&question, deadline.left())?.pop().unwrap_or_default();
        let number =
            |name| row::text(&answer, name).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default() as u64;
        let time = |name| row::text(&answer, name).and_then(|text| text.parse::<Timestamp>().ok());
        Ok(Extent {
            entities: number("n"),
            bytes: self.server.bytes()? + self.shared.journal().map_or(0, |journal| journal.bytes()),
            oldest: time("oldest"),
            newest: time("newest"),
            names: aggregate::names(&self.server)?,
            numbers: aggregate::numbers(&self.server)?,
            passed_over: number("skipped"),
        })
    }

    fn health(&self) -> Health {
        let state = self.shared.state();
        let waiting = state.pending.iter().map(|group| group.entities.len() as u64).sum();
        let failure =
            state.failure.as_ref().map(|error| format!("{waiting} entities are waiting in the journal: {error}"));
        Health { waiting, notices: failure.into_iter().chain(self.refused.notice()).collect() }
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        drop(self.writer.take());
        // Entities that were not sent stay in the journal.
        Task::Close.give(&self.sender);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
