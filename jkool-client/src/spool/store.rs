//! The segments of this process, on a disk that may refuse anything. What is written here is there until it has ended.

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

/// What other processes have left behind.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) segments: Vec<Left>,
    /// How many bytes were damaged where not even the number of records is known.
    pub(crate) damaged_bytes: u64,
    /// How many files a newer program wrote. They stay where they are.
    pub(crate) unknown: u64,
}

/// A segment that another process has left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) segment: SegmentId,
    /// The number of records that are open, as far as their marks tell; never none.
    pub(crate) open: u32,
    pub(crate) lane: Lane,
    /// When it was written to last, in microseconds since 1970.
    pub(crate) modified: i64,
}

/// The open records of a segment.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) records: Vec<(u32, Payload)>,
    /// Open, but not whole. They are open until the caller ends them, as any other.
    pub(crate) lost: Vec<u32>,
    /// How many bytes were found damaged that were not told before.
    pub(crate) damaged_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: Name,
    /// On disk.
    pub(super) size: u64,
    pub(super) lane: Lane,
    pub(super) open: Open,
    /// How many marks there is room for.
    pub(super) marks: u32,
    /// How many bytes of it are damaged, once any damage is known.
    pub(super) damaged: Option<u64>,
}

/// The records of a segment that have not ended. Which ones is kept only when somebody has asked: most segments of a long
/// outage are never looked at.
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

/// The name of a segment's file: its place in the line of its folder, and which segment it is. What the folder's owner wrote
/// himself has its own number as its place; what he took over has a new place in front.
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
    /// For messages; the disk knows where it is.
    pub(super) dir: PathBuf,
    pub(super) sync: bool,
    pub(super) max_bytes: u64,
    writer: u64,
    /// The name of this process' own folder.
    pub(super) folder: String,
    /// Held as long as the store lives, and told nothing else.
    _lock: Box<dyn Send>,
    pub(super) next_place: u64,
    next_id: u64,
    pub(super) segments: BTreeMap<SegmentId, Segment>,
    bytes: u64,
    /// Folders of others with files in them that are not for us.
    pub(super) left_alone: BTreeSet<String>,
    /// What the disk refused, for [`tidy`](Self::tidy): ended segments that are still there, ended records without a mark,
    /// and whether a failed write may have left something.
    ended: BTreeSet<SegmentId>,
    unmarked: Vec<Slot>,
    litter: bool,
    /// The last dead letter may be there in part.
    pub(super) torn_letter: bool,
}

const BLOCK: u64 = 4096;
pub(super) const LOCK: &str = "lock";
pub(super) const SEGMENT: &str = ".segment";
pub(super) const TMP: &str = ".tmp";
const CORRUPT: &str = ".corrupt";
const MAX_CORRUPT: usize = 16;

impl Store {
    /// Opens the spool and takes over what dead processes left in it. `writer` is random.
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

    /// How many bytes the segments take on disk, and how many there are.
    pub(crate) fn size(&self) -> (u64, usize) {
        (self.bytes, self.segments.len())
    }

    /// Whether a segment with payloads of that weight may be written.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let size = bytes.saturating_add(segment::Head::LEN).checked_next_multiple_of(BLOCK);
        size.and_then(|size| size.checked_add(self.bytes)).is_some_and(|bytes| bytes <= self.max_bytes)
    }

    /// Writes a segment. When that has failed nothing of it is there, or will be after [`tidy`](Self::tidy).
    pub(crate) fn write(&mut self, lane: Lane, payloads: &[&Payload]) -> Result<SegmentId, SpoolError> {
        let mut written = self.try_write(lane, payloads);
        if matches!(&written, Err(error) if error.kind() == io::ErrorKind::NotFound) && self.is_removed() {
            // What was in it is lost, which is counted when its turn comes.
            (self.writer, self._lock) = enter(&mut *self.disk, &self.dir, self.writer, self.sync)?;
            self.folder = format!("{:016x}", self.writer);
            written = self.try_write(lane, payloads);
        }
        written.map_err(|error| SpoolError::io(&self.dir, "can't write", error))
    }

    /// Whether somebody has removed this process' own folder, or the whole spool.
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

    /// The next place in line. None is used twice, whatever becomes of the first.
    pub(super) fn place(&mut self) -> u64 {
        let place = self.next_place;
        // Only a forged file could bring it so far.
        self.next_place = self.next_place.wrapping_add(1);
        place
    }

    /// Takes in a segment that is in our folder.
    pub(super) fn add(&mut self, segment: Segment) -> SegmentId {
        if segment.name.identity.writer == self.writer {
            // Left by a process with the same number: ours must not get in its way.
            self.next_place = self.next_place.max(segment.name.identity.number.saturating_add(1));
        }
        self.bytes += segment.size.next_multiple_of(BLOCK);
        let id = SegmentId(self.next_id);
        self.next_id += 1;
        self.segments.insert(id, segment);
        id
    }

    /// Which records of a segment have not ended.
    pub(crate) fn open_records(&mut self, id: SegmentId) -> Vec<u32> {
        self.segments.get_mut(&id).map(|segment| segment.open.indices().iter().copied().collect()).unwrap_or_default()
    }

    /// Reads the open records of a segment. Those of a file that has vanished are lost.
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
            // Of a file that has vanished no byte is damaged.
            let (damaged, told) = (contents.damaged.min(bytes.len() as u64), segment.damaged.unwrap_or(0));
            loaded.damaged_bytes = damaged.saturating_sub(told);
            segment.damaged = Some(damaged.max(told));
        }
        Ok(loaded)
    }

    /// These records have ended, and the file goes with its last. What the disk refuses is tried again by
    /// [`tidy`](Self::tidy); until then it costs no more than a second delivery.
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

    /// Marks records of a segment, neighbours with one write.
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

    /// All records of a segment have ended.
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

    /// Keeps a damaged file, for whoever wants to know what became of it, unless there are enough of them.
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

    /// Tries again what the disk has refused.
    pub(crate) fn tidy(&mut self) {
        for id in std::mem::take(&mut self.ended) {
            self.finish(id);
        }
        for slot in std::mem::take(&mut self.unmarked) {
            self.mark(slot.segment, &[slot.index]);
        }
        self.litter = self.litter && self.sweep().is_err();
    }

    /// Removes what failed writes have left.
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

    /// Removes this process' own folder when nothing is left in it. What is left is for the next process.
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

    /// Removes a file that may be gone already.
    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        match self.disk.remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// Enters the spool's folder, and makes one in it that is this process' own as long as the guard lives.
fn enter(disk: &mut dyn Disk, dir: &Path, writer: u64, sync: bool) -> Result<(u64, Box<dyn Send>), SpoolError> {
    let stat = disk.enter(dir, sync).map_err(|error| SpoolError::io(dir, "can't open", error))?;
    let wrong = match stat.kind {
        FileKind::Symlink => Some("is a symbolic link"),
        FileKind::File | FileKind::Other => Some("is no folder"),
        FileKind::Dir if !stat.ours => Some("belongs to another user"),
        FileKind::Dir if stat.shared => Some("can be written to by other users"),
        FileKind::Dir => None,
    };
    match wrong {
        Some(wrong) => Err(SpoolError::not_ours(dir, wrong)),
        None => claim(disk, writer, sync).map_err(|error| SpoolError::io(dir, "can't make a folder", error)),
    }
}

/// Whether something is left to be done to a file; with one that has vanished there is not.
fn fails(done: io::Result<()>) -> bool {
    done.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests;
