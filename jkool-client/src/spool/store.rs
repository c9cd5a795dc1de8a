//! The segments of this process, on a disk on which any call may fail. What was written stays until its events have ended.

use super::adopt::{claim, occupy};
use super::disk::{Disk, FileKind};
use super::error::SpoolError;
use super::segment::{self, Identity};
use super::settings::Spool;
use crate::queue::lane::Lane;
use crate::queue::mark::{SegmentId, Slot};
use jkool_transport::Payload;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// The files that other processes left.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) segments: Vec<Left>,
    /// Damaged bytes in files for which the number of records is unknown.
    pub(crate) damaged_bytes: u64,
    /// The number of files that a newer version wrote, which stay where they are.
    pub(crate) unknown: u64,
}

/// A segment that another process left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) segment: SegmentId,
    /// The number of open records according to their marks; at least one.
    pub(crate) open: u32,
    pub(crate) lane: Lane,
    /// The time of the last write, in microseconds since 1970.
    pub(crate) modified: i64,
}

/// The open records of a segment.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) records: Vec<(u32, Payload)>,
    /// Open records that are damaged. Like others, they stay open until the caller ends them.
    pub(crate) lost: Vec<u32>,
    /// Damaged bytes that were not reported before.
    pub(crate) damaged_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: Name,
    /// Its size on disk.
    pub(super) size: u64,
    pub(super) lane: Lane,
    pub(super) open: Open,
    /// The number of marks that fit.
    pub(super) marks: u32,
    /// The number of damaged bytes, if any damage is known.
    pub(super) damaged: Option<u64>,
}

/// The open records of a segment. Which ones they are is only stored when it was asked: most segments of a long outage are
/// never loaded.
#[derive(Debug)]
pub(super) struct Open {
    all: u32,
    these: Option<BTreeSet<u32>>,
}

impl Open {
    pub(super) fn all(count: u32) -> Self {
        Self { all: count, these: None }
    }

    pub(super) fn these(open: BTreeSet<u32>) -> Self {
        Self { all: 0, these: Some(open) }
    }

    pub(super) fn len(&self) -> u32 {
        self.these.as_ref().map_or(self.all, |open| open.len() as u32)
    }

    fn indices(&mut self) -> &mut BTreeSet<u32> {
        self.these.get_or_insert_with(|| (0..self.all).collect())
    }
}

/// The name of a segment's file: its position in the line of its folder, and its identity. For files that the folder's owner
/// wrote, the position is the number; files that it took over have a new position in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) place: u64,
    pub(super) identity: Identity,
}

impl Name {
    pub(super) fn parse(file: &str) -> Option<Self> {
        let name = file.strip_suffix(SEGMENT)?;
        if let Some(identity) = Identity::parse(name) {
            return Some(Self { place: identity.number, identity });
        }
        let (place, identity) = name.split_once('-')?;
        Some(Self { place: segment::parse_hex(place)?, identity: Identity::parse(identity)? })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, identity } = self;
        if *place != identity.number {
            write!(f, "{place:016x}-")?;
        }
        write!(f, "{identity}{SEGMENT}")
    }
}

pub(crate) struct Store {
    pub(super) disk: Box<dyn Disk>,
    /// For error messages only.
    pub(super) dir: PathBuf,
    pub(super) sync: bool,
    pub(super) max_bytes: u64,
    writer: u64,
    /// The name of the folder of this process.
    pub(super) folder: String,
    /// Held as long as the store lives.
    _lock: Box<dyn Send>,
    pub(super) next_place: u64,
    next_id: u64,
    pub(super) segments: BTreeMap<SegmentId, Segment>,
    bytes: u64,
    /// Folders of other processes with files that must be left alone.
    pub(super) left_alone: BTreeSet<String>,
    /// Failed operations, for [`tidy`](Self::tidy): ended segments that still exist, ended records without a mark, and whether
    /// a failed write may have left something.
    ended: BTreeSet<SegmentId>,
    unmarked: Vec<Slot>,
    litter: bool,
    /// Whether the last dead letter may be incomplete.
    pub(super) torn_letter: bool,
}

const BLOCK: u64 = 4096;
pub(super) const LOCK: &str = "lock";
pub(super) const SEGMENT: &str = ".segment";
pub(super) const TMP: &str = ".tmp";
const CORRUPT: &str = ".corrupt";
const MAX_CORRUPT: usize = 16;

impl Store {
    /// Opens the spool and takes over the files of processes that have ended. `writer` is random.
    pub(crate) fn open(settings: &Spool, mut disk: Box<dyn Disk>, writer: u64) -> Result<(Self, Found), SpoolError> {
        let dir = settings.dir.clone();
        let (writer, folder, lock, occupied) = match enter(&mut *disk, &dir, writer, settings.sync) {
            Ok((writer, lock)) => (writer, format!("{writer:016x}"), lock, false),
            Err(error) => match occupy(&*disk).filter(|_| error.is_full()) {
                Some((folder, lock)) => (writer, folder, lock, true),
                None => return Err(error),
            },
        };
        let mut store = Self {
            disk,
            dir,
            sync: settings.sync,
            max_bytes: settings.max_bytes,
            writer,
            folder,
            _lock: lock,
            next_place: 1,
            next_id: 0,
            segments: BTreeMap::new(),
            bytes: 0,
            left_alone: BTreeSet::new(),
            ended: BTreeSet::new(),
            unmarked: Vec::new(),
            litter: false,
            torn_letter: false,
        };
        let mut found = if occupied { store.take_in_place() } else { Found::default() };
        let others = store.adopt();
        found.segments.extend(others.segments);
        found.damaged_bytes += others.damaged_bytes;
        found.unknown += others.unknown;
        Ok((store, found))
    }

    /// The size of the segments on disk in bytes, and their number.
    pub(crate) fn size(&self) -> (u64, usize) {
        (self.bytes, self.segments.len())
    }

    /// Whether a segment with payloads of this size may be written.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let size = bytes.saturating_add(segment::Head::LEN).checked_next_multiple_of(BLOCK);
        size.and_then(|size| size.checked_add(self.bytes)).is_some_and(|bytes| bytes <= self.max_bytes)
    }

    /// Writes a segment. After an error no part of it exists, or none will after [`tidy`](Self::tidy).
    pub(crate) fn write(&mut self, lane: Lane, payloads: &[&Payload]) -> Result<SegmentId, SpoolError> {
        let mut written = self.try_write(lane, payloads);
        if matches!(&written, Err(error) if error.kind() == io::ErrorKind::NotFound) && self.is_removed() {
            // Its events are lost, which is counted when they are next.
            (self.writer, self._lock) = enter(&mut *self.disk, &self.dir, self.writer, self.sync)?;
            self.folder = format!("{:016x}", self.writer);
            written = self.try_write(lane, payloads);
        }
        written.map_err(|error| SpoolError::io(&self.dir, "can't write", error))
    }

    /// Whether somebody removed the folder of this process, or the whole spool.
    fn is_removed(&self) -> bool {
        matches!(self.disk.stat(&self.folder), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }

    fn try_write(&mut self, lane: Lane, payloads: &[&Payload]) -> io::Result<SegmentId> {
        let identity = Identity { writer: self.writer, number: self.next_place };
        let bytes = segment::encode(identity, lane, payloads)?;
        let name = Name { place: self.place(), identity };
        let (tmp, path) = (format!("{}/{identity}{TMP}", self.folder), self.path(name));
        let written = self
            .disk
            .create(&tmp, &bytes, self.sync)
            .and_then(|()| self.disk.rename(&tmp, &path))
            .and_then(|()| if self.sync { self.disk.sync_dir(&self.folder) } else { Ok(()) });
        if let Err(error) = written {
            self.litter |= self.remove(&tmp).and_then(|()| self.remove(&path)).is_err();
            return Err(error);
        }
        let count = payloads.len() as u32;
        let (size, open) = (bytes.len() as u64, Open::all(count));
        Ok(self.add(Segment { name, size, lane, open, marks: count, damaged: None }))
    }

    /// Returns the next position in the line. None is used twice, whatever happened to its file.
    pub(super) fn place(&mut self) -> u64 {
        let place = self.next_place;
        // Only a forged file can make it so large.
        self.next_place = self.next_place.wrapping_add(1);
        place
    }

    /// Adds a segment in the folder of this process.
    pub(super) fn add(&mut self, segment: Segment) -> SegmentId {
        if segment.name.identity.writer == self.writer {
            // Left by a process with the same number; it must not collide with this process's files.
            self.next_place = self.next_place.max(segment.name.identity.number.saturating_add(1));
        }
        self.bytes += segment.size.next_multiple_of(BLOCK);
        let id = SegmentId(self.next_id);
        self.next_id += 1;
        self.segments.insert(id, segment);
        id
    }

    /// Returns the open records of a segment.
    pub(crate) fn open_records(&mut self, id: SegmentId) -> Vec<u32> {
        self.segments.get_mut(&id).map(|segment| segment.open.indices().iter().copied().collect()).unwrap_or_default()
    }

    /// Reads the open records of a segment. If its file is gone they are lost.
    pub(crate) fn load(&mut self, id: SegmentId) -> Result<Loaded, SpoolError> {
        let Some(name) = self.segments.get(&id).map(|segment| segment.name) else {
            return Ok(Loaded::default());
        };
        let bytes = match self.disk.read(&self.path(name), u64::MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|error| SpoolError::io(&self.dir, "can't read", error))?,
        };
        let contents = segment::read_as(&bytes, name.identity);
        let mut loaded = Loaded::default();
        let Some(segment) = self.segments.get_mut(&id) else {
            return Ok(loaded);
        };
        for &index in segment.open.indices().iter() {
            match contents.records.get(&index) {
                Some(record) => loaded.records.push((index, record.payload())),
                None => loaded.lost.push(index),
            }
        }
        segment.marks = contents.marks;
        if contents.damaged > 0 || !loaded.lost.is_empty() {
            // A file that is gone has no damaged bytes.
            let (damaged, told) = (contents.damaged.min(bytes.len() as u64), segment.damaged.unwrap_or(0));
            loaded.damaged_bytes = damaged.saturating_sub(told);
            segment.damaged = Some(damaged.max(told));
        }
        Ok(loaded)
    }

    /// Records that these records have ended; the file is removed with its last one. Failed operations are repeated by
    /// [`tidy`](Self::tidy); until then they can only cause a second delivery.
    pub(crate) fn end(&mut self, slots: &[Slot]) {
        let mut ended: BTreeMap<SegmentId, Vec<u32>> = BTreeMap::new();
        for slot in slots {
            let segment = self.segments.get_mut(&slot.segment);
            if segment.is_some_and(|segment| segment.open.indices().remove(&slot.index)) {
                ended.entry(slot.segment).or_default().push(slot.index);
            }
        }
        for (id, mut indices) in ended {
            if self.segments.get(&id).is_some_and(|segment| segment.open.len() == 0) {
                self.finish(id);
            } else {
                indices.sort_unstable();
                self.mark(id, &indices);
            }
        }
    }

    /// Marks records of a segment as ended, consecutive ones with one write.
    fn mark(&mut self, id: SegmentId, indices: &[u32]) {
        let Some(&Segment { name, marks, .. }) = self.segments.get(&id) else {
            return;
        };
        let path = self.path(name);
        for run in indices.chunk_by(|index, next| index + 1 == *next) {
            let run = &run[..run.partition_point(|index| *index < marks)];
            let bytes: Vec<u8> = run.iter().flat_map(|index| segment::mark(name.identity, *index)).collect();
            let Some(&first) = run.first() else { continue };
            if fails(self.disk.write_at(&path, segment::mark_offset(first), &bytes)) {
                self.unmarked.extend(run.iter().map(|&index| Slot { segment: id, index }));
            }
        }
    }

    /// Handles a segment whose records have all ended.
    fn finish(&mut self, id: SegmentId) {
        let Some(segment) = self.segments.get(&id) else {
            return;
        };
        let path = self.path(segment.name);
        let gone = match segment.damaged {
            Some(_) => self.set_aside(&path, segment.name.identity),
            None => self.remove(&path),
        };
        if fails(gone) {
            self.ended.insert(id);
        } else if let Some(segment) = self.segments.remove(&id) {
            self.bytes -= segment.size.next_multiple_of(BLOCK);
        }
    }

    /// Keeps a damaged file so that it can be examined, unless there are enough of them.
    pub(super) fn set_aside(&self, path: &str, identity: Identity) -> io::Result<()> {
        let names = self.disk.list("")?;
        if names.iter().filter(|name| name.ends_with(CORRUPT)).count() >= MAX_CORRUPT {
            return self.remove(path);
        }
        let mut name = format!("{identity}{CORRUPT}");
        for copy in 2.. {
            if !names.contains(&name) {
                break;
            }
            name = format!("{identity}.{copy}{CORRUPT}");
        }
        self.disk.rename(path, &name)
    }

    /// Repeats failed operations.
    pub(crate) fn tidy(&mut self) {
        for id in std::mem::take(&mut self.ended) {
            self.finish(id);
        }
        for slot in std::mem::take(&mut self.unmarked) {
            self.mark(slot.segment, &[slot.index]);
        }
        self.litter = self.litter && self.sweep().is_err();
    }

    /// Removes the remains of failed writes.
    fn sweep(&self) -> io::Result<()> {
        let ours: HashSet<String> = self.segments.values().map(|segment| self.path(segment.name)).collect();
        for name in self.disk.list(&self.folder)? {
            let path = format!("{}/{name}", self.folder);
            if name != LOCK && !ours.contains(&path) {
                self.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Removes the folder of this process if it is empty. Otherwise it is for the next process.
    pub(crate) fn close(mut self) {
        self.tidy();
        if self.segments.is_empty() {
            let lock = format!("{}/{LOCK}", self.folder);
            self.disk.remove(&lock).ok();
            self.disk.remove_dir(&self.folder).ok();
        }
    }

    pub(super) fn path(&self, name: Name) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Removes a file, which may be gone already.
    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        match self.disk.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// Opens the spool's folder, and creates a sub-folder that belongs to this process as long as the guard lives.
fn enter(disk: &mut dyn Disk, dir: &Path, writer: u64, sync: bool) -> Result<(u64, Box<dyn Send>), SpoolError> {
    let stat = disk.enter(dir, sync).map_err(|error| SpoolError::io(dir, "can't open", error))?;
    let wrong = match stat.kind {
        FileKind::Symlink => Some("is a symbolic link"),
        FileKind::File | FileKind::Other => Some("is not a folder"),
        FileKind::Dir if !stat.ours => Some("belongs to another user"),
        FileKind::Dir if stat.shared => Some("can be written to by other users"),
        FileKind::Dir => None,
    };
    match wrong {
        Some(wrong) => Err(SpoolError::not_ours(dir, wrong)),
        None => claim(disk, writer, sync).map_err(|error| SpoolError::io(dir, "can't create a folder", error)),
    }
}

/// Whether an operation must be repeated; not if its file is gone.
fn fails(done: io::Result<()>) -> bool {
    done.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests;
