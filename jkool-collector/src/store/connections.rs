//! The connections of those who read.

use super::{StoreError, StoreErrorKind};
use rusqlite::Connection;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many read at the same time.
pub(super) const READERS: usize = 2;

/// How often it is looked whether a question takes too long, in steps of SQLite's machine: every few microseconds.
const STEPS: i32 = 1_000;

/// Connections to read with.
#[derive(Debug)]
pub(super) struct Connections {
    kind: Kind,
    /// How long a question may take.
    patience: Duration,
}

#[derive(Debug)]
enum Kind {
    /// Of a file: readers don't wait for the writer, nor it for them.
    Own { free: Mutex<Vec<Connection>>, freed: Condvar },
    /// In memory there is one for all.
    Shared(Arc<Mutex<Connection>>),
}

impl Connections {
    pub(super) fn own(connections: Vec<Connection>, patience: Duration) -> Self {
        Self { kind: Kind::Own { free: Mutex::new(connections), freed: Condvar::new() }, patience }
    }

    pub(super) fn shared(connection: Arc<Mutex<Connection>>, patience: Duration) -> Self {
        Self { kind: Kind::Shared(connection), patience }
    }

    /// Lends a connection, as soon as there is one.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match &self.kind {
            Kind::Shared(connection) => self.bounded(&connection.lock().unwrap_or_else(PoisonError::into_inner), read),
            Kind::Own { free, freed } => {
                let free = || free.lock().unwrap_or_else(PoisonError::into_inner);
                let mut connections = free();
                let connection = loop {
                    match connections.pop() {
                        Some(connection) => break connection,
                        None => connections = freed.wait(connections).unwrap_or_else(PoisonError::into_inner),
                    }
                };
                drop(connections);
                // Given back even if `read` panics.
                let lent = Lent {
                    connection: Some(connection),
                    give_back: |connection| {
                        free().push(connection);
                        freed.notify_one();
                    },
                };
                match &lent.connection {
                    Some(connection) => self.bounded(connection, read),
                    None => Err(StoreError::new(StoreErrorKind::Internal, "no connection")),
                }
            }
        }
    }

    /// Ends a question that takes too long, so that it holds up no others.
    #[expect(clippy::disallowed_methods, reason = "a deadline, which a clock that jumps must not move")]
    fn bounded<T>(
        &self,
        connection: &Connection,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (began, patience) = (Instant::now(), self.patience);
        connection.progress_handler(STEPS, Some(move || began.elapsed() > patience))?;
        let _end = End(connection);
        read(connection)
    }
}

/// The end of a question, also of one that panics: in memory the writer goes on with the connection.
struct End<'a>(&'a Connection);

impl Drop for End<'_> {
    fn drop(&mut self) {
        // It fails for a connection that another thread uses, and this one is ours.
        drop(self.0.progress_handler(0, None::<fn() -> bool>));
    }
}

struct Lent<F: Fn(Connection)> {
    connection: Option<Connection>,
    give_back: F,
}

impl<F: Fn(Connection)> Drop for Lent<F> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            (self.give_back)(connection);
        }
    }
}
