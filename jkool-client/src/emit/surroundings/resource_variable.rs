//! Parses the variable `OTEL_RESOURCE_ATTRIBUTES`: `key=value,key=value`, percent-encoded.

use super::Attributes;

/// An error in the variable. As OpenTelemetry specifies, the whole variable is ignored then.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("{0:?} has no `=` between key and value")]
    NoEquals(String),
    #[error("{0:?} has no key before its `=`")]
    NoKey(String),
    #[error("{0:?} is not percent-encoded as UTF-8")]
    Encoding(String),
}

/// # Errors
/// Names the first part that is not `key=value`.
pub(super) fn parse(text: &str) -> Result<Attributes, Wrong> {
    let mut attributes = Attributes::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(|| Wrong::NoEquals(shown(part)))?;
        let decoded = |text: &str| decode(text.trim()).ok_or_else(|| Wrong::Encoding(shown(part)));
        let (key, value) = (decoded(key)?, decoded(value)?);
        if key.is_empty() {
            return Err(Wrong::NoKey(shown(part)));
        }
        attributes.insert(key, value);
    }
    Ok(attributes)
}

/// Shortens a part for the error.
fn shown(part: &str) -> String {
    part.chars().take(64).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{Wrong, parse};
    use proptest::prelude::*;

    #[test]
    fn keys_and_values_are_decoded() {
        let parsed = parse(" service.name=a%2Cb , k%3D=x=y,empty=, ,service.name=last").unwrap();
        let pairs: Vec<_> = parsed.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(pairs, [("empty", ""), ("k=", "x=y"), ("service.name", "last")]);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parse("a=1,b"), Err(Wrong::NoEquals("b".into())));
        assert_eq!(parse("=1"), Err(Wrong::NoKey("=1".into())));
        for wrong in ["a=%", "a=%4", "a=%zz", "a=%+1", "%ff=1"] {
            assert_eq!(parse(wrong), Err(Wrong::Encoding(wrong.into())));
        }
        let long = "x".repeat(100_000);
        assert!(parse(&long).unwrap_err().to_string().len() < 200);
    }

    fn encode(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*|[%,=a-f0-9é ]{0,40}") {
            let _any_answer_will_do = parse(&text);
        }

        #[test]
        fn what_was_encoded_is_read_as_it_was(pairs in proptest::collection::btree_map(".{1,10}", ".{0,10}", 0..5)) {
            let text: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
            prop_assert_eq!(parse(&text.join(",")), Ok(pairs));
        }
    }
}
