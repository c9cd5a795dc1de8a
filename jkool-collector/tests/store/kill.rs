//! Processes that are killed in the middle of a commit, a merge, retention, a takeover or a rebuild. Another then opens the store.
#![cfg(unix)]

use crate::common::{Folder, numbered, records, sizes};
use jkool_collector::{Filter, Retention, Store};
use jkool_model::{Entity, Timestamp};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_usec(1_457_524_800_000_000);

/// So many events are acknowledged together.
const BATCH: usize = 200;

const PATIENCE: Duration = Duration::from_secs(120);

/// What a process is told: the store, the number of the first event, and how many bytes are kept.
const STORE: &str = "JKOOL_TEST_STORE";
const FIRST: &str = "JKOOL_TEST_FIRST";
const BYTES: &str = "JKOOL_TEST_BYTES";

/// What the other tests start as a process of its own: it stores events until it is killed. Each is committed at once, so that
/// segments are many and merged often.
#[test]
#[ignore = "the process that other tests start and kill"]
fn a_process_that_stores_until_it_is_killed() {
    let Ok(path) = std::env::var(STORE) else { return };
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let retention = number(BYTES).map_or(Retention::ALL, |bytes| Retention::ALL.bytes(bytes));
    let store = Store::builder().file(path).retention(retention).open().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut next = number(FIRST).unwrap_or_default() as usize;
    let mut out = std::io::stdout();
    loop {
        runtime.block_on(store.append(records(&numbered(next..next + BATCH), NOW))).unwrap();
        next += BATCH;
        writeln!(out, "acknowledged {next}").unwrap();
        // Figures wait for a commit.
        sizes(&store);
    }
}

struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// When a test fails.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    fn start(store: &Path, first: usize, bytes: Option<u64>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "--nocapture", "kill::a_process_that_stores_until_it_is_killed"]);
        command.env(STORE, store).env(FIRST, first.to_string());
        command.envs(bytes.map(|bytes| (BYTES, bytes.to_string())));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Kills it at the first moment at which `now` holds, and says up to which number all was acknowledged.
    fn kill_when(mut self, mut now: impl FnMut() -> bool) -> Option<usize> {
        #[expect(clippy::disallowed_methods, reason = "for how long a test waits")]
        let begun = std::time::Instant::now();
        while !now() {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended by itself");
            assert!(begun.elapsed() < PATIENCE, "it never came so far");
            std::thread::yield_now();
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let lines = (&mut self.out).lines().map_while(Result::ok);
        lines.filter_map(|line| line.rsplit_once("acknowledged ")?.1.parse().ok()).last()
    }
}

/// All files below a folder, as far as they are there when they are looked at.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path => BTreeSet::from([path]),
        })
        .collect()
}

/// The numbers of the events in a store; none is there twice.
fn stored(path: &Path) -> Vec<usize> {
    let store = Store::builder().file(path).open().unwrap();
    let found = store.read_now(|reader| reader.find_after(&Filter::default(), usize::MAX, None, NOW)).unwrap();
    let number = |entity: &Entity| match entity {
        Entity::Event(event) => event.message.strip_prefix("number ").unwrap().parse().unwrap(),
        _ => panic!("no other was sent"),
    };
    let mut numbers: Vec<usize> = found.iter().map(|stored| number(&stored.entity)).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "one is there twice");
    // The figures, which come from the index alone, agree.
    assert_eq!(sizes(&store).events, numbers.len() as u64);
    numbers
}

/// What was acknowledged is there, and what was not is there as a whole batch or not at all.
fn is_whole(numbers: &[usize], acknowledged: usize) {
    let all: Vec<usize> = (0..numbers.len()).collect();
    assert_eq!(numbers, all);
    let beyond = numbers.len().checked_sub(acknowledged).expect("all that was acknowledged");
    assert!(beyond == 0 || beyond == BATCH, "{beyond} of a batch of {BATCH}");
}

/// Kills one process after the other, each when `aim` says so of the files that it began with and those that there are.
fn kill_and_look(rounds: usize, aim: impl Fn(usize, &BTreeSet<PathBuf>, &BTreeSet<PathBuf>) -> bool) {
    let folder = Folder::new();
    let path = folder.path("events.db");
    let mut count = 0;
    for round in 0..rounds {
        let before = files(&path);
        let process = Process::start(&path, count, None);
        let acknowledged = process.kill_when(|| aim(round, &before, &files(&path)));
        let numbers = stored(&path);
        is_whole(&numbers, acknowledged.unwrap_or(count));
        count = numbers.len();
    }
    assert!(count > 0);
}

fn with_extension<'a>(files: &'a BTreeSet<PathBuf>, extension: &str) -> impl Iterator<Item = &'a PathBuf> {
    files.iter().filter(move |path| path.extension().is_some_and(|other| other == extension))
}

#[test]
fn killed_while_it_commits_it_loses_nothing_and_repeats_nothing() {
    // One kind of a new segment's files after the other, and the list that makes it count.
    const KINDS: [&str; 6] = ["store", "term", "idx", "pos", "fast", "log"];
    kill_and_look(12, |round, before, now| {
        let wanted = KINDS[round % KINDS.len()];
        with_extension(now, wanted).any(|path| !before.contains(path))
    });
}

#[test]
fn killed_while_it_merges_it_loses_nothing_and_repeats_nothing() {
    // Eight segments are merged: the ninth is the one that they become, or comes meanwhile.
    kill_and_look(8, |round, _, now| with_extension(now, "store").count() >= 8 + round % 3);
}

#[test]
fn killed_while_old_ones_go_what_is_left_is_whole() {
    let folder = Folder::new();
    let path = folder.path("events.db");
    let mut first = 0;
    for _ in 0..3 {
        let process = Process::start(&path, first, Some(256 << 10));
        // An index goes when another was begun: it is killed when there is one less than there was, or one of them is not whole.
        let mut most = BTreeSet::new();
        let acknowledged = process.kill_when(|| {
            let indexes: BTreeSet<PathBuf> =
                fs::read_dir(path.join("index")).into_iter().flatten().flatten().map(|index| index.path()).collect();
            let is_going = |index: &PathBuf| !index.join("meta.json").exists();
            let goes = most.difference(&indexes).count() > 0 || most.iter().any(is_going);
            let whole = indexes.into_iter().filter(|index| index.join("meta.json").exists());
            most.extend(whole);
            goes
        });
        let acknowledged = acknowledged.unwrap_or(first);
        let numbers = stored(&path);
        // Only the oldest are gone.
        let last = numbers.last().copied().unwrap() + 1;
        let expected: Vec<usize> = (last - numbers.len()..last).collect();
        assert_eq!(numbers, expected);
        assert!(last == acknowledged || last == acknowledged + BATCH, "{last}, {acknowledged} acknowledged");
        first = last;
    }
}

/// A store with so many events, and its only index.
fn filled(folder: &Folder, count: usize) -> (PathBuf, PathBuf) {
    let path = folder.path("events.db");
    let store = Store::builder().file(&path).open().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(records(&numbered(0..count), NOW))).unwrap();
    drop(store);
    (path.clone(), path.join("index/0000000001"))
}

#[test]
fn killed_while_it_rebuilds_an_index_the_next_one_does() {
    const COUNT: usize = 5_000;
    for stage in 0..3 {
        let folder = Folder::new();
        let (path, index) = filled(&folder, COUNT);
        for file in with_extension(&files(&index), "fast") {
            let mut bytes = fs::read(file).unwrap();
            bytes.truncate(bytes.len() / 2);
            fs::write(file, bytes).unwrap();
        }
        let process = Process::start(&path, COUNT, None);
        let acknowledged = process.kill_when(|| match stage {
            0 => path.join("index/0000000001.rebuilding").exists(),
            1 => with_extension(&files(&path.join("index/0000000001.rebuilding")), "fast").count() > 0,
            _ => path.join("index/0000000001.corrupt-1").exists(),
        });
        is_whole(&stored(&path), acknowledged.unwrap_or(COUNT));
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn killed_while_it_takes_over_an_older_file_the_next_one_does() {
    const COUNT: usize = 3_000;
    for stage in 0..4 {
        let folder = Folder::new();
        let path = folder.path("events.db");
        crate::common::old_file(&path, &numbered(0..COUNT), NOW);
        let process = Process::start(&path, COUNT, None);
        let converting = folder.path("events.db.converting");
        let acknowledged = process.kill_when(|| match stage {
            0 => converting.exists(),
            1 => with_extension(&files(&converting), "fast").count() > 0,
            2 => folder.path("events.db.old").exists(),
            _ => path.join("journal").exists(),
        });
        is_whole(&stored(&path), acknowledged.unwrap_or(COUNT));
        assert!(folder.path("events.db.old").is_file());
    }
}
