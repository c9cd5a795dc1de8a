//! `jkool tail`, over HTTP from a collector.

use crate::common::{collector, eventually, jkool, now, run, store, while_storing};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

const ORDERS: [&str; 2] = [
    r#"{"operation":"Accept","msg-text":"Order 1 accepted","time-usec":1457524800123456}"#,
    r#"{"operation":"Pay","msg-text":"Order 1 declined","severity":"ERROR","time-usec":1457524801000000}"#,
];

/// A running tail.
struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Tail {
    fn new(args: &[&str]) -> Self {
        let mut child = jkool(&[&["tail"], args].concat()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Ends it, and gives what it told on standard error, once that is a line at least.
    fn told(mut self) -> Vec<String> {
        let mut err = BufReader::new(self.child.stderr.take().unwrap());
        let mut first = String::new();
        err.read_line(&mut first).unwrap();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        err.read_to_string(&mut rest).unwrap();
        [first].into_iter().chain(rest.split_inclusive('\n').map(str::to_owned)).collect()
    }

    /// Its exit code.
    fn wait(mut self) -> Option<i32> {
        drop(self.out);
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_tail_shows_what_comes_in_and_ends_after_so_many() {
    let collector = collector();
    store(&collector, &ORDERS);
    let mut tail = Tail::new(&["--url", &collector.url(), "--severity", ">=ERROR", "--limit", "2"]);
    let lines = while_storing(&collector, || [tail.line(), tail.line(), tail.line()]);
    // What was there before is no matter, and the filter holds.
    assert!(
        lines[..2].iter().all(|line| line.contains("Z  ERROR     Fail  ") && !line.contains('\u{1b}')),
        "{lines:?}"
    );
    assert_eq!((lines[2].as_str(), tail.wait()), ("", Some(0)));
    let mut tail = Tail::new(&["--url", &collector.url(), "--json", "--limit", "1"]);
    let line = while_storing(&collector, || tail.line());
    assert!(line.starts_with(r#"{"operation":"#), "{line}");
    assert_eq!(tail.wait(), Some(0));
}

#[test]
fn a_tail_ends_after_so_long() {
    let collector = collector();
    let ran = run(&["tail", "--url", &collector.url(), "--for", "100ms"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
}

#[test]
fn a_tail_that_nobody_reads_ends_quietly() {
    let collector = collector();
    let mut tail = Tail::new(&["--url", &collector.url()]);
    let Tail { mut child, out } = while_storing(&collector, || {
        tail.line();
        tail
    });
    drop(out);
    // No event comes any more by which it would find that out.
    let status = eventually("the end", || child.try_wait().unwrap());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(err.starts_with("Following http://") && err.lines().count() == 1, "{err}");
}

#[test]
fn a_tail_says_that_it_follows() {
    let collector = collector();
    for (entities, said) in
        [(&[][..], "there is none yet"), (&[r#"{"operation":"Pay"}"#][..], "the newest was received ")]
    {
        store(&collector, entities);
        let tail = Tail::new(&["--url", &collector.url(), "Pay"]);
        let line = tail.told().remove(0);
        assert!(line.starts_with(&format!("Following {}/, {said}", collector.url())), "{line}");
        assert!(line.ends_with("; Ctrl-C ends\n"), "{line}");
    }
}

#[test]
fn a_tail_of_nothing_is_refused() {
    assert_eq!(run(&["tail", "--limit", "0"]).code, 2);
}

#[test]
fn a_tail_shows_the_last_first_the_oldest_of_them_at_the_top() {
    let collector = collector();
    let numbered = |number| format!(r#"{{"operation":"Pay","msg-text":"{number}","time-usec":{}}}"#, now().as_usec());
    let all: Vec<String> = (0..9).map(numbered).collect();
    store(&collector, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let shown = |args: &[&str]| run(&[&["tail", "--url", &collector.url(), "--json"], args].concat()).out;
    let lines = |of: &[String]| of.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(shown(&["-n", "3", "--limit", "3"]), lines(&all[6..]));
    assert_eq!(shown(&["-n", "100", "--limit", "9"]), lines(&all));
    assert_eq!(shown(&["--since", "5m", "--limit", "2"]), lines(&all[..2]));
    assert_eq!(shown(&["--since", "5m", "-n", "1", "--limit", "1"]), lines(&all[8..]));
}

#[test]
fn between_what_is_stored_and_what_comes_in_nothing_is_missing_and_nothing_double() {
    const BEFORE: u64 = 3_000;
    let collector = collector();
    let numbered = |number| format!(r#"{{"operation":"Pay","msg-text":"{number}","time-usec":{}}}"#, now().as_usec());
    let some = |numbers: std::ops::Range<u64>| {
        let some: Vec<String> = numbers.map(numbered).collect();
        store(&collector, &some.iter().map(String::as_str).collect::<Vec<_>>());
    };
    some(0..BEFORE);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let some = &some;
        scope.spawn(move || {
            let mut count = BEFORE;
            // So few that nobody is too slow for them.
            while stopped.recv_timeout(Duration::from_millis(4)) == Err(RecvTimeoutError::Timeout) {
                some(count..count + 2);
                count += 2;
            }
        });
        for round in 1..4 {
            let shown = BEFORE + 200 * round;
            let args = ["--url", &collector.url(), "--since", "1h", "--limit", &shown.to_string(), "--json"];
            let mut tail = Tail::new(&args);
            for number in 0..shown {
                let line = tail.line();
                assert!(line.contains(&format!(r#""msg-text":"{number}""#)), "{number}: {line}");
            }
            assert_eq!(tail.wait(), Some(0));
        }
        drop(stop);
    });
}

#[test]
fn a_tail_comes_back_to_a_collector_that_does() {
    let first = collector();
    let address = first.address().to_string();
    let mut tail = Tail::new(&["--url", &first.url()]);
    while_storing(&first, || tail.line());
    drop(first);
    let second = eventually("the port", || jkool_collector::Collector::builder().listen(address.clone()).start().ok());
    // The tail looks every second: this was there before it came back.
    store(&second, &[r#"{"operation":"Meanwhile"}"#]);
    while !tail.line().contains("Meanwhile") {}
    store(&second, &[r#"{"operation":"OfTheSecond"}"#]);
    assert!(tail.line().contains("OfTheSecond"));
    let told = tail.told();
    assert!(told[1].contains("reconnecting") && told[2].contains("reconnected"), "{told:?}");
}
