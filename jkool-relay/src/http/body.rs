//! Splits the body of a request into records. Pure.

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::io::Read;

/// The maximum number of records in a body; each takes some memory, however short it is.
const MOST: usize = 65_536;

/// Decompresses a body to at most `limit` bytes; `None` if it is larger.
///
/// # Errors
/// If the body is not gzip.
pub(super) fn unpack(packed: &[u8], limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut plain)?;
    Ok(Some(plain).filter(|plain| plain.len() <= limit))
}

/// The records of a body: one or more documents, with or without line breaks between them, or arrays of them. A line
/// that is not a document is a record too, which will be repaired or become a dead letter. An entity without a type
/// gets the type of the path. `None` if there are too many.
pub(super) fn records(body: &[u8], default_type: Option<&str>) -> Option<Vec<Vec<u8>>> {
    let mut rest = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii_start();
    // At most one search fails, so that a body of incomplete documents takes no longer than others.
    let (mut records, mut may_span_lines) = (Vec::new(), true);
    while !rest.is_empty() {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut documents = serde_json::Deserializer::from_slice(if may_span_lines { rest } else { line }).into_iter();
        let taken = match documents.next() {
            Some(Ok(document)) => {
                let document: &RawValue = document;
                match serde_json::from_str::<Vec<&RawValue>>(document.get()) {
                    Ok(items) => {
                        records.extend(items.into_iter().map(|item| typed(item.get().as_bytes(), default_type)))
                    }
                    Err(_) => records.push(typed(document.get().as_bytes(), default_type)),
                }
                documents.byte_offset()
            }
            failed => {
                may_span_lines &= !failed.is_some_and(|failed| failed.is_err_and(|error| error.is_eof()));
                records.push(line.trim_ascii_end().to_vec());
                line.len()
            }
        };
        if records.len() > MOST {
            return None;
        }
        rest = rest.get(taken..).unwrap_or_default().trim_ascii_start();
    }
    Some(records)
}

/// Adds the type to a document.
fn typed(document: &[u8], default_type: Option<&str>) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Typed {
        r#type: Option<IgnoredAny>,
    }
    let says_none = || serde_json::from_slice::<Typed>(document).is_ok_and(|typed| typed.r#type.is_none());
    match (default_type, document.strip_prefix(b"{")) {
        (Some(name), Some(fields)) if says_none() => {
            let separator = if fields.trim_ascii_start().starts_with(b"}") { "" } else { "," };
            [format!(r#"{{"type":"{name}"{separator}"#).as_bytes(), fields].concat()
        }
        _ => document.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, records, unpack};
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::proptest;
    use std::io::Write;

    fn texts(body: &str, default_type: Option<&str>) -> Vec<String> {
        let records = records(body.as_bytes(), default_type).expect("few");
        records.into_iter().map(|record| String::from_utf8(record).expect("UTF-8")).collect()
    }

    #[test]
    fn a_body_holds_one_or_many() {
        for (body, expected) in [
            ("", vec![]),
            (" \n\n", vec![]),
            ("{\"a\":1}", vec!["{\"a\":1}"]),
            ("\u{feff}{\"a\":1}\r\n{\"b\":[2]}\n", vec!["{\"a\":1}", "{\"b\":[2]}"]),
            ("{\"a\":1}{\"b\":2}", vec!["{\"a\":1}", "{\"b\":2}"]),
            ("{\n \"a\":1\n}\n{\"b\":2}", vec!["{\n \"a\":1\n}", "{\"b\":2}"]),
            ("[{\"a\":1}, {\"b\":2}]\n[]", vec!["{\"a\":1}", "{\"b\":2}"]),
            ("no JSON \n{\"ratio\":NaN}\n{\"a\":1}", vec!["no JSON", "{\"ratio\":NaN}", "{\"a\":1}"]),
            ("{\"torn\":\n{\"a\":1}\n{\"b\":\n2}", vec!["{\"torn\":", "{\"a\":1}", "{\"b\":\n2}"]),
            ("{\"cut\":\n{\"a\":\n1}", vec!["{\"cut\":", "{\"a\":", "1", "}"]),
        ] {
            assert_eq!(texts(body, None), expected, "{body}");
        }
    }

    #[test]
    fn the_path_says_the_type_of_what_says_none() {
        let body = r#"{"operation":"Pay"} {} {"type":"EVENT"} {"x":{"type":1}} 7"#;
        let expected = [
            r#"{"type":"ACTIVITY","operation":"Pay"}"#,
            r#"{"type":"ACTIVITY"}"#,
            r#"{"type":"EVENT"}"#,
            r#"{"type":"ACTIVITY","x":{"type":1}}"#,
            "7",
        ];
        assert_eq!(texts(body, Some("ACTIVITY")), expected);
    }

    #[test]
    fn too_many_and_too_large_are_told() {
        assert_eq!(records("1\n".repeat(MOST).as_bytes(), None).map(|records| records.len()), Some(MOST));
        assert_eq!(records("1\n".repeat(MOST + 1).as_bytes(), None), None);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&[b' '; 1000]).expect("memory");
        let packed = packed.finish().expect("memory");
        assert_eq!(unpack(&packed, 1000).expect("gzip"), Some(vec![b' '; 1000]));
        assert_eq!(unpack(&packed, 999).expect("gzip"), None);
        assert!(unpack(&packed[..20], 1000).is_err() && unpack(b"{}", 1000).is_err());
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_left_out(body in "[\\[\\]{}\":,a1 \n]{0,60}") {
            let mut left: Vec<char> = texts(&body, None).concat().chars().filter(|c| c.is_alphanumeric()).collect();
            let mut all: Vec<char> = body.chars().filter(|c| c.is_alphanumeric()).collect();
            left.sort_unstable();
            all.sort_unstable();
            assert_eq!(left, all);
        }
    }
}
