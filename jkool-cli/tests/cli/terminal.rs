//! What a person sees on a terminal.
#![cfg(unix)]

use crate::common::{collector, jkool, store};
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Read;
use std::process::Stdio;

/// What a command writes to a terminal of so many columns, in India.
fn on_terminal(columns: u16, args: &[&str]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None).unwrap();
    let mut command = jkool(args);
    command.env("TZ", "Asia/Kolkata").env("TERM", "xterm").stdout(Stdio::from(pty.slave)).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // It holds the terminal open.
    drop(command);
    let (mut text, mut piece) = (Vec::new(), [0; 1_024]);
    let mut terminal = File::from(pty.master);
    // The end is an error on some systems.
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        text.extend_from_slice(&piece[..length]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(text).unwrap()
}

#[test]
fn what_is_shown_fits_the_terminal_in_local_time_and_colours() {
    let collector = collector();
    let long = "word ".repeat(200);
    store(
        &collector,
        &[
            &format!(
                r#"{{"operation":"Pay","severity":"ERROR","msg-text":"{long}","time-usec":1457524800123456,"exception":"a\nb\nCaused by: c"}}"#
            ),
            r#"{"operation":"ProcessOrder","msg-text":"here","time-usec":1457524801000000}"#,
        ],
    );
    let url = collector.url();
    for columns in [80, 120] {
        let shown = on_terminal(columns, &["search", "--url", &url]);
        assert!(shown.contains("\u{1b}[31mERROR") && shown.contains("2016-03-09 17:30:00.123+05:30"), "{shown}");
        let plain = on_terminal(columns, &["search", "--url", &url, "--color", "never", "--utc"]);
        let lines: Vec<&str> = plain.lines().collect();
        let [first, second, exception, cause, more] = lines.as_slice() else { panic!("{plain}") };
        assert!(second.starts_with("2016-03-09T12:00:00.123Z  ERROR     Pay           word "), "{plain}");
        assert_eq!(first.find("here"), second.find("word"));
        assert_eq!(second.chars().count(), usize::from(columns));
        assert_eq!([exception, cause, more].map(|line| line.trim()), ["! a", "Caused by: c", "… 1 more: --full"]);
    }
    let full = on_terminal(80, &["search", "--url", &url, "--full"]);
    assert!(full.contains(long.trim()), "{full}");
}
