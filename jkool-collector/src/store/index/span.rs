//! An index in its own folder, with the entities that arrived in a span of time. Retention removes whole indexes.

use super::document::Names;
use super::schema::{FIELDS, name, tokenizers};
use crate::store::{Record, StoreError, StoreErrorKind, Stored};
use jkool_model::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::columnar::ColumnarReader;
use tantivy::directory::{MmapDirectory, RamDirectory};
use tantivy::index::SegmentComponent;
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::Value;
use tantivy::store::StoreReader;
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, SegmentReader, TantivyDocument};

/// The memory that the indexing thread uses before it writes a segment.
const MEMORY: usize = 64 << 20;

/// An index.
pub(crate) struct Span {
    /// The number of the index; later ones have higher numbers.
    pub(crate) number: u64,
    place: Location,
    index: Index,
    reader: IndexReader,
}

enum Location {
    Folder(PathBuf),
    Memory(RamDirectory),
}

/// The content of an index at one point in time.
#[derive(Debug, Clone)]
pub(crate) struct SpanView {
    pub(crate) number: u64,
    pub(crate) searcher: Searcher,
    pub(crate) segments: Vec<Segment>,
    pub(crate) names: Arc<Names>,
    /// The size on disk or in memory.
    pub(crate) bytes: u64,
}

/// A segment of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) ordinal: u32,
    pub(crate) oldest: i64,
    pub(crate) youngest: i64,
    /// The time of the latest receipt.
    pub(crate) received: i64,
    pub(crate) documents: u64,
}

impl Span {
    /// Creates an index in a folder or in memory.
    pub(crate) fn create(number: u64, folder: Option<PathBuf>) -> Result<Self, StoreError> {
        let builder = Index::builder().schema(FIELDS.schema.clone()).settings(IndexSettings::default());
        let builder = builder.tokenizers(tokenizers());
        let (place, index) = match folder {
            Some(folder) => {
                fs::create_dir_all(&folder).map_err(|error| StoreError::io(&error).at(&folder))?;
                let directory = MmapDirectory::open(&folder).map_err(tantivy::TantivyError::from)?;
                (Location::Folder(folder), builder.open_or_create(directory)?)
            }
            None => {
                let directory = RamDirectory::create();
                (Location::Memory(directory.clone()), builder.open_or_create(directory)?)
            }
        };
        Self::of(number, place, index)
    }

    /// Opens the index in `folder`; `None` if it was created but never filled.
    pub(crate) fn open(number: u64, folder: &Path) -> Result<Option<Self>, StoreError> {
        if !folder.join("meta.json").exists() {
            return Ok(None);
        }
        let mut index = Index::open_in_dir(folder)?;
        if index.schema() != FIELDS.schema {
            return Err(StoreError::new(
                StoreErrorKind::TooNew,
                "the fields of the index differ from those of this version",
            ));
        }
        index.set_tokenizers(tokenizers());
        Self::of(number, Location::Folder(folder.to_owned()), index).map(Some)
    }

    /// Opens the index, or creates it if it does not exist.
    pub(crate) fn open_or_create(number: u64, folder: Option<PathBuf>) -> Result<Self, StoreError> {
        if let Some(opened) = folder.as_deref().map(|folder| Self::open(number, folder)).transpose()?.flatten() {
            return Ok(opened);
        }
        Self::create(number, folder)
    }

    fn of(number: u64, place: Location, index: Index) -> Result<Self, StoreError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { number, place, index, reader })
    }

    /// Returns the sequence number up to which the last commit contains all entities.
    pub(crate) fn position(&self) -> Result<u64, StoreError> {
        position(&self.index)
    }

    /// Passes the entities that can still be read to `tell`, and returns the sequence number up to which the index was
    /// complete. Other parts may be damaged.
    pub(crate) fn salvage(folder: &Path, tell: &mut dyn FnMut(Stored)) -> Result<u64, StoreError> {
        let index = Index::open_in_dir(folder)?;
        for segment in index.searchable_segments()? {
            // Words and columns may be damaged; entities are in a separate file.
            let Ok(file) = segment.open_read(SegmentComponent::Store) else { continue };
            let Ok(store) = StoreReader::open(file, 1) else { continue };
            store
                .iter::<TantivyDocument>(None)
                .flatten()
                .filter_map(|document| stored_in(&document))
                .for_each(&mut *tell);
        }
        position(&index)
    }

    /// Whether all checksums of its files match.
    pub(crate) fn is_sound(&self) -> Result<bool, StoreError> {
        Ok(self.index.validate_checksum()?.is_empty())
    }

    pub(crate) fn writer(&self) -> Result<IndexWriter, StoreError> {
        let options = IndexWriterOptions::builder().memory_budget_per_thread(MEMORY).num_merge_threads(1).build();
        Ok(self.index.writer_with_options(options)?)
    }

    /// Returns the content of the last commit. `names` are its fields, if they are known.
    pub(crate) fn view(&self, names: Option<&Names>) -> Result<SpanView, StoreError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let readers = searcher.segment_readers();
        let segments =
            (0..).zip(readers).map(|(ordinal, reader)| segment(ordinal, reader)).collect::<Result<_, _>>()?;
        let names = match names {
            Some(names) => names.clone(),
            None => names_in(readers)?,
        };
        Ok(SpanView { number: self.number, segments, names: Arc::new(names), bytes: self.bytes(), searcher })
    }

    /// Whether segments were added or removed since `view`, for example by merging.
    pub(crate) fn differs(&self, view: &SpanView) -> bool {
        let known = view.searcher.segment_readers();
        let is_new = |segment| known.iter().all(|known| known.segment_id() != segment);
        let now = self.index.searchable_segment_ids();
        now.is_ok_and(|now| now.len() != known.len() || now.into_iter().any(is_new))
    }

    fn bytes(&self) -> u64 {
        match &self.place {
            Location::Folder(folder) => bytes_in(folder),
            Location::Memory(directory) => directory.total_mem_usage() as u64,
        }
    }

    /// Removes the files. Readers that have them open can still read them.
    pub(crate) fn remove(&self) -> Result<(), StoreError> {
        match &self.place {
            // Without its list of segments it is no longer an index, even if other files stay for now.
            Location::Folder(folder) => fs::remove_file(folder.join("meta.json"))
                .and_then(|()| fs::remove_dir_all(folder))
                .map_err(|error| StoreError::io(&error).at(folder)),
            Location::Memory(_) => Ok(()),
        }
    }
}

impl SpanView {
    pub(crate) fn documents(&self) -> u64 {
        self.segments.iter().map(|segment| segment.documents).sum()
    }

    /// Returns the time of the newest entity. A time in the future counts as the time of receipt.
    pub(crate) fn youngest(&self) -> i64 {
        self.segments.iter().map(|segment| segment.youngest.min(segment.received)).max().unwrap_or(i64::MIN)
    }
}

fn position(index: &Index) -> Result<u64, StoreError> {
    let payload = index.load_metas()?.payload;
    Ok(payload.and_then(|position| position.parse().ok()).unwrap_or_default())
}

/// Returns the size of the files in a folder in bytes.
pub(crate) fn bytes_in(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

fn segment(ordinal: u32, reader: &SegmentReader) -> Result<Segment, StoreError> {
    let columns = reader.fast_fields();
    let (time, received) = (columns.i64("time")?, columns.i64("received")?);
    Ok(Segment {
        ordinal,
        oldest: time.min_value(),
        youngest: time.max_value(),
        received: received.max_value(),
        documents: reader.num_docs().into(),
    })
}

fn stored_in(document: &TantivyDocument) -> Option<Stored> {
    let json = document.get_first(FIELDS.json)?.as_bytes()?.to_vec();
    let received = Timestamp::from_usec(document.get_first(FIELDS.received)?.as_i64()?);
    Some(Record::parse(json.into(), received).ok()?.into_stored(document.get_first(FIELDS.sequence)?.as_u64()?))
}

/// Returns the names of the fields in some segments.
fn names_in(segments: &[SegmentReader]) -> Result<Names, StoreError> {
    let mut names = Names::default();
    for segment in segments {
        let columns = segment.open_read(SegmentComponent::FastFields).map_err(tantivy::TantivyError::from)?;
        let columns = ColumnarReader::open(columns).map_err(|error| StoreError::io(&error))?;
        for (column, _) in columns.iter_columns().map_err(|error| StoreError::io(&error))? {
            if let Some((field, key)) = column.split_once('\u{1}') {
                names.add(&name(key), field == "numbers");
            }
        }
    }
    Ok(names)
}
