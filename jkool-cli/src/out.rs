//! The only place that writes to standard output and standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Writes a line to standard output.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Writes bytes to standard output as they are.
pub(crate) fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a line to standard error, with control characters escaped. If even that fails, there is nowhere to report it.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{}", escape_but(&text.to_string(), &['\n'])));
}

/// Waits until the reader of standard output is gone, as after `head`. If it is not a pipe, waits forever.
pub(crate) async fn unread() {
    while has_reader() {
        tokio::time::sleep(LOOK).await;
    }
}

/// The interval at which the reader is checked.
const LOOK: Duration = Duration::from_millis(200);

#[cfg(unix)]
fn has_reader() -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let out = io::stdout();
    // The system reports that the reader is gone without being asked for that event.
    let mut out = [PollFd::new(out.as_fd(), PollFlags::empty())];
    !poll(&mut out, PollTimeout::ZERO).is_ok_and(|found| found > 0)
}

#[cfg(not(unix))]
fn has_reader() -> bool {
    true
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The width of the terminal; `None` if standard output is not a terminal.
pub(crate) fn width() -> Option<usize> {
    if !is_terminal() {
        return None;
    }
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(columns.into())
}

/// When to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set; elsewhere when CLICOLOR_FORCE is
    Auto,
    Always,
    Never,
}

impl Colour {
    /// Whether standard output takes colours (<https://no-color.org>, <https://bixense.com/clicolors>).
    pub(crate) fn is_wanted(self) -> bool {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if variable("NO_COLOR").is_some() => false,
            Self::Auto if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto => is_terminal() && variable("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// Escapes the characters of `text` that would move the cursor, change the state of the terminal, or the direction of
/// writing.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, &[])
}

/// The same, except for some characters.
pub(crate) fn escape_but<'a>(text: &'a str, allowed: &[char]) -> Cow<'a, str> {
    let is_harmful = |c: char| is_harmful(c) && !allowed.contains(&c);
    if !text.contains(is_harmful) {
        return text.into();
    }
    text.chars()
        .fold(String::new(), |mut safe, c| {
            match is_harmful(c) {
                true => safe.extend(c.escape_default()),
                false => safe.push(c),
            }
            safe
        })
        .into()
}

/// The same for JSON, in which such characters occur only in strings: its own escapes keep the meaning.
pub(crate) fn json_escape(json: &str) -> String {
    json.chars().fold(String::new(), |mut safe, c| {
        match is_harmful(c) && c != '\n' {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}"))),
            false => safe.push(c),
        }
        safe
    })
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{escape, json_escape};

    #[test]
    fn what_drives_a_terminal_is_escaped() {
        for (text, expected) in [
            ("Ordnung für 3 €, 漢字", "Ordnung für 3 €, 漢字"),
            ("a\u{1b}[2Jb\u{7}", "a\\u{1b}[2Jb\\u{7}"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{9b}31m\u{202e}x", "\\u{9b}31m\\u{202e}x"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn json_stays_what_it_was() {
        let json = "{\"a\":\"ü\u{9b}\u{202e}\\u001b\"}";
        let escaped = json_escape(json);
        assert_eq!(escaped, r#"{"a":"ü\u009b\u202e\u001b"}"#);
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&escaped), read(json));
    }
}
