//! A folder for each process, and taking over folders of processes that have ended.
//!
//! The holder of a folder's lock may do anything with its files. Between creating a folder and locking it, its owner may lose
//! it to a process that takes it for an orphan; then it creates another one.

use super::disk::{Disk, FileKind};
use super::segment::{self, Head, Identity};
use super::store::{Found, LOCK, Left, Name, Open, Segment, Store, TMP};
use crate::queue::lane::Lane;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

/// After losing so many folders, there must be another reason.
const TRIES: usize = 100;

/// Creates a folder that belongs to this process as long as the guard lives: `writer`, or a number near it if that is taken.
pub(super) fn claim(disk: &dyn Disk, mut writer: u64, sync: bool) -> io::Result<(u64, Box<dyn Send>)> {
    let mut random = fastrand::Rng::with_seed(writer);
    for _ in 0..TRIES {
        match try_claim(disk, &format!("{writer:016x}"), sync) {
            Ok(Some(lock)) => return Ok((writer, lock)),
            Ok(None) => writer = writer.wrapping_add(random.u64(1..=0xFFFF)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("other processes keep taking it"))
}

fn try_claim(disk: &dyn Disk, folder: &str, sync: bool) -> io::Result<Option<Box<dyn Send>>> {
    match disk.create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => made?,
    }
    let lock = format!("{folder}/{LOCK}");
    let locked = match disk.lock(&lock) {
        // Another process took it for an orphan, and removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(Some(guard)) if sync => disk.sync_dir("").map(|()| Some(guard)),
        locked => locked,
    };
    if locked.is_err() {
        disk.remove(&lock).ok();
        disk.remove_dir(folder).ok();
    }
    locked
}

/// Locks the folder of a process that has ended, to use it as it is: on a full disk no other folder can be created. Delivering
/// its events frees disk space.
pub(super) fn occupy(disk: &dyn Disk) -> Option<(String, Box<dyn Send>)> {
    let mut folders = disk.list("").unwrap_or_default();
    folders.retain(|name| segment::parse_hex(name).is_some());
    folders.sort_unstable();
    folders.into_iter().find_map(|folder| {
        disk.stat(&folder).ok().filter(|stat| stat.kind == FileKind::Dir && stat.ours)?;
        let files = disk.list(&folder).ok()?;
        files.iter().find_map(|file| Name::parse(file))?;
        let lock = disk.lock(&format!("{folder}/{LOCK}")).ok().flatten()?;
        Some((folder, lock))
    })
}

/// The kinds of files in a folder of a process that has ended.
enum Orphan {
    Segment {
        /// The name of its file.
        name: Name,
        segment: Segment,
        modified: i64,
    },
    /// All its events have ended.
    Ended,
    /// No event in it can be delivered.
    Damaged(Identity),
    /// It must be left alone.
    Foreign { newer: bool },
}

/// A segment that may be taken over.
struct Candidate {
    /// Its file has the name of another segment.
    misnamed: bool,
    segment: Segment,
    path: String,
    modified: i64,
}

/// The content of a folder.
#[derive(Default)]
struct Survey {
    segments: Vec<Candidate>,
    /// It contains a file that must be left alone.
    foreign: bool,
    /// The number of files that a newer version wrote.
    newer: u64,
    /// Some file could not be read or moved now.
    failed: bool,
}

impl Store {
    /// Takes over the files of processes that have ended since. Files that cannot be read or moved now stay where they are, for
    /// the next time.
    pub(crate) fn adopt(&mut self) -> Found {
        let mut found = Found::default();
        let mut folders = self.disk.list("").unwrap_or_default();
        folders.retain(|name| segment::parse_hex(name).is_some());
        folders.retain(|name| *name != self.folder && !self.left_alone.contains(name));
        folders.sort_unstable();
        let folders = self.oldest_first(folders);
        if !folders.is_empty() {
            let mut known = self.segments.values().map(|segment| segment.name.identity).collect();
            for folder in folders {
                self.adopt_folder(&folder, &mut known, &mut found).ok();
            }
        }
        found
    }

    /// Takes over the files in the folder that this process has occupied, with their names.
    pub(super) fn take_in_place(&mut self) -> Found {
        let (mut found, mut known) = (Found::default(), HashSet::new());
        let folder = self.folder.clone();
        let Survey { segments, newer, .. } = self.survey(&folder, &mut found).unwrap_or_default();
        found.unknown += newer;
        for Candidate { segment, path, modified, .. } in segments {
            let Name { place, identity } = segment.name;
            self.next_place = self.next_place.max(place.saturating_add(1));
            if known.insert(identity) {
                self.found(segment, modified, &mut found);
            } else {
                self.refuse(&path, identity, &mut found).ok();
            }
        }
        found
    }

    /// Sorts folders so that no segment comes before an older one of the same writer. If a process was taking over another's
    /// folder and ended in the middle, it has the head of the other's line, and the other has the rest.
    fn oldest_first(&self, folders: Vec<String>) -> Vec<String> {
        // By writer: the first number in each folder.
        let mut firsts: HashMap<u64, BTreeMap<u64, usize>> = HashMap::new();
        let mut writers: Vec<HashMap<u64, u64>> = vec![HashMap::new(); folders.len()];
        for (folder, name) in folders.iter().enumerate() {
            for Identity { writer, number } in self.names(name) {
                let first = writers[folder].entry(writer).or_insert(number);
                *first = number.min(*first);
            }
            for (writer, number) in &writers[folder] {
                firsts.entry(*writer).or_default().insert(*number, folder);
            }
        }
        let mut waiting: Vec<usize> = (0..folders.len()).collect();
        let mut ordered = Vec::new();
        while !waiting.is_empty() {
            let is_head = |folder: &usize| {
                let before = |(writer, number): (&u64, &u64)| firsts[writer].range(..number).next().is_some();
                !writers[*folder].iter().any(before)
            };
            // Only forged names can form a cycle.
            let folder = waiting.remove(waiting.iter().position(is_head).unwrap_or(0));
            for (writer, number) in &writers[folder] {
                firsts.entry(*writer).or_default().remove(number);
            }
            ordered.push(folders[folder].clone());
        }
        ordered
    }

    fn names(&self, folder: &str) -> impl Iterator<Item = Identity> {
        let files = self.disk.list(folder).unwrap_or_default();
        files.into_iter().filter_map(|file| Name::parse(&file)).map(|name| name.identity)
    }

    fn adopt_folder(&mut self, folder: &str, known: &mut HashSet<Identity>, found: &mut Found) -> io::Result<()> {
        let stat = self.disk.stat(folder)?;
        if stat.kind != FileKind::Dir || !stat.ours {
            return Ok(());
        }
        let lock = format!("{folder}/{LOCK}");
        let Some(_guard) = self.disk.lock(&lock)? else {
            return Ok(());
        };
        let Survey { segments, foreign, newer, mut failed } = self.survey(folder, found)?;
        for candidate in segments {
            failed |= self.take(candidate, known, found).is_err();
        }
        if self.sync {
            // Synced before they are removed from the other folder.
            self.disk.sync_dir(&self.folder)?;
        }
        if failed {
            return Ok(());
        }
        found.unknown += newer;
        if foreign {
            self.left_alone.insert(folder.to_owned());
            return Ok(());
        }
        self.disk.remove(&lock)?;
        self.disk.remove_dir(folder)
    }

    /// Lists a locked folder: its segments in the order of its line. Files whose events have all ended are removed, and damaged
    /// ones are set aside.
    fn survey(&mut self, folder: &str, found: &mut Found) -> io::Result<Survey> {
        let mut names = self.disk.list(folder)?;
        names.retain(|name| name != LOCK);
        let Survey { mut segments, mut foreign, mut newer, mut failed } = Survey::default();
        for name in names {
            let path = format!("{folder}/{name}");
            match examine(&*self.disk, &path, &name) {
                Ok(Orphan::Segment { name, segment, modified }) => {
                    segments.push(Candidate { misnamed: name != segment.name, segment, path, modified });
                }
                Ok(Orphan::Ended) => failed |= self.remove(&path).is_err(),
                Ok(Orphan::Damaged(identity)) => failed |= self.refuse(&path, identity, found).is_err(),
                Ok(Orphan::Foreign { newer: by_a_newer }) => {
                    foreign = true;
                    newer += u64::from(by_a_newer);
                }
                Err(_) => failed = true,
            }
        }
        // If two files claim to be the same segment, the one with the matching name counts.
        segments
            .sort_by_key(|Candidate { misnamed, segment, .. }| (*misnamed, segment.name.place, segment.name.identity));
        Ok(Survey { segments, foreign, newer, failed })
    }

    fn take(
        &mut self,
        Candidate { mut segment, path, modified, .. }: Candidate,
        known: &mut HashSet<Identity>,
        found: &mut Found,
    ) -> io::Result<()> {
        let identity = segment.name.identity;
        if known.contains(&identity) {
            return self.refuse(&path, identity, found);
        }
        segment.name.place = self.place();
        self.disk.rename(&path, &self.path(segment.name))?;
        known.insert(identity);
        self.found(segment, modified, found);
        Ok(())
    }

    fn found(&mut self, segment: Segment, modified: i64, found: &mut Found) {
        let (open, lane) = (segment.open.len(), segment.lane);
        found.damaged_bytes += segment.damaged.unwrap_or(0);
        found.segments.push(Left { segment: self.add(segment), open, lane, modified });
    }

    fn refuse(&self, path: &str, identity: Identity, found: &mut Found) -> io::Result<()> {
        let size = self.disk.stat(path)?.len;
        self.set_aside(path, identity)?;
        // An empty file is also a loss.
        found.damaged_bytes += size.max(Head::LEN);
        Ok(())
    }
}

fn examine(disk: &dyn Disk, path: &str, name: &str) -> io::Result<Orphan> {
    let stat = disk.stat(path)?;
    let ours = stat.kind == FileKind::File && stat.ours;
    let tmp = name.strip_suffix(TMP).and_then(Identity::parse);
    if ours && tmp.is_some() {
        return Ok(Orphan::Ended); // Nobody was told that it is there.
    }
    let Some(name) = Name::parse(name).filter(|_| ours) else {
        return Ok(Orphan::Foreign { newer: false });
    };
    let bytes = disk.read(path, FIRST)?;
    let table = match Head::read(&bytes) {
        Head::Newer => return Ok(Orphan::Foreign { newer: true }),
        Head::Whole { identity, count, .. } if identity == name.identity => segment::mark_offset(count),
        _ => u64::MAX,
    };
    let segment = if table <= stat.len {
        let bytes = if table <= FIRST { bytes } else { disk.read(path, table)? };
        by_marks(&bytes, name, stat.len)
    } else {
        by_records(&disk.read(path, u64::MAX)?, name)
    };
    Ok(match (segment.open.len(), segment.damaged) {
        (0, None) => Orphan::Ended,
        (0, Some(_)) => Orphan::Damaged(segment.name.identity),
        _ => Orphan::Segment { name, segment, modified: stat.modified },
    })
}

/// The bytes of a file that are read first, which contain the marks of most files.
const FIRST: u64 = 4096;

/// A segment with an intact header, by its marks. Whether its records are intact is checked when they are loaded.
fn by_marks(bytes: &[u8], name: Name, size: u64) -> Segment {
    let Head::Whole { lane, count, .. } = Head::read(bytes) else {
        return by_records(bytes, name);
    };
    let wrong = (0..count).any(|index| !segment::is_mark(bytes, name.identity, index));
    let open = open(bytes, name.identity, 0..count);
    Segment { name, size, lane, open, marks: count, damaged: wrong.then_some(0) }
}

/// A segment whose header is damaged, or names another segment, by its intact records.
fn by_records(bytes: &[u8], name: Name) -> Segment {
    let contents = segment::read(bytes, name.identity);
    let (identity, size) = (contents.identity, bytes.len() as u64);
    let name = Name { identity, ..name };
    match Head::read(bytes) {
        Head::Whole { identity: of, count, .. } if of == identity && segment::mark_offset(count) <= size => {
            return by_marks(bytes, name, size);
        }
        _ => {}
    }
    let open = open(bytes, identity, contents.records.keys().copied());
    // Its lane is no longer known.
    let lane = Lane::Normal;
    Segment { name, size, lane, open, marks: contents.marks, damaged: Some(contents.damaged) }
}

/// The records that are open.
fn open(bytes: &[u8], identity: Identity, indices: impl Iterator<Item = u32> + Clone) -> Open {
    let open = indices.filter(|index| !segment::has_ended(bytes, identity, *index));
    let all = open.clone().count() as u32;
    if open.clone().eq(0..all) { Open::all(all) } else { Open::these(open.collect()) }
}
