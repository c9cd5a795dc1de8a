//! How names, texts, numbers and sequences are written into VictoriaLogs, so that each comes back and compares as it is.

use std::borrow::Cow;
use std::fmt::Write;

/// Several values of a field are one text: this before, between and behind them. A single value stands alone.
pub(super) const BETWEEN: char = '\u{1}';

/// Stands before what [`escaped`] makes of a sign.
pub(super) const ESCAPE: char = '\u{2}';

/// Signs that mean something, and what stands for each behind [`ESCAPE`]: always as many signs, of those that are
/// escaped themselves, so that no text is found within another one that does not have it.
const SIGNS: [(char, &str); 4] =
    [(BETWEEN, "\u{3}\u{3}"), (ESCAPE, "\u{3}\u{4}"), ('\u{3}', "\u{4}\u{3}"), ('\u{4}', "\u{4}\u{4}")];

/// Longer names of fields are refused.
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

/// One value as it is, several between separators.
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

/// The name of the column that values of a field are in; `None` if it would be too long.
pub(super) fn column(prefix: &str, name: &str) -> Option<String> {
    // A name that ends in `*` would mean all that begin so.
    let name = name.replace('%', "%25").replace('*', "%2A");
    Some(format!("{prefix}{name}")).filter(|column| column.len() <= LONGEST_NAME)
}

/// The field that a column, without its prefix, belongs to.
pub(super) fn field_of(column: &str) -> String {
    column.replace("%2A", "*").replace("%25", "%")
}

/// A number, always in the same way. VictoriaLogs sums up what is written without an exponent, and no longer than this.
pub(super) fn number(number: f64) -> String {
    const LONGEST: usize = 26;
    if number == 0.0 {
        return "0".to_owned();
    }
    let plain = number.to_string();
    if plain.len() <= LONGEST { plain } else { format!("{number:e}") }
}

/// A number as letters, which sort as the numbers do.
pub(super) fn letters(number: u64) -> String {
    (0..16).rev().map(|index| char::from(b'a' + ((number >> (index * 4)) & 15) as u8)).collect()
}

/// The number that [`letters`] wrote.
pub(super) fn from_letters(text: &str) -> Option<u64> {
    let digit =
        |number: u64, byte: u8| Some(number << 4 | u64::from(byte.checked_sub(b'a').filter(|digit| *digit < 16)?));
    if text.len() == 16 { text.bytes().try_fold(0, digit) } else { None }
}

/// The sequences that are checked together have this in common.
pub(super) fn block(sequence: u64) -> String {
    letters(sequence >> 12)
}

/// A text or a name in LogsQL.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a text can't fail.
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
