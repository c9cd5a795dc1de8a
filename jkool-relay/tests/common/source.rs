//! A source that gives what its script says.

use super::records;
use async_trait::async_trait;
use jkool_relay::{Next, Position, RelayStatus, Source, SourceError};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Debug)]
pub struct TestSource {
    script: UnboundedReceiver<Result<Next, SourceError>>,
    state: Arc<Mutex<State>>,
}

/// The test's end of a source.
#[derive(Debug)]
pub struct Script {
    to: UnboundedSender<Result<Next, SourceError>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    committed: BTreeMap<u64, u64>,
    commits_to_fail: usize,
    is_paused: bool,
    is_stopped: bool,
    stays: bool,
    is_closed: bool,
}

impl TestSource {
    pub fn new() -> (Self, Script) {
        let (to, script) = unbounded_channel();
        let state = Arc::default();
        (Self { script, state: Arc::clone(&state) }, Script { to, state })
    }
}

impl Script {
    pub fn next(&self, next: Next) {
        self.to.send(Ok(next)).unwrap();
    }

    pub fn records(&self, partition: u64, numbers: Range<u64>) {
        self.next(Next::Records(records(partition, numbers)));
    }

    pub fn end(&self) {
        self.next(Next::End);
    }

    pub fn fail(&self, error: SourceError) {
        self.to.send(Err(error)).unwrap();
    }

    pub fn fail_commits(&self, count: usize) {
        self.state.lock().unwrap().commits_to_fail = count;
    }

    /// It does not end when it is stopped, as a member of a group does not.
    pub fn stays_in_the_group(&self) {
        self.state.lock().unwrap().stays = true;
    }

    /// How far each partition was committed.
    pub fn committed(&self) -> BTreeMap<u64, u64> {
        self.state.lock().unwrap().committed.clone()
    }

    pub fn is_paused(&self) -> bool {
        self.state.lock().unwrap().is_paused
    }

    pub fn is_closed(&self) -> bool {
        self.state.lock().unwrap().is_closed
    }

    pub async fn until(&self, is_so: impl Fn() -> bool) {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub async fn received(&self, status: &RelayStatus, count: u64) {
        self.until(|| status.received() >= count).await;
    }

    pub async fn settled(&self, status: &RelayStatus, count: u64) {
        self.until(|| status.settled() >= count).await;
    }
}

#[async_trait]
impl Source for TestSource {
    fn name(&self) -> &str {
        "test"
    }

    fn repeats(&self) -> bool {
        true
    }

    async fn next(&mut self) -> Result<Next, SourceError> {
        let is_stopped = self.state.lock().unwrap().is_stopped;
        match self.script.try_recv() {
            _ if is_stopped => Ok(Next::End),
            Ok(next) => next,
            Err(_) => match self.script.recv().await {
                Some(next) => next,
                None => std::future::pending().await,
            },
        }
    }

    fn pause(&mut self) {
        self.state.lock().unwrap().is_paused = true;
    }

    fn resume(&mut self) {
        self.state.lock().unwrap().is_paused = false;
    }

    fn stop(&mut self) {
        let mut state = self.state.lock().unwrap();
        state.is_stopped = !state.stays;
    }

    async fn commit(&mut self, positions: &[Position]) -> Result<(), SourceError> {
        let mut state = self.state.lock().unwrap();
        if state.commits_to_fail > 0 {
            state.commits_to_fail -= 1;
            return Err(SourceError::new("as the test wants it"));
        }
        for position in positions {
            let before = state.committed.insert(position.partition, position.offset);
            assert!(before.is_none_or(|before| before < position.offset), "a commit goes backwards: {position:?}");
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), SourceError> {
        self.state.lock().unwrap().is_closed = true;
        Ok(())
    }
}
