//! What only a real disk shows: modes, links, locks, and processes that come and go at once. Modes and links are those of Unix.

use super::{corrupt_files, drain, drain_all, write};
use crate::spool::disks::disks;
use crate::spool::settings::Spool;
use crate::spool::store::{Found, Store};
use std::collections::BTreeSet;
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

/// A folder that goes with the test.
struct Temp(PathBuf);

impl Temp {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("jkool-spool-{}-{:016x}", std::process::id(), fastrand::u64(..)));
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn spool(&self) -> PathBuf {
        self.0.join("above/spool")
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn open(dir: &Path) -> (Store, Found) {
    Store::open(&Spool::new(dir), disks()(), fastrand::u64(..)).unwrap()
}

#[cfg(unix)]
fn refused(dir: &Path) -> String {
    let error = Store::open(&Spool::new(dir), disks()(), fastrand::u64(..)).err().unwrap();
    error.to_string().replace(&dir.display().to_string(), "DIR")
}

fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut all = vec![dir.to_owned()];
    if dir.is_dir() {
        for entry in fs::read_dir(dir).unwrap() {
            all.extend(tree(&entry.unwrap().path()));
        }
    }
    all
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look_whatever_the_umask() {
    let temp = Temp::new();
    let umask = rustix::process::umask(rustix::fs::Mode::empty());
    let (mut store, _) = open(&temp.spool());
    write(&mut store, &["a"]);
    store.dead_letter(b"{}").unwrap();
    rustix::process::umask(umask);
    let all = tree(&temp.0.join("above"));
    assert_eq!(all.len(), 6, "{all:?}");
    for path in all {
        let found = fs::metadata(&path).unwrap();
        assert_eq!(found.mode() & 0o7777, if found.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
    }
}

#[test]
fn what_is_written_is_there_for_the_next_process() {
    let temp = Temp::new();
    let (mut store, _) = open(&temp.spool());
    let segment = write(&mut store, &["a", "b", "c"]);
    write(&mut store, &["d"]);
    store.end(&[super::slot(segment, 1)]);
    store.dead_letter(b"{\"a\":1}").unwrap();
    store.dead_letter(b"{\"b\":2}").unwrap();
    drop(store);
    let (mut store, found) = open(&temp.spool());
    assert_eq!(drain(&mut store, found).bodies, ["a", "c", "d"]);
    store.close();
    assert_eq!(tree(&temp.spool()), [temp.spool(), temp.spool().join("dead-letters.jsonl")]);
    let letters = fs::read_to_string(temp.spool().join("dead-letters.jsonl")).unwrap();
    assert_eq!(letters, "{\"a\":1}\n{\"b\":2}\n");
}

#[test]
fn a_damaged_file_is_set_aside() {
    let temp = Temp::new();
    let (mut store, _) = open(&temp.spool());
    write(&mut store, &["a", "b"]);
    drop(store);
    let file = tree(&temp.spool()).into_iter().find(|path| path.extension().is_some_and(|it| it == "segment")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, &bytes).unwrap();
    let (mut store, found) = open(&temp.spool());
    let drained = drain(&mut store, found);
    assert_eq!((drained.bodies, drained.lost), (vec!["a".to_owned()], 1));
    store.close();
    let names: Vec<String> = tree(&temp.spool()).iter().map(|path| path.display().to_string()).collect();
    assert_eq!((names.len(), corrupt_files(&names)), (2, 1));
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_could_change_is_refused() {
    let temp = Temp::new();
    let real = temp.0.join("real");
    open(&real).0.close();
    let link = temp.0.join("link");
    symlink(&real, &link).unwrap();
    assert_eq!(refused(&link), "spool DIR: is a symbolic link");
    assert_eq!(refused(&link.join("")), "spool DIR: is a symbolic link");
    let dangling = temp.0.join("dangling");
    symlink(temp.0.join("nowhere"), &dangling).unwrap();
    assert_eq!(refused(&dangling), "spool DIR: is a symbolic link");
    let file = temp.0.join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(refused(&file), "spool DIR: is not a folder");
    for mode in [0o777, 0o1777] {
        fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(refused(&real), "spool DIR: can be written to by other users");
    }
    fs::set_permissions(&real, fs::Permissions::from_mode(0o755)).unwrap();
    open(&real).0.close();
    assert_eq!(tree(&temp.0).len(), 5);
    let error = Store::open(&Spool::new(file.join("below")), disks()(), 1).err().unwrap();
    assert!(error.to_string().contains("can't open: Not a directory"), "{error}");
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    let temp = Temp::new();
    let (mut store, _) = open(&temp.0.join("other"));
    write(&mut store, &["elsewhere"]);
    drop(store);
    let elsewhere = temp.0.join("other");
    let folder = fs::read_dir(&elsewhere).unwrap().next().unwrap().unwrap().path();
    let segment = tree(&folder).into_iter().find(|path| path.extension().is_some()).unwrap();
    let before = fs::read(&segment).unwrap();
    // In the spool: a link in the place of a folder, one in that of a segment, one in that of a lock, one for the letters.
    open(&temp.spool()).0.close();
    symlink(&folder, temp.spool().join(format!("{:016x}", 1))).unwrap();
    let orphan = temp.spool().join(format!("{:016x}", 2));
    fs::create_dir(&orphan).unwrap();
    symlink(&segment, orphan.join(segment.file_name().unwrap())).unwrap();
    let locked = temp.spool().join(format!("{:016x}", 3));
    fs::create_dir(&locked).unwrap();
    let target = temp.0.join("target");
    symlink(&target, locked.join("lock")).unwrap();
    symlink(&target, temp.spool().join("dead-letters.jsonl")).unwrap();
    let (mut store, found) = open(&temp.spool());
    assert!(found.segments.is_empty());
    assert!(store.dead_letter(b"{}").is_err());
    store.close();
    assert!(!target.exists());
    assert_eq!(fs::read(&segment).unwrap(), before);
    assert!(orphan.join(segment.file_name().unwrap()).is_symlink());
}

#[cfg(unix)]
#[test]
fn a_spool_stays_where_it_is_when_the_program_goes_elsewhere() {
    let temp = Temp::new();
    let (mut store, _) = open(&temp.spool());
    let moved = temp.0.join("moved");
    fs::rename(temp.0.join("above"), &moved).unwrap();
    write(&mut store, &["a"]);
    drop(store);
    let (mut store, found) = open(&moved.join("spool"));
    assert_eq!(drain(&mut store, found).bodies, ["a"]);
    store.close();
}

#[test]
fn two_processes_never_touch_each_others_files() {
    let temp = Temp::new();
    let (mut one, _) = open(&temp.spool());
    let (mut two, _) = open(&temp.spool());
    write(&mut one, &["1"]);
    write(&mut two, &["2"]);
    assert!(one.adopt().segments.is_empty());
    assert!(two.adopt().segments.is_empty());
    drop(one);
    let found = two.adopt();
    assert_eq!(drain_all(&mut two, found), ["1"]);
    drop(two);
    let (mut three, found) = open(&temp.spool());
    assert_eq!(drain_all(&mut three, found), ["2"]);
    three.close();
    assert_eq!(tree(&temp.spool()).len(), 1);
}

/// Runs as many threads at once, each with its number.
fn at_once<T: Send + 'static>(
    threads: usize,
    dir: &Path,
    run: impl Fn(usize, &Path, &Barrier) -> T + Copy + Send + 'static,
) -> Vec<T> {
    let start = Arc::new(Barrier::new(threads));
    let begin = |thread| {
        let (dir, start) = (dir.to_owned(), Arc::clone(&start));
        std::thread::spawn(move || run(thread, &dir, &start))
    };
    let running: Vec<_> = (0..threads).map(begin).collect();
    running.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn processes_that_make_room_for_dead_letters_at_once_keep_the_older_ones() {
    let temp = Temp::new();
    at_once(4, &temp.spool(), |thread, dir, start| {
        let settings = Spool::new(dir).sync(false).max_bytes(16 * 4_000);
        let (mut store, _) = Store::open(&settings, disks()(), fastrand::u64(..)).unwrap();
        start.wait();
        for number in 0..2_000 {
            store.dead_letter(format!("{thread}-{number:080}").as_bytes()).unwrap();
            if let Ok(old) = fs::metadata(dir.join("dead-letters.old.jsonl")) {
                assert!(old.len() > 3_500, "{} bytes", old.len());
            }
        }
    });
    assert!(!temp.spool().join("dead-letters.lock").exists());
}

/// Threads open the spool, write, end a part, and let go of it, all at once: everything is delivered once.
#[test]
fn many_that_come_and_go_at_once_lose_nothing() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    let temp = Temp::new();
    let threads = at_once(THREADS, &temp.spool(), |thread, dir, start| {
        start.wait();
        let mut delivered = Vec::new();
        for round in 0..ROUNDS {
            let settings = Spool::new(dir).sync(false);
            let (mut store, found) = Store::open(&settings, disks()(), fastrand::u64(..)).unwrap();
            assert_eq!((found.damaged_bytes, found.unknown), (0, 0));
            delivered.extend(drain_all(&mut store, found));
            let kept = write(&mut store, &[&format!("{thread}-{round}-a"), &format!("{thread}-{round}-b")]);
            store.end(&[super::slot(kept, 0)]);
            delivered.push(format!("{thread}-{round}-a"));
            let found = store.adopt();
            delivered.extend(drain_all(&mut store, found));
            if round % 2 == 0 { drop(store) } else { store.close() }
        }
        delivered
    });
    let mut delivered: Vec<String> = threads.into_iter().flatten().collect();
    let (mut store, found) = open(&temp.spool());
    delivered.extend(drain_all(&mut store, found));
    store.close();
    assert_eq!(delivered.len(), THREADS * ROUNDS * 2);
    assert_eq!(delivered.iter().collect::<BTreeSet<_>>().len(), delivered.len());
    assert_eq!(tree(&temp.spool()), [temp.spool()]);
}

#[cfg(windows)]
#[test]
fn dead_letters_that_somebody_reads_are_renamed_later() {
    use std::os::windows::fs::OpenOptionsExt;
    const READ_AND_WRITE: u32 = 3;
    let temp = Temp::new();
    let settings = Spool::new(temp.spool()).max_bytes(16 * 10);
    let (mut store, _) = Store::open(&settings, disks()(), fastrand::u64(..)).unwrap();
    let (letters, old) = (temp.spool().join("dead-letters.jsonl"), temp.spool().join("dead-letters.old.jsonl"));
    store.dead_letter(b"{\"a\":1}").unwrap();
    let reader = fs::File::options().read(true).share_mode(READ_AND_WRITE).open(&letters).unwrap();
    store.dead_letter(b"{\"b\":2}").unwrap();
    assert!(!old.exists());
    drop(reader);
    store.dead_letter(b"{\"c\":3}").unwrap();
    assert_eq!(fs::read_to_string(old).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
    assert_eq!(fs::read_to_string(letters).unwrap(), "{\"c\":3}\n");
}
