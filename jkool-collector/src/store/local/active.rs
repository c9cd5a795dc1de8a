//! The index that entities are put into now.

use crate::store::index::{Names, Span, SpanView, document};
use crate::store::{StoreError, Stored};
use std::path::{Path, PathBuf};
use tantivy::IndexWriter;

/// The index that entities are put into now. Its commits say up to which entity all are in it.
pub(in crate::store) struct Active {
    pub(super) span: Span,
    writer: IndexWriter,
    names: Names,
    /// The last entity that was added.
    added: u64,
    /// The last entity that is committed.
    pub(super) committed: u64,
    /// How many were added since it was begun or opened, and their bytes.
    pub(super) documents: u64,
    pub(super) bytes: u64,
}

/// The folder of an index.
pub(in crate::store) fn folder_of(root: Option<&Path>, number: u64) -> Option<PathBuf> {
    root.map(|root| root.join(format!("{number:010}")))
}

impl Active {
    /// Goes on with an index behind `committed`.
    pub(in crate::store) fn of(span: Span, committed: u64) -> Result<(Self, SpanView), StoreError> {
        let view = span.view(None)?;
        let (writer, names) = (span.writer()?, (*view.names).clone());
        let (documents, bytes) = (view.documents(), view.bytes);
        Ok((Self { span, writer, names, added: committed, committed, documents, bytes }, view))
    }

    /// Adds an entity, unless it was added before.
    pub(in crate::store) fn add(&mut self, stored: &Stored) -> Result<(), StoreError> {
        if stored.id.sequence() > self.added {
            self.writer.add_document(document(stored, &mut self.names))?;
            self.added = stored.id.sequence();
            self.documents += 1;
            self.bytes += stored.json.len() as u64;
        }
        Ok(())
    }

    pub(super) fn is_behind(&self) -> bool {
        self.committed < self.added
    }

    /// Makes what was added durable and visible.
    pub(in crate::store) fn commit(&mut self) -> Result<SpanView, StoreError> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&self.added.to_string());
        commit.commit()?;
        self.committed = self.added;
        self.span.view(Some(&self.names))
    }

    /// As [`commit`](Self::commit), and no entity up to `position` is missing.
    pub(in crate::store) fn commit_up_to(&mut self, position: u64) -> Result<SpanView, StoreError> {
        self.added = self.added.max(position);
        self.commit()
    }

    /// Forgets what was not committed, after a failure.
    pub(super) fn reopen(self) -> Result<Self, StoreError> {
        let Self { span, writer, committed, .. } = self;
        // Two writers of one index there can't be.
        drop(writer);
        Self::of(span, committed).map(|(active, _)| active)
    }

    /// Ends it: what still merges its segments is kept by the writer.
    pub(super) fn into_parts(self) -> (Span, IndexWriter) {
        (self.span, self.writer)
    }
}
