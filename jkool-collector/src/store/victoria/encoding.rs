//! The encoding of names, texts, numbers and sequence numbers for VictoriaLogs. It keeps them unchanged and in order.

use std::borrow::Cow;
use std::fmt::Write;

/// The separator of several values of a field, which are one text: it is before, between and after them. A single value
/// has none.
pub(super) const BETWEEN: char = '\u{1}';

/// The first character of an escape sequence; see [`escaped`].
pub(super) const ESCAPE: char = '\u{2}';

/// Characters with a special meaning, and the rest of their escape sequence after [`ESCAPE`]. All sequences have the
/// same length and contain no character that must be escaped, so that a search does not match in the middle of one.
const SIGNS: [(char, &str); 4] =
    [(BETWEEN, "\u{3}\u{3}"), (ESCAPE, "\u{3}\u{4}"), ('\u{3}', "\u{4}\u{3}"), ('\u{4}', "\u{4}\u{4}")];

/// The maximum length of a field's name; longer ones are rejected.
const LONGEST_NAME: usize = 128;

pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c <= '\u{4}') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match SIGNS.iter().find(|(sign, _)| *sign == c) {
            Some((_, code)) => out.extend([ESCAPE].into_iter().chain(code.chars())),
            None => out.push(c),
        }
    }
    out.into()
}

pub(super) fn unescaped(text: &str) -> String {
    if !text.contains(ESCAPE) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(ESCAPE) {
        out.push_str(before);
        let sign = SIGNS.iter().find(|(_, code)| behind.starts_with(code));
        out.extend(sign.map(|(sign, _)| *sign));
        rest = behind.get(2..).unwrap_or_default();
    }
    out + rest
}

/// Returns a single value unchanged, and several values between separators.
pub(super) fn joined<'a>(values: &'a [Cow<'a, str>]) -> Cow<'a, str> {
    match values {
        [one] => Cow::Borrowed(one),
        _ => {
            let mut text = String::from(BETWEEN);
            for value in values {
                text.push_str(value);
                text.push(BETWEEN);
            }
            text.into()
        }
    }
}

/// Returns the name of the column for a field's values, or `None` if it would be too long.
pub(super) fn column(prefix: &str, name: &str) -> Option<String> {
    // In LogsQL a name that ends with `*` means all names with this prefix.
    let name = name.replace('%', "%25").replace('*', "%2A");
    Some(format!("{prefix}{name}")).filter(|column| column.len() <= LONGEST_NAME)
}

/// Returns the field of a column, given without its prefix.
pub(super) fn field_of(column: &str) -> String {
    column.replace("%2A", "*").replace("%25", "%")
}

/// Formats a number, always in the same way. VictoriaLogs sums numbers only without an exponent and up to this length.
pub(super) fn number(number: f64) -> String {
    const LONGEST: usize = 26;
    if number == 0.0 {
        return "0".to_owned();
    }
    let plain = number.to_string();
    if plain.len() <= LONGEST { plain } else { format!("{number:e}") }
}

/// Encodes a number as letters that sort like the numbers.
pub(super) fn letters(number: u64) -> String {
    (0..16).rev().map(|index| char::from(b'a' + ((number >> (index * 4)) & 15) as u8)).collect()
}

/// Decodes the result of [`letters`].
pub(super) fn from_letters(text: &str) -> Option<u64> {
    let digit =
        |number: u64, byte: u8| Some(number << 4 | u64::from(byte.checked_sub(b'a').filter(|digit| *digit < 16)?));
    if text.len() == 16 { text.bytes().try_fold(0, digit) } else { None }
}

/// Returns the common prefix of the sequence numbers that are checked together.
pub(super) fn block(sequence: u64) -> String {
    letters(sequence >> 12)
}

/// Quotes a text or a name for LogsQL.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a string cannot fail.
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)).unwrap_or_default(),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::{column, escaped, field_of, from_letters, letters, number, quoted, unescaped};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn whatever_is_escaped_comes_back_and_holds_what_it_held(text in "[\u{1}-\u{6}ab]{0,8}", part in "[\u{1}-\u{6}ab]{0,3}") {
            prop_assert_eq!(unescaped(&escaped(&text)), text.clone());
            prop_assert_eq!(escaped(&text).contains(&*escaped(&part)), text.contains(&part));
            prop_assert_eq!(escaped(&text).contains('\u{1}'), false);
        }

        #[test]
        fn letters_sort_as_numbers(one in any::<u64>(), other in any::<u64>()) {
            prop_assert_eq!(letters(one).cmp(&letters(other)), one.cmp(&other));
            prop_assert_eq!(from_letters(&letters(one)), Some(one));
        }

        #[test]
        fn a_number_comes_back(float in any::<f64>()) {
            prop_assert_eq!(number(float).parse::<f64>().unwrap(), float);
        }
    }

    #[test]
    fn names_and_texts_are_written_so_that_they_mean_nothing_else() {
        assert_eq!(quoted("a\"b\\c\n\u{1}\u{7f}é"), r#""a\"b\\c\x0a\x01\x7fé""#);
        assert_eq!(number(-0.0), "0");
        assert_eq!(column("t.", "50%*").unwrap(), "t.50%25%2A");
        assert_eq!(field_of("50%25%2A"), "50%*");
        assert_eq!(column("n.", &"x".repeat(127)), None);
    }
}
