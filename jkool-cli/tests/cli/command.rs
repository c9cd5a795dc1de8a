//! The command as a whole: help, completions, the demo.

use crate::common::run;

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
    let help = run(&["--help"]).out;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"watch"), "{help}");
    for name in names.into_iter().filter(|name| *name != "help") {
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
