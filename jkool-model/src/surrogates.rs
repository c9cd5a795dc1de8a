//! Lone surrogates in JSON escapes.

use std::borrow::Cow;

/// Replaces each lone surrogate escape (`\ud800`) in a JSON text by `\ufffd`, the replacement character.
///
/// TNT4PY and TNT4J send lone surrogates, which JSON readers refuse. A receiver that accepts such events calls this function
/// before it reads them. A text without any is returned unchanged.
///
/// ```
/// use jkool_model::replace_lone_surrogates;
/// assert_eq!(replace_lone_surrogates(r#""\ud800 and \ud83d\ude80""#), r#""\ufffd and \ud83d\ude80""#);
/// ```
pub fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let mut mended = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        at += match (unit(bytes, at), unit(bytes, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&json[done..at]);
                mended.push_str("\\ufffd");
                done = at + 6;
                6
            }
            // Another escape: skips two bytes, so that an escaped backslash does not start a new escape.
            _ => 2,
        };
        if at >= bytes.len() {
            break;
        }
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[done..]);
    Cow::Owned(mended)
}

/// The code unit of the escape `\uXXXX` at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    hex.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::replace_lone_surrogates;

    #[test]
    fn only_half_characters_are_replaced() {
        for (json, mended) in [
            (r#""plain""#, r#""plain""#),
            (r#""\ud83d\ude80""#, r#""\ud83d\ude80""#),
            (r#""\uD800""#, r#""\ufffd""#),
            (r#""\udc00\ud800""#, r#""\ufffd\ufffd""#),
            (r#""\ud800\ud83d\ude80é""#, r#""\ufffd\ud83d\ude80é""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\\\ud800""#, r#""\\\ufffd""#),
            (r"\ud80", r"\ud80"),
            ("\\", "\\"),
            ("", ""),
        ] {
            assert_eq!(replace_lone_surrogates(json), mended, "{json}");
        }
    }
}
