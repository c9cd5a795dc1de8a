//! Repairs invalid JSON with errors that are common in practice.

use crate::surrogates::replace_lone_surrogates;
use std::borrow::Cow;

/// Repairs common errors in JSON, for a receiver that prefers repairing an event to refusing it. Returns `None` if there is
/// nothing to repair; the result may still be invalid.
///
/// | what is there | who writes it | becomes |
/// |---|---|---|
/// | a byte-order mark at the beginning | editors, PowerShell | nothing |
/// | `NaN`, `Infinity`, `-Infinity` | Python's `json` | a string with that word, which a property of type `double` reads as its number |
/// | a number beyond 64 bits of floating point, such as `1e400` | generators of test data, Python | `"Infinity"` or `"-Infinity"` |
/// | a byte that is no UTF-8 | programs that write Latin-1 | the character that it is in Latin-1 |
/// | a control character within a string | shell scripts | its escape |
/// | half a character, `\ud800` | TNT4PY, TNT4J | `\ufffd`, see [`replace_lone_surrogates`] |
///
/// ```
/// use jkool_model::repair_json;
/// let repaired = repair_json(br#"{"ratio":NaN}"#).unwrap();
/// assert_eq!(repaired, br#"{"ratio":"NaN"}"#);
/// assert_eq!(repair_json(br#"{"ratio":0.5}"#), None);
/// ```
pub fn repair_json(json: &[u8]) -> Option<Vec<u8>> {
    let text = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    let text = match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(text.utf8_chunks().fold(String::with_capacity(text.len() + 16), |mut whole, chunk| {
            whole.push_str(chunk.valid());
            whole.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
            whole
        })),
    };
    let text = replace_lone_surrogates(&text);
    let repaired = Tokens { rest: &text, out: String::with_capacity(text.len() + 16) }.repair().into_bytes();
    (repaired != json).then_some(repaired)
}

/// The rest of the input, and the output so far.
struct Tokens<'a> {
    rest: &'a str,
    out: String,
}

impl<'a> Tokens<'a> {
    fn repair(mut self) -> String {
        while let Some(first) = self.rest.chars().next() {
            match first {
                '"' => self.string(),
                '-' | '+' | '0'..='9' | 'A'..='Z' | 'a'..='z' => self.word(),
                _ => {
                    let between = self.take_while(|c| !c.is_ascii_alphanumeric() && !matches!(c, '"' | '-' | '+'));
                    self.out.push_str(between);
                }
            }
        }
        self.out
    }

    /// Copies a string, up to its closing quote.
    fn string(&mut self) {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices() {
            if c.is_ascii_control() && c != '\u{7f}' {
                self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
                escaped = false;
                continue;
            }
            self.out.push(c);
            if c == '"' && !escaped && at > 0 {
                self.rest = &self.rest[at + 1..];
                return;
            }
            escaped = c == '\\' && !escaped;
        }
        self.rest = "";
    }

    /// Copies a number, `true`, `null` or another word.
    fn word(&mut self) {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        let is_too_large = || {
            let first = word.trim_start_matches('-').bytes().next();
            first.is_some_and(|first| first.is_ascii_digit()) && word.parse().is_ok_and(f64::is_infinite)
        };
        let infinite = if word.starts_with('-') { "-Infinity" } else { "Infinity" };
        match word {
            "NaN" | "Infinity" | "-Infinity" => self.quoted(word),
            _ if is_too_large() => self.quoted(infinite),
            _ => self.out.push_str(word),
        }
    }

    fn quoted(&mut self, word: &str) {
        self.out.extend(["\"", word, "\""]);
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::repair_json;
    use proptest::prelude::*;

    #[test]
    fn what_programs_write_becomes_json() {
        for (json, repaired) in [
            (b"\xef\xbb\xbf{\"a\":1}".as_slice(), r#"{"a":1}"#),
            (
                br#"{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN \" NaN"}"#,
                r#"{"a":"NaN","b":["-Infinity","Infinity"],"c":"NaN \" NaN"}"#,
            ),
            (br#"{"a":1e400,"b":-1E+400,"c":1e-400,"d":12}"#, r#"{"a":"Infinity","b":"-Infinity","c":1e-400,"d":12}"#),
            (b"{\"a\":\"caf\xe9\"}", r#"{"a":"café"}"#),
            (b"{\"a\":\"caf\xe9 \xc3\xa9\"}", r#"{"a":"café é"}"#),
            (b"{\"a\":\"one\ttwo\x01\"}", r#"{"a":"one\u0009two\u0001"}"#),
            (br#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#),
        ] {
            assert_eq!(String::from_utf8(repair_json(json).unwrap()).unwrap(), repaired);
            assert!(serde_json::from_str::<serde_json::Value>(repaired).is_ok(), "{repaired}");
        }
    }

    #[test]
    fn what_nobody_meant_stays_as_it_is() {
        for json in ["", "{", r#"{"a":nan}"#, r#"{"a":Inf}"#, "\"", "\"\\", "{\"a\":--1}", "é", "1e", "+-+-"] {
            assert_eq!(repair_json(json.as_bytes()), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn json_needs_no_repair(keys in proptest::collection::btree_map(".*", ".*", 0..4), number: f64, int: i64) {
            let value = serde_json::json!({"keys": keys, "number": number, "int": int, "list": [true, null_of(int)]});
            prop_assert_eq!(repair_json(value.to_string().as_bytes()), None);
        }

        #[test]
        fn no_bytes_make_it_fail_and_all_are_text_after(bytes: Vec<u8>) {
            if let Some(repaired) = repair_json(&bytes) {
                prop_assert!(String::from_utf8(repaired).is_ok());
            } else {
                prop_assert!(String::from_utf8(bytes).is_ok());
            }
        }
    }

    fn null_of(int: i64) -> Option<i64> {
        Some(int).filter(|int| int % 2 == 0)
    }
}
