//! The counters of what was received.

use crate::store::Appended;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The counters of a collector since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Entities stored.
    pub stored: u64,
    /// Entities that were already stored.
    pub duplicates: u64,
    /// Lines or array elements that could not be parsed.
    pub refused: u64,
    /// Accepted entities that were not valid JSON and were repaired.
    pub repaired: u64,
    /// Entities that were already too old to be kept when they arrived.
    pub expired: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Connections that were refused because too many were open.
    pub turned_away: u64,
}

/// The counters behind [`Counts`], and the problems to report.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    stored: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
    repaired: AtomicU64,
    expired: AtomicU64,
    connections: AtomicU64,
    closed: AtomicU64,
    turned_away: AtomicU64,
    notices: Mutex<VecDeque<String>>,
}

/// The number of problems that are kept.
const NOTICES: usize = 32;

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection<'a>(&'a Counters);

impl Counters {
    pub(crate) fn count(&self, appended: Appended, refused: usize, repaired: usize) {
        self.stored.fetch_add(appended.stored as u64, Relaxed);
        self.duplicates.fetch_add(appended.duplicates as u64, Relaxed);
        self.expired.fetch_add(appended.expired as u64, Relaxed);
        self.refused.fetch_add(refused as u64, Relaxed);
        self.repaired.fetch_add(repaired as u64, Relaxed);
    }

    pub(crate) fn open(&self) -> OpenConnection<'_> {
        self.connections.fetch_add(1, Relaxed);
        OpenConnection(self)
    }

    pub(crate) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    /// Records a problem that could not be reported to a client.
    pub(crate) fn note(&self, notice: String) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() == NOTICES {
            notices.pop_front();
        }
        notices.push_back(notice);
    }

    pub(crate) fn counts(&self) -> Counts {
        let closed = self.closed.load(Relaxed);
        let connections = self.connections.load(Relaxed);
        Counts {
            stored: self.stored.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            refused: self.refused.load(Relaxed),
            repaired: self.repaired.load(Relaxed),
            expired: self.expired.load(Relaxed),
            connections,
            open: connections - closed.min(connections),
            turned_away: self.turned_away.load(Relaxed),
        }
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Relaxed);
    }
}
