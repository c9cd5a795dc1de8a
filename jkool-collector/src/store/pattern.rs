//! The pattern of an error: errors that differ only in numbers, ids and names have the same one.

/// The maximum length of the examined text and of the pattern, in characters.
const LOOKED_AT: usize = 1_000;
const KEPT: usize = 200;
/// The maximum length of a quotation, in bytes.
const QUOTATION: usize = 200;
/// The number of frames that distinguish exceptions.
const FRAMES: usize = 3;

const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')];

/// The replacements of a number or an id, and of a quotation.
const NUMBER: char = '#';
const QUOTED: char = '…';

/// The pattern that all errors of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    /// The normalised message, or that of an exception.
    pub(super) message: String,
    /// The first frames of an exception.
    pub(super) frames: Vec<String>,
}

impl Pattern {
    /// Creates the pattern. For an exception with frames, these are its type and frames, because one place may throw
    /// many messages; otherwise it is the message, or the first line of the exception.
    pub(super) fn of(message: &str, exception: &str) -> Self {
        let (headline, frames) = frames(exception);
        let message = match (frames.is_empty(), first_line(message)) {
            (false, _) => headline.split_once(": ").map_or(headline, |(name, _)| name),
            (true, "") => headline,
            (true, message) => message,
        };
        Self { message: normalised(message), frames }
    }

    /// Returns the parts of the message that all errors of the group contain, for a search.
    pub(super) fn words(&self) -> Vec<String> {
        let is_hole =
            |c: char| c == NUMBER || c == QUOTED || QUOTES.iter().any(|(open, close)| c == *open || c == *close);
        let parts = self.message.split(is_hole).map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()));
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Replaces each word that contains a digit, and each quotation, with a mark.
pub(super) fn normalised(text: &str) -> String {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(end, _)| end);
    let mut rest = &text[..end];
    let mut out = String::new();
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        if word > 0 {
            let (word, behind) = rest.split_at(word);
            rest = behind;
            match has_digit(word) {
                true => {
                    out.push(NUMBER);
                    rest = behind_number(rest);
                }
                false => out.push_str(word),
            }
        } else if let Some((close, behind)) = quotation(c, rest, &out) {
            out.extend([c, QUOTED, close]);
            rest = behind;
        } else {
            // White space of any kind becomes one space.
            match c.is_whitespace() {
                true if out.ends_with(' ') => {}
                true => out.push(' '),
                false => out.push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out.trim().chars().take(KEPT).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn has_digit(word: &str) -> bool {
    word.contains(|c: char| c.is_numeric())
}

/// Returns the text after the continuation of a number: `.5` of `1.5`, or the rest of a time or an address.
fn behind_number(mut rest: &str) -> &str {
    while let Some(more) = rest.strip_prefix(['.', ',', ':', '/']) {
        let word = more.find(|c: char| !is_word(c)).unwrap_or(more.len());
        if !has_digit(&more[..word]) {
            break;
        }
        rest = &more[word..];
    }
    rest
}

/// Returns the end of a quotation that starts here, and the text after it. An apostrophe within a word does not start
/// one.
fn quotation<'a>(open: char, rest: &'a str, before: &str) -> Option<(char, &'a str)> {
    let (_, close) = QUOTES.iter().find(|(quote, _)| *quote == open)?;
    if before.ends_with(is_word) {
        return None;
    }
    let text = &rest[open.len_utf8()..];
    let ends = text.char_indices().take_while(|(at, _)| *at <= QUOTATION).filter(|(_, c)| c == close);
    ends.map(|(at, c)| &text[at + c.len_utf8()..])
        .find(|behind| !behind.starts_with(is_word))
        .map(|behind| (*close, behind))
}

/// Returns the message of an exception, and its frames, innermost first.
fn frames(exception: &str) -> (&str, Vec<String>) {
    let headline = first_line(exception);
    let lines = exception.lines().map(str::trim);
    let all = lines.skip_while(|line| *line != headline).skip(1);
    let kept = |frames: &mut dyn Iterator<Item = &str>| frames.take(FRAMES).map(normalised).collect();
    // Python writes the innermost frame last, and the message after it.
    if headline.starts_with("Traceback") {
        let all: Vec<&str> = all.filter(|line| !line.is_empty()).collect();
        let what = all.last().copied().unwrap_or(headline);
        return (what, kept(&mut all.iter().rev().copied().filter(|line| line.starts_with("File \""))));
    }
    (headline, kept(&mut all.filter(|line| is_frame(line))))
}

/// Whether a line contains a function or its location. Frames of Rust's own panic code do not count.
fn is_frame(line: &str) -> bool {
    let numbered = line.split_once(": ").filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit()));
    let name = match (line.strip_prefix("at "), numbered) {
        (Some(place), _) => place,
        (None, Some((number, name))) if !number.is_empty() => name,
        _ => return false,
    };
    let is_runtime = ["core::", "std::", "rust_", "__rust", "<"].iter().any(|start| name.starts_with(start));
    !is_runtime && !name.contains("/rustc/")
}

#[cfg(test)]
mod tests {
    use super::{Pattern, normalised};
    use proptest::prelude::*;

    #[test]
    fn numbers_ids_and_quotations_are_no_matter() {
        for (text, expected) in [
            ("Order A-100 declined after 1.5s", "Order # declined after #"),
            ("no stock for \"red shoes\" in 'DC 1'", "no stock for \"…\" in '…'"),
            ("can't reach 10.0.0.1:8080, isn't there", "can't reach #, isn't there"),
            ("id=550e8400-e29b-41d4-a716-446655440000;", "id=#;"),
            ("at 2026-12-01T05:26:09.123Z:  \t late", "at #: late"),
            ("-5 of 17 %", "# of # %"),
            ("an \"open quotation", "an \"open quotation"),
            ("'it's' quoted", "'…' quoted"),
            ("", ""),
            ("größer als “x”", "größer als “…”"),
        ] {
            assert_eq!(normalised(text), expected);
        }
        assert_eq!(normalised(&"word ".repeat(1_000)).chars().count(), 200);
    }

    #[test]
    fn what_all_have_in_common_is_searched_for() {
        let words = |message: &str| Pattern::of(message, "").words();
        assert_eq!(words("Order A-100: card \"x\" declined (51)"), ["Order", "card", "declined"]);
        assert_eq!(words("17"), [] as [&str; 0]);
    }

    #[test]
    fn an_exception_is_known_by_its_frames() {
        let java = |order: u32, line: u32| {
            format!(
                "java.lang.IllegalStateException: order {order} is late\n\tat shop.Order.take(Order.java:{line})\n\tat \
                 shop.Shop.run(Shop.java:7)\nCaused by: java.io.IOException: {order}\n"
            )
        };
        let one = Pattern::of("failed 1", &java(1, 5));
        assert_eq!(one.message, "java.lang.IllegalStateException");
        assert_eq!(one.frames, ["at shop.Order.take(Order.java:#)", "at shop.Shop.run(Shop.java:#)"]);
        assert_eq!(one, Pattern::of("failed, too", &java(2, 6)));
        assert_ne!(one, Pattern::of("failed 1", &java(1, 5).replace("take", "give")));
        let python = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n  File \"b.py\", line 2, in g\n\
                      ValueError: no 7\n";
        let python = Pattern::of("", python);
        assert_eq!((python.message.as_str(), python.frames.len()), ("ValueError", 2));
        assert_eq!(python.frames[0], "File \"…\", line #, in g");
        let rust = "panicked: no\n   0: rust_begin_unwind\n             at /rustc/5/library/std/src/panicking.rs:1:5\n   \
                    1: core::panicking::panic_fmt\n   2: shop::take\n             at ./src/main.rs:4:5\n";
        assert_eq!(Pattern::of("", rust).frames, ["#: shop::take", "at ./src/main.rs:#"]);
        let plain = Pattern::of("", "no money\n  at bank 7");
        assert_eq!((plain.message.as_str(), plain.frames), ("no money", vec!["at bank #".to_owned()]));
        assert_eq!(Pattern::of("Order 7 failed\nbadly", "no funds").message, "Order # failed");
    }

    proptest! {
        #[test]
        fn any_text_has_a_pattern_which_is_its_own(text in any::<String>(), exception in any::<String>()) {
            let pattern = Pattern::of(&text, &exception);
            prop_assert!(pattern.message.chars().count() <= 200);
            prop_assert!(!pattern.words().iter().any(|word| word.is_empty()));
            prop_assert!(!normalised(&text).contains(|c: char| c.is_numeric()));
        }
    }
}
