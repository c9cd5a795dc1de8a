//! `jkool watch`, over HTTP from a collector.
#![cfg(unix)]

use crate::common::{Ran, TempFile, collector, eventually, jkool, run, store};
use jkool_collector::Collector;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr};

const FAILED: &str = r#"{"operation":"Pay","severity":"ERROR","msg-text":"declined"}"#;
const FINE: &str = r#"{"operation":"Pay","msg-text":"paid"}"#;

/// A watch that has begun.
struct Watch {
    child: Child,
    err: BufReader<ChildStderr>,
}

impl Watch {
    fn new(url: &str, args: &[&str]) -> Self {
        let mut child = jkool(&[&["watch", "--url", url], args].concat()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let mut watch = Self { child, err };
        let begun = watch.told();
        assert!(begun.starts_with("Watching http://"), "{begun}");
        watch
    }

    /// The next line on standard error.
    fn told(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line
    }

    fn wait(mut self) -> Ran {
        let mut err = String::new();
        self.err.read_to_string(&mut err).unwrap();
        let ran = Ran::from(self.child.wait_with_output().unwrap());
        Ran { err, ..ran }
    }
}

/// A program of the shell.
fn script(name: &str, text: &str) -> TempFile {
    let file = TempFile::new(name, &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o700)).unwrap();
    file
}

fn some(collector: &Collector, entity: &str, count: usize) {
    store(collector, &vec![entity; count]);
}

#[test]
fn when_there_are_too_many_the_program_is_told_which() {
    let collector = collector();
    let told = TempFile::missing("told");
    let notify =
        script("notify", &format!("cat > {0}\necho \"$JKOOL_WATCH_MORE_THAN $JKOOL_WATCH_URL\" >> {0}", told.path()));
    some(&collector, FAILED, 9);
    let args = ["severity>=ERROR", "--more-than", "5/1h", "--exec", notify.path(), "--once"];
    let mut watch = Watch::new(&collector.url(), &args);
    // Those before it was begun don't count, nor what is not asked for, nor as many as are allowed.
    some(&collector, FAILED, 5);
    some(&collector, FINE, 20);
    assert_eq!(watch.child.try_wait().unwrap(), None);
    some(&collector, &FAILED.replace("declined", "the sixth"), 1);
    let ran = watch.wait();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let url = format!("{}/?q=severity%3E%3DERROR", collector.url());
    assert!(ran.out.ends_with(&format!("Z  more than 5 in 3600s: {url}\n")), "{}", ran.out);
    let told = fs::read_to_string(told.path()).unwrap();
    let (json, variables) =
        told.split_once('\n').map(|(first, _)| first.split_at(first.rfind('}').unwrap() + 1)).unwrap();
    assert_eq!(variables, format!("5 {url}"));
    let told: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&told["more-than"], &told["within-usec"]), (&5.into(), &3_600_000_000_u64.into()));
    assert_eq!((&told["query"], &told["url"]), (&"q=severity%3E%3DERROR".into(), &url.into()));
    let events = told["events"].as_array().unwrap();
    assert_eq!((events.len(), &events[5]["msg-text"]), (6, &"the sixth".into()));
}

#[test]
fn a_program_that_fails_or_hangs_is_told_and_the_watch_goes_on() {
    let collector = collector();
    let fails = script("fails", "cat > /dev/null; exit 3");
    let mut watch = Watch::new(&collector.url(), &["--more-than", "0/1ms", "--exec", fails.path(), "--for", "3s"]);
    some(&collector, FINE, 1);
    // What the first has come to is told when there is another.
    let told = std::thread::scope(|scope| {
        // On a busy machine too many of them may run before one ends.
        let told = scope
            .spawn(|| std::iter::from_fn(|| Some(watch.told())).find(|line| !line.contains("is not run")).unwrap());
        eventually("the failure", || {
            some(&collector, FINE, 1);
            told.is_finished().then_some(())
        });
        told.join().unwrap()
    });
    assert!(told.contains("fails failed: exit status: 3"), "{told}");
    assert_eq!(watch.wait().code, 1);

    let hangs = script("hangs", "exec sleep 60");
    let args = ["--more-than", "0/1s", "--exec", hangs.path(), "--exec-timeout", "100ms", "--once"];
    let watch = Watch::new(&collector.url(), &args);
    some(&collector, FINE, 1);
    let ran = watch.wait();
    assert!(ran.code == 1 && ran.err.contains("hangs did not exit within 100ms and was killed"), "{}", ran.err);
}

#[test]
fn only_so_many_programs_run_at_once() {
    let collector = collector();
    let waits = script("waits", "exec sleep 60");
    let mut watch =
        Watch::new(&collector.url(), &["--more-than", "0/1ms", "--exec", waits.path(), "--exec-timeout", "60s"]);
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| watch.told());
        eventually("the fifth", || {
            some(&collector, FINE, 1);
            told.is_finished().then_some(())
        });
        told.join().unwrap()
    });
    assert!(told.contains("waits was not run: 4 instances are already running"), "{told}");
    // Asked to stop, it takes them with it.
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(watch.child.id().try_into().unwrap()),
        nix::sys::signal::Signal::SIGTERM,
    )
    .unwrap();
    assert_eq!(watch.wait().code, 0);
}

#[test]
fn a_restart_of_the_collector_is_survived() {
    let first = collector();
    let address = first.address().to_string();
    let mut watch = Watch::new(&first.url(), &["severity>=ERROR", "--more-than", "2/1h", "--once", "--json"]);
    some(&first, FAILED, 1);
    drop(first);
    assert!(watch.told().contains("reconnecting"));
    let second = eventually("the port", || Collector::builder().listen(address.clone()).start().ok());
    // Before it is back.
    some(&second, FAILED, 1);
    assert!(watch.told().contains("reconnected"));
    some(&second, FAILED, 1);
    let ran = watch.wait();
    assert_eq!((ran.code, ran.out.matches("declined").count()), (0, 3), "{}", ran.out);
}

#[test]
fn what_can_not_be_is_told_at_once() {
    let collector = collector();
    let watch = |args: &[&str]| run(&[&["watch", "--url", &collector.url()], args].concat());
    for args in [
        &[][..],
        &["--more-than", "5"],
        &["--more-than", "5/1m", "oper:Pay"],
        &["--more-than", "5/1m", "--exec", "/nowhere/at/all"],
    ] {
        let ran = watch(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
    }
    assert_eq!(watch(&["--more-than", "5/1m", "--once", "--for", "50ms"]).code, 1);
    assert_eq!(watch(&["--more-than", "5/1m", "--for", "50ms"]).code, 0);
}
