//! Scripted answers for tests, and the list of entities that arrived.

use crate::server::abort::AbortConnection;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jkool_model::Entity;
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A scripted answer, which a [`TestCollector`](crate::TestCollector) sends instead of its own.
#[derive(Debug, Clone)]
pub struct Answer(Action);

#[derive(Debug, Clone)]
enum Action {
    Status { status: StatusCode, retry_after: Option<u64>, body: String },
    Close,
    Lose,
}

impl Answer {
    /// Answers with this status, and stores nothing.
    ///
    /// # Panics
    /// Panics if `status` is not from 100 to 999.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        match StatusCode::from_u16(status) {
            Ok(status) => Self(Action::Status { status, retry_after: None, body: String::new() }),
            Err(_) => panic!("{status} is not a status; expected 100 to 999"),
        }
    }

    /// Closes the connection without an answer, and stores nothing.
    pub fn close() -> Self {
        Self(Action::Close)
    }

    /// Stores the entities, and closes the connection without an answer, so that the client does not know that they were stored.
    pub fn lose() -> Self {
        Self(Action::Lose)
    }

    /// Adds a `Retry-After` header with this number of seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Action::Status { retry_after, .. } = &mut self.0 {
            *retry_after = Some(seconds);
        }
        self
    }

    /// Sets the body of the answer.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if let Action::Status { body, .. } = &mut self.0 {
            *body = text.into();
        }
        self
    }
}

impl Answer {
    fn into_response(self) -> Response {
        let Action::Status { status, retry_after, body } = self.0 else { return AbortConnection::response() };
        let mut response = (status, body).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What a test arranges, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Answer>>,
    arrived: Mutex<Arrived>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Arrived {
    entities: Vec<Entity>,
    /// What has a tracking id and came before is stored once.
    seen: HashSet<Bytes>,
}

impl Script {
    pub(crate) fn answer_next(&self, answer: Answer) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
    }

    /// The answer that comes instead; `lose` is one that comes after storing.
    pub(crate) fn next(&self) -> Option<Scripted> {
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        Some(match answer.0 {
            Action::Lose => Scripted::AfterStoring(answer.into_response()),
            _ => Scripted::Instead(answer.into_response()),
        })
    }

    pub(crate) fn arrived(&self, bodies: &[Bytes]) {
        let mut arrived = self.lock();
        for body in bodies {
            // It was read once already.
            let Ok(entity) = serde_json::from_slice::<Entity>(body) else { continue };
            if entity.tracking_id().is_none() || arrived.seen.insert(Bytes::clone(body)) {
                arrived.entities.push(entity);
            }
        }
        self.more.notify_all();
    }

    /// What has arrived once there are `count`, or when `timeout` is over.
    pub(crate) fn wait_for(&self, count: usize, timeout: Duration) -> Vec<Entity> {
        let too_few = |arrived: &mut Arrived| arrived.entities.len() < count;
        let waited = self.more.wait_timeout_while(self.lock(), timeout, too_few);
        waited.unwrap_or_else(PoisonError::into_inner).0.entities.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a scripted answer comes.
#[derive(Debug)]
pub(crate) enum Scripted {
    Instead(Response),
    AfterStoring(Response),
}
