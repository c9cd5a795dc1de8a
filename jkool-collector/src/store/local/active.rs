//! The index to which entities are added at present.

use crate::store::index::{Names, Span, SpanView, document};
use crate::store::{StoreError, Stored};
use std::path::{Path, PathBuf};
use tantivy::IndexWriter;

/// The index to which entities are added at present. Each commit stores the sequence number up to which it is complete.
pub(in crate::store) struct Active {
    pub(super) span: Span,
    writer: IndexWriter,
    names: Names,
    /// The sequence number of the last added entity.
    added: u64,
    /// The sequence number of the last committed entity.
    pub(super) committed: u64,
    /// The number of entities added since the index was created or opened, and their bytes.
    pub(super) documents: u64,
    pub(super) bytes: u64,
}

/// Returns the folder of an index.
pub(in crate::store) fn folder_of(root: Option<&Path>, number: u64) -> Option<PathBuf> {
    root.map(|root| root.join(format!("{number:010}")))
}

impl Active {
    /// Continues an index that contains all entities up to `committed`.
    pub(in crate::store) fn of(span: Span, committed: u64) -> Result<(Self, SpanView), StoreError> {
        let view = span.view(None)?;
        let (writer, names) = (span.writer()?, (*view.names).clone());
        let (documents, bytes) = (view.documents(), view.bytes);
        Ok((Self { span, writer, names, added: committed, committed, documents, bytes }, view))
    }

    /// Adds an entity, unless the index already has it.
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

    /// Makes added entities durable and visible.
    pub(in crate::store) fn commit(&mut self) -> Result<SpanView, StoreError> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&self.added.to_string());
        commit.commit()?;
        self.committed = self.added;
        self.span.view(Some(&self.names))
    }

    /// Like [`commit`](Self::commit), and records that the index is complete up to `position`.
    pub(in crate::store) fn commit_up_to(&mut self, position: u64) -> Result<SpanView, StoreError> {
        self.added = self.added.max(position);
        self.commit()
    }

    /// Discards uncommitted entities, after a failure.
    pub(super) fn reopen(self) -> Result<Self, StoreError> {
        let Self { span, writer, committed, .. } = self;
        // An index cannot have two writers.
        drop(writer);
        Self::of(span, committed).map(|(active, _)| active)
    }

    /// Ends adding. The writer still merges segments, and is kept for this.
    pub(super) fn into_parts(self) -> (Span, IndexWriter) {
        (self.span, self.writer)
    }
}
