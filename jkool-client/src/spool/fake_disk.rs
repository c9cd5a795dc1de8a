//! A disk in memory for tests, which can fail, crash and lose power, and shows its content.

use super::disk::{Disk, FileKind, Stat};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle; clones share the disk. Opening the folder makes it belong to a process, and it fails permanently when that process
/// is killed.
#[derive(Clone, Default)]
pub(crate) struct FakeDisk {
    state: Arc<Mutex<State>>,
    process: Option<usize>,
}

#[derive(Default)]
struct State {
    nodes: Vec<Node>,
    /// The file of each name; the folder itself has the empty name.
    names: Names,
    /// The same, as it would be after a power failure.
    durable: Names,
    locks: Vec<usize>,
    /// The number of kills and power failures.
    kills: usize,
    calls: usize,
    fault: Fault,
    /// Whether there is no room for a new file or folder, or for more data in one.
    full: bool,
}

type Names = BTreeMap<String, usize>;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: FileKind,
    pub(crate) ours: bool,
    pub(crate) mode: u32,
    pub(crate) bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Fault {
    #[default]
    None,
    /// The call with this number fails.
    Call(usize, ErrorKind),
    /// That call and all after it fail.
    From(usize, ErrorKind),
}

/// What a power failure leaves of data that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing.
    Lost,
    /// All.
    Kept,
    /// The names, and half of each file.
    Torn,
    /// The names, and zeros in the files.
    Zeroed,
}

impl Cut {
    pub(crate) const ALL: [Cut; 4] = [Cut::Lost, Cut::Kept, Cut::Torn, Cut::Zeroed];
}

impl FakeDisk {
    /// Sets whether there is room for anything new.
    pub(crate) fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Kills all processes; what they have written stays.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.kills += 1;
        state.locks.clear();
        state.fault = Fault::None;
    }

    /// Cuts the power; what was not synced is lost.
    pub(crate) fn power_cut(&self) {
        self.power_cut_leaving(Cut::Lost);
    }

    pub(crate) fn power_cut_leaving(&self, cut: Cut) {
        self.kill();
        let State { nodes, names, durable, .. } = &mut *self.state();
        if cut == Cut::Lost {
            names.clone_from(durable);
            let kept = names.clone();
            names.retain(|name, _| parents(name).all(|parent| kept.contains_key(parent)));
        }
        for node in nodes {
            match cut {
                Cut::Lost => node.bytes.clone_from(&node.synced),
                Cut::Kept => {}
                // A multiple of four, because no sector ends within a mark.
                Cut::Torn if node.synced.len() < node.bytes.len() => {
                    node.bytes.truncate(node.synced.len().max(node.bytes.len() / 8 * 4));
                }
                Cut::Torn => {
                    let half = node.bytes.len() / 8 * 4;
                    node.bytes[half..].copy_from_slice(&node.synced[half..]);
                }
                Cut::Zeroed => {
                    let synced = node.synced.len().min(node.bytes.len());
                    node.bytes[synced..].fill(0);
                }
            }
            node.synced.clone_from(&node.bytes);
        }
        durable.clone_from(names);
    }

    /// The `n`-th call from now on fails, counted from 0. If it writes, it writes half of the data.
    pub(crate) fn fail(&self, n: usize, kind: ErrorKind) {
        let mut state = self.state();
        state.fault = Fault::Call(state.calls + n, kind);
    }

    /// The `n`-th call from now on and all after it fail.
    pub(crate) fn break_from(&self, n: usize, kind: ErrorKind) {
        let mut state = self.state();
        state.fault = Fault::From(state.calls + n, kind);
    }

    /// Every call fails.
    pub(crate) fn break_all(&self, kind: ErrorKind) {
        self.break_from(0, kind);
    }

    /// The processes are killed at the `n`-th call from now on. Then [`kill`](Self::kill) them, or cut the power.
    pub(crate) fn crash(&self, n: usize) {
        self.break_from(n, ErrorKind::Interrupted);
    }

    /// Whether any call has failed since that was requested.
    pub(crate) fn has_failed(&self) -> bool {
        let state = self.state();
        matches!(state.fault, Fault::Call(at, _) | Fault::From(at, _) if at < state.calls)
    }

    pub(crate) fn mend(&self) {
        self.state().fault = Fault::None;
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    /// The files and their content, without locks.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let files = state.names.iter().map(|(name, node)| (name.clone(), &state.nodes[*node]));
        let files = files.filter(|(name, node)| node.kind == FileKind::File && !name.ends_with("/lock"));
        files.map(|(name, node)| (name, node.bytes.clone())).collect()
    }

    /// All names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Writes a file, and its folder, like another program.
    pub(crate) fn put(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        for parent in parents(name).chain([""]) {
            if !state.names.contains_key(parent) {
                state.add(parent, FileKind::Dir);
            }
        }
        let bytes = bytes.into();
        let node = state.add(name, FileKind::File);
        state.nodes[node].bytes.clone_from(&bytes);
        state.nodes[node].synced = bytes;
        state.durable = state.names.clone();
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut state = self.state();
        state.names.remove(name);
        state.durable.remove(name);
    }

    /// Changes a file or folder, like another program.
    pub(crate) fn tamper(&self, name: &str, change: impl FnOnce(&mut Node)) {
        let mut state = self.state();
        let node = state.names[name];
        change(&mut state.nodes[node]);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One system call: returns the state, or the error to report.
    fn call(&self) -> Result<MutexGuard<'_, State>, (MutexGuard<'_, State>, ErrorKind)> {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        let fault = match state.fault {
            _ if self.process.is_some_and(|process| process != state.kills) => Some(ErrorKind::Interrupted),
            Fault::Call(at, kind) if at == call => Some(kind),
            Fault::From(at, kind) if at <= call => Some(kind),
            _ => None,
        };
        match fault {
            Some(kind) => Err((state, kind)),
            None => Ok(state),
        }
    }

    fn whole(&self) -> io::Result<MutexGuard<'_, State>> {
        self.call().map_err(|(_, kind)| kind.into())
    }

    /// A call that needs room for something new.
    fn with_room(&self) -> io::Result<MutexGuard<'_, State>> {
        self.whole().and_then(|state| if state.full { Err(ErrorKind::StorageFull.into()) } else { Ok(state) })
    }

    /// A call that appends to a file. If it fails, it writes half of the data.
    fn extend(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (mut state, written, failed) = match self.call() {
            Ok(state) => (state, bytes, Ok(())),
            Err((state, kind)) => {
                let first = matches!(state.fault, Fault::Call(at, _) | Fault::From(at, _) if at + 1 == state.calls);
                (state, &bytes[..if first { bytes.len() / 2 } else { 0 }], Err(kind.into()))
            }
        };
        if !written.is_empty() || failed.is_ok() {
            state.node(name)?.bytes.extend(written);
        }
        failed
    }
}

impl State {
    fn add(&mut self, name: &str, kind: FileKind) -> usize {
        let mode = if kind == FileKind::Dir { 0o700 } else { 0o600 };
        self.nodes.push(Node { kind, ours: true, mode, bytes: Vec::new(), synced: Vec::new() });
        self.names.insert(name.to_owned(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn node(&mut self, name: &str) -> io::Result<&mut Node> {
        let node = self.find(name)?;
        let node = &mut self.nodes[node];
        if node.kind == FileKind::Symlink { Err(io::Error::other("a symbolic link")) } else { Ok(node) }
    }

    fn dir(&self, name: &str) -> io::Result<()> {
        match self.nodes[self.find(name)?].kind {
            FileKind::Dir => Ok(()),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn children(&self, dir: &str) -> Vec<String> {
        self.names.keys().filter(|name| !name.is_empty() && parent(name) == dir).cloned().collect()
    }

    /// Checks that a name is free and its folder exists.
    fn is_free(&self, name: &str) -> io::Result<()> {
        self.dir(parent(name))?;
        if self.names.contains_key(name) { Err(ErrorKind::AlreadyExists.into()) } else { Ok(()) }
    }
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The parents of a name, except the first.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

impl Disk for FakeDisk {
    fn enter(&mut self, _: &Path, _: bool) -> io::Result<Stat> {
        let kills = self.state().kills;
        self.process = Some(kills);
        let mut state = self.whole()?;
        if !state.names.contains_key("") {
            state.add("", FileKind::Dir);
            state.durable = state.names.clone();
        }
        drop(state);
        self.stat("")
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        let mut state = self.with_room()?;
        state.is_free(name)?;
        state.add(name, FileKind::Dir);
        Ok(())
    }

    fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let state = self.whole()?;
        state.dir(name)?;
        let children = state.children(name).into_iter();
        Ok(children.map(|child| child.rsplit('/').next().unwrap_or_default().to_owned()).collect())
    }

    fn stat(&self, name: &str) -> io::Result<Stat> {
        let state = self.whole()?;
        let Node { kind, ours, mode, ref bytes, .. } = state.nodes[state.find(name)?];
        Ok(Stat { kind, ours, shared: mode & 0o022 != 0, len: bytes.len() as u64, modified: 0 })
    }

    fn create(&self, name: &str, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut state = self.with_room()?;
        state.is_free(name)?;
        state.add(name, FileKind::File);
        drop(state);
        self.extend(name, bytes)?;
        if sync {
            let mut state = self.whole()?;
            let node = state.node(name)?;
            node.synced.clone_from(&node.bytes);
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        // A name in another folder needs new space there.
        let moves = parent(from) != parent(to);
        let mut state = if moves { self.with_room()? } else { self.whole()? };
        state.dir(parent(to))?;
        let node = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn sync_dir(&self, name: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        state.dir(name)?;
        let State { names, durable, .. } = &mut *state;
        let here = |path: &String| !path.is_empty() && parent(path) == name;
        // A rename is one change, whichever of its two folders is synced.
        let moved: Vec<usize> = durable.iter().filter(|(path, _)| here(path)).map(|(_, node)| *node).collect();
        let came: Vec<usize> = names.iter().filter(|(path, _)| here(path)).map(|(_, node)| *node).collect();
        durable.retain(|path, node| !here(path) && (!came.contains(node) || names.get(path) == Some(node)));
        durable.extend(
            names.iter().filter(|(path, node)| here(path) || moved.contains(node)).map(|(p, n)| (p.clone(), *n)),
        );
        Ok(())
    }

    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut state = self.whole()?;
        let bytes = &state.node(name)?.bytes;
        Ok(bytes[..bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX))].to_vec())
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.whole()?;
        let (node, offset) = (state.node(name)?, offset as usize);
        let end = node.bytes.len().max(offset + bytes.len());
        node.bytes.resize(end, 0);
        node.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.with_room()?;
        if state.is_free(name).is_ok() {
            state.add(name, FileKind::File);
        }
        drop(state);
        self.extend(name, bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        let node = state.find(name)?;
        state.nodes[node].synced = state.nodes[node].bytes.clone();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        let node = state.find(name)?;
        if state.nodes[node].kind == FileKind::Dir {
            return Err(ErrorKind::IsADirectory.into());
        }
        state.names.remove(name);
        Ok(())
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        let mut state = self.whole()?;
        state.dir(name)?;
        if !state.children(name).is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        state.names.remove(name);
        Ok(())
    }

    fn lock(&self, name: &str) -> io::Result<Option<Box<dyn Send>>> {
        let mut state = self.whole()?;
        let node = match state.is_free(name) {
            Ok(()) => state.add(name, FileKind::File),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => state.find(name)?,
            Err(error) => return Err(error),
        };
        state.node(name)?;
        if state.locks.contains(&node) {
            return Ok(None);
        }
        state.locks.push(node);
        Ok(Some(Box::new(Guard { disk: self.clone(), node })))
    }
}

struct Guard {
    disk: FakeDisk,
    node: usize,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        // Locks of a killed process are free already, and may belong to another one by now.
        if self.disk.process == Some(state.kills) {
            state.locks.retain(|node| *node != self.node);
        }
    }
}
