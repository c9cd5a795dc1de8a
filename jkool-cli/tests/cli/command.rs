//! The command as a whole: help, completions, the demo.

use crate::common::{jkool, run};

/// The commands that a help lists, but for `help`.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A text that is wrapped continues further right.
    let names =
        lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.contains(&"watch"), "{help}");
    names
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    for command in commands(&run(&["--help"]).out) {
        let help = jkool(&[command, "--help"]).env("COLUMNS", "80").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        help.lines().for_each(|line| assert!(line.chars().count() <= 80, "{command}: {line}"));
        // An example stays on its line.
        let wide = jkool(&[command, "--help"]).env("COLUMNS", "200").output().unwrap();
        let wide = String::from_utf8(wide.stdout).unwrap();
        let examples = wide.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
        examples.for_each(|line| assert!(help.contains(line), "{command}: {line}"));
    }
}

#[test]
fn every_command_explains_itself_with_examples() {
    for command in ["send", "collect", "tail", "search", "watch", "stats", "demo", "completions", "man"] {
        let ran = run(&[command, "--help"]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Examples:") && ran.out.contains(&format!("jkool {command}")), "{}", ran.out);
    }
    let help = run(&["--help"]).out;
    assert!(help.contains("Exit codes:") && help.contains("jkool demo"), "{help}");
    assert_eq!(run(&["--version"]).out, concat!("jkool ", env!("CARGO_PKG_VERSION"), "\n"));
    // Without a command it is wrong usage.
    assert_eq!(run(&[]).code, 2);
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.contains("jkool") && ran.out.contains("tracking-id"), "{shell}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let all = run(&["man"]);
    assert_eq!((all.code, all.err.as_str()), (0, ""));
    assert!(all.out.contains(".TH jkool 1") && all.out.contains("jkool\\-tail(1)"), "{}", all.out);
    for name in commands(&run(&["--help"]).out) {
        let page = run(&["man", name]);
        assert_eq!((page.code, page.err.as_str()), (0, ""), "{name}");
        assert!(
            page.out.contains(&format!(".TH jkool\\-{name} 1")) || page.out.contains(&format!(".TH jkool-{name} 1")),
            "{}",
            page.out
        );
        assert!(page.out.contains("Examples:"), "{}", page.out);
    }
    assert_eq!(run(&["man", "nonsense"]).code, 2);
}

#[test]
fn a_demo_delivers_all_that_it_says() {
    let ran = run(&["demo", "--for", "2s", "--listen", "127.0.0.1:0", "--seed", "7"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert_eq!(ran.err, "");
    assert!(ran.out.starts_with("The page: http://127.0.0.1:"), "{}", ran.out);
    let last = ran.out.lines().last().unwrap();
    let numbers: Vec<u64> = last
        .split(|c: char| !c.is_ascii_digit() && c != ',')
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect();
    let [emitted, delivered, dropped, events, activities, snapshots] = numbers.as_slice() else { panic!("{last}") };
    assert_eq!((delivered, *dropped), (emitted, 0), "{last}");
    assert_eq!(events + activities + snapshots, *delivered, "{last}");
    // A quarter of an hour is there from the beginning.
    assert!(*activities > 300 && *events > 3_000 && *snapshots > 2_000, "{last}");
}
