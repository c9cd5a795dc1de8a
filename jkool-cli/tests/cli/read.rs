//! `jkool search` and `jkool stats`, over HTTP from a collector.

use crate::common::{Nobody, collector, jkool, run, store};

const ORDERS: [&str; 3] = [
    r#"{"operation":"Accept","msg-text":"Order 1 accepted","time-usec":1457524800123456,"source-fqn":"APPL=Shop#SERVER=web-1","corrid":["order-1"]}"#,
    r#"{"operation":"Pay","msg-text":"Order 1 declined","severity":"ERROR","time-usec":1457524801000000,"source-fqn":"APPL=Bank","corrid":["order-1"],"exception":"no funds"}"#,
    r#"{"operation":"Accept","msg-text":"evil \u001b[2J \u009b31m\nline","time-usec":1457524802000000,"source-fqn":"APPL=Shop#SERVER=web-1"}"#,
];

const LINES: [&str; 3] = [
    "2016-03-09T12:00:00.123Z  INFO      Accept  Shop@web-1  Order 1 accepted  [order-1]",
    "2016-03-09T12:00:01.000Z  ERROR     Pay  Bank  Order 1 declined  [order-1]  ! no funds",
    "2016-03-09T12:00:02.000Z  INFO      Accept  Shop@web-1  evil \\u{1b}[2J \\u{9b}31m\\nline",
];

#[test]
fn a_search_shows_lines_the_youngest_first() {
    let collector = collector();
    store(&collector, &ORDERS);
    let url = collector.url();
    let search = |args: &[&str]| run(&[&["search", "--url", &url], args].concat());
    // Without colours, since it is no terminal, and without anything that would drive one.
    assert_eq!(search(&[]).out, format!("{}\n{}\n{}\n", LINES[2], LINES[1], LINES[0]));
    assert_eq!(search(&["order 1"]).out, format!("{}\n{}\n", LINES[1], LINES[0]));
    assert_eq!(search(&["sev>=ERROR OR accepted -corr:order-2"]).out, format!("{}\n{}\n", LINES[1], LINES[0]));
    let wrong = search(&["oper:Pay"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains("column 1: expected the name of a field"), "{}", wrong.err);
    assert_eq!(search(&["--severity", ">=ERROR"]).out, format!("{}\n", LINES[1]));
    assert_eq!(search(&["--source", "SERVER=web-1", "--corrid", "order-1"]).out, format!("{}\n", LINES[0]));
    let cut = search(&["-n", "1"]);
    assert_eq!(cut.out, format!("{}\n", LINES[2]));
    assert_eq!(cut.err, "1 of 3 shown; use --limit all for all\n");
    assert_eq!(search(&["--limit", "3"]).err, "");
    assert_eq!(search(&["--until", "2016-03-09T12:00:01Z"]).out, format!("{}\n", LINES[0]));
    let nothing = search(&["--since", "1h"]);
    assert_eq!((nothing.code, nothing.out.as_str(), nothing.err.as_str()), (1, "", ""));
}

#[test]
fn a_search_gives_files() {
    let collector = collector();
    store(&collector, &ORDERS);
    let url = collector.url();
    let json = run(&["search", "--url", &url, "--json", "--limit", "all"]);
    assert_eq!((json.code, json.out), (0, format!("{}\n{}\n{}\n", ORDERS[2], ORDERS[1], ORDERS[0])));
    let csv = run(&["search", "--url", &url, "--csv", "declined"]);
    let lines: Vec<&str> = csv.out.lines().collect();
    assert!(
        lines[0].starts_with("\u{feff}time,severity,") && lines[1].contains(",Pay,Order 1 declined,"),
        "{}",
        csv.out
    );
    assert_eq!((csv.code, lines.len()), (0, 2));
    assert_eq!(run(&["search", "--url", &url, "--csv", "nowhere"]).code, 1);
}

#[test]
fn stats_say_how_much_there_is() {
    let collector = collector();
    store(&collector, &ORDERS);
    let ran = run(&["stats", "--url", &collector.url()]);
    assert_eq!(ran.code, 0);
    for line in
        ["events      3", "  ERROR     1", "  INFO      2", "sources     2", "oldest      2016-03-09T12:00:00.123456Z"]
    {
        assert!(ran.out.lines().any(|found| found == line), "{line}: {}", ran.out);
    }
    let json: serde_json::Value =
        serde_json::from_str(&run(&["stats", "--json", "--url", &collector.url()]).out).unwrap();
    assert_eq!((&json["events"], &json["severities"]["ERROR"]), (&3.into(), &1.into()));
}

#[test]
fn who_is_not_there_or_is_no_collector_is_told() {
    let nobody = Nobody::new();
    let url = nobody.url();
    for command in ["search", "tail", "stats"] {
        let ran = run(&[command, "--url", &url]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
        assert!(ran.err.contains("can't be reached") && ran.err.contains("jkool collect"), "{}", ran.err);
        let ran: crate::common::Ran =
            jkool(&[command, "--url", "http://192.0.2.1"]).env("JKOOL_TOKEN", "canary-5ec1").output().unwrap().into();
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(!ran.err.contains("canary-5ec1"));
        assert_eq!(run(&[command, "--severity", "BAD"]).code, 2);
        assert_eq!(run(&[command, "--url", "not a url"]).code, 2);
    }
    assert_eq!(run(&["search", "--json", "--csv"]).code, 2);
    assert_eq!(run(&["search", "--limit", "0"]).code, 2);
}

#[test]
fn an_event_without_a_time_is_shown_with_that_of_its_receipt() {
    let collector = collector();
    store(&collector, &[r#"{"operation":"Timeless"}"#]);
    let year = crate::common::now().to_string()[..4].to_owned();
    let found = run(&["search", "--url", &collector.url(), "timeless"]);
    assert!(found.out.starts_with(&year) && found.out.contains("Z  INFO      Timeless"), "{}", found.out);
    // As it was received it has none.
    let json = run(&["search", "--url", &collector.url(), "--json", "timeless"]);
    assert_eq!(json.out, "{\"operation\":\"Timeless\"}\n");
}

#[test]
fn whole_exceptions_and_colours_are_shown_on_request() {
    let collector = collector();
    store(
        &collector,
        &[r#"{"operation":"Pay","severity":"ERROR","time-usec":1457524800123456,"exception":"one\n\ttwo\u001b[2J"}"#],
    );
    let url = collector.url();
    let full = run(&["search", "--url", &url, "--full"]).out;
    assert_eq!(full, "2016-03-09T12:00:00.123Z  ERROR     Pay\n    one\n        two\\u{1b}[2J\n");
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = jkool(&[&["search", "--url", &url], args].concat());
        let ran: crate::common::Ran = command.envs(variables.iter().copied()).output().unwrap().into();
        ran.out.contains("\u{1b}[31mERROR")
    };
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "0")]) && !coloured(&[], &[]));
}

/// A page is opened by what the system's desktop has for it; here that is a script.
#[cfg(target_os = "linux")]
#[test]
fn the_same_search_is_opened_on_the_page() {
    use std::os::unix::fs::PermissionsExt;
    let collector = collector();
    let url = collector.url();
    let page = format!("{url}/?severity=%3E%3DERROR&since=1h&q=pay*\n");
    let folder = crate::common::TempFile::missing("opener");
    std::fs::create_dir(&folder.0).unwrap();
    let args = ["search", "--url", &url, "pay*", "-s", "1h", "--severity", ">=ERROR", "--web"];
    let search = || -> crate::common::Ran { jkool(&args).env("PATH", &folder.0).output().unwrap().into() };
    let printed = search();
    assert_eq!((printed.code, printed.out, printed.err.as_str()), (0, page.clone(), ""));
    let opener = folder.0.join("xdg-open");
    std::fs::write(&opener, "#!/bin/sh\nprintf '%s\\n' \"$1\" > \"${0%/*}/opened\"\n").unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o700)).unwrap();
    let opened = search();
    assert_eq!((opened.code, opened.out.as_str()), (0, ""));
    assert_eq!(opened.err, format!("Opened {page}"));
    assert_eq!(std::fs::read_to_string(folder.0.join("opened")).unwrap(), page);
}
