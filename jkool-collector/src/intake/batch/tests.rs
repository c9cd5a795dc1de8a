use super::{Batch, MOST, ParseOptions, Refused};
use jkool_model::{Entity, Timestamp};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, prop_assert, proptest};
use proptest::sample::select;

const OPTIONS: ParseOptions = ParseOptions { default_type: None, multi_line: true };

fn read(body: impl AsRef<[u8]>) -> Batch {
    Batch::read(&body.as_ref().to_vec().into(), OPTIONS, Timestamp::from_usec(1))
}

fn names(batch: &Batch) -> Vec<String> {
    let name = |body| match serde_json::from_slice(body).unwrap() {
        Entity::Event(event) => event.operation.into_owned(),
        Entity::Activity(activity) => format!("activity {}", activity.operation),
        Entity::Snapshot(snapshot) => format!("snapshot {}", snapshot.name),
        other => panic!("{other:?}"),
    };
    assert_eq!(batch.records.len(), batch.bodies.len());
    batch.bodies.iter().map(|body| name(body)).collect()
}

fn places(batch: &Batch) -> Vec<(usize, usize)> {
    batch.refused.iter().map(|refused| (refused.line, refused.column)).collect()
}

#[test]
fn every_form_of_body_is_read() {
    for (body, expected) in [
        (r#"{"operation":"a"}"#, vec!["a"]),
        ("{\"operation\":\"a\"}\n", vec!["a"]),
        ("\u{feff}{\"operation\":\"a\"}\r\n\r\n \t{\"operation\":\"b\"}\r\n", vec!["a", "b"]),
        (r#"[{"operation":"a"},{"operation":"b"}]"#, vec!["a", "b"]),
        ("[\n  {\n    \"operation\": \"a\"\n  },\n  {\"operation\":\"b\"}\n]\n", vec!["a", "b"]),
        ("[{\"operation\":\"a\"}]\n{\"operation\":\"b\"}\n[]", vec!["a", "b"]),
        ("{\n  \"operation\": \"a\",\n  \"pid\": 1\n}", vec!["a"]),
        ("{\n\"operation\":\"a\"\n}\n{\n\"operation\":\"b\"\n}\n{\"operation\":\"c\"}", vec!["a", "b", "c"]),
        (r#"{"operation":"\ud800"}"#, vec!["\u{fffd}"]),
        (r#"[{"operation":"\ud800"}]"#, vec!["\u{fffd}"]),
        ("", vec![]),
        (" \r\n\n", vec![]),
        ("[]", vec![]),
    ] {
        let batch = read(body);
        assert_eq!(batch.refused, [], "{body}");
        assert_eq!(names(&batch), expected, "{body}");
        assert!(batch.bodies.iter().all(|body| !body.contains(&b'\n')), "{body}");
    }
}

#[test]
fn what_is_nearly_json_is_taken_and_counted() {
    for (body, expected, repaired) in [
        (br#"{"operation":"a","properties":[{"name":"r","type":"double","value":NaN}]}"#.as_slice(), vec!["a"], 1),
        (b"{\"operation\":\"caf\xe9\"}\n{\"operation\":\"b\"}", vec!["caf\u{e9}", "b"], 1),
        (b"[{\"operation\":\"a\"},{\"operation\":\"b\",\"properties\":{\"x\":1e400}}]", vec!["a", "b"], 1),
        (br#"[{"operation":"a"},{"operation":"b","properties":{"x":NaN}}]"#, vec!["a", "b"], 2),
        (b"{\"operation\":\"a\tb\"}", vec!["a\tb"], 1),
        (br#"[{"operation":"\ud800"}]"#, vec!["\u{fffd}"], 1),
        (b"{\"operation\":\"a\"}", vec!["a"], 0),
    ] {
        let batch = read(body);
        assert_eq!(
            (batch.refused.as_slice(), names(&batch), batch.repaired),
            ([].as_slice(), expected.iter().map(|name| (*name).to_owned()).collect(), repaired)
        );
    }
}

#[test]
fn entities_are_kept_byte_for_byte() {
    let line = r#" {"new-field" : [ 1.50 ], "operation":"a"}"#;
    assert_eq!(read(format!("{line} \r\n")).bodies, [line.trim()]);
    assert_eq!(read(format!("[1, {line}]")).bodies, [line.trim()]);
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_rest_is_kept() {
    for (body, expected, refused) in [
        ("{\"operation\":\"a\"}\nnonsense\n{\"operation\":\"b\"}", vec!["a", "b"], vec![(2, 2)]),
        ("\n  {\"operation\": oops}\n{\"operation\":\"b\"}", vec!["b"], vec![(2, 17)]),
        // An incomplete document: the next line is still another entity.
        ("{\"operation\":\"a\n{\"operation\":\"b\"}", vec!["b"], vec![(1, 15)]),
        ("{\"operation\":\"a\",\n{\"operation\":\"b\"}", vec!["b"], vec![(1, 17)]),
        ("{\"operation\":\"a\"}\n{\"operation\":", vec!["a"], vec![(2, 13)]),
        // An invalid document of several lines.
        ("{\n  \"operation\": nope,\n  \"pid\": 1\n}\n{\"operation\":\"b\"}", vec!["b"], vec![(2, 17)]),
        ("{\n  \"operation\": \"a\"\n", vec![], vec![(3, 0)]),
        // An array: each element is handled separately.
        ("[{\"operation\":\"a\"},\n 7,\n  {\"operation\":\"b\", \"pid\":{}}]", vec!["a"], vec![(2, 2), (3, 29)]),
        ("[{\"operation\":\"a\"},{]", vec![], vec![(1, 21)]),
        ("[{\"operation\":\"a\"}", vec![], vec![(1, 18)]),
        ("{\"operation\":\"a\"}{\"operation\":\"b\"}", vec![], vec![(1, 18)]),
        ("\"text\"", vec![], vec![(1, 6)]),
        ("null\n1\ntrue", vec![], vec![(1, 4), (2, 1), (3, 4)]),
    ] {
        let batch = read(body);
        assert_eq!(names(&batch), expected, "{body}");
        let (found, expected) = (places(&batch), refused);
        assert!(found.len() == expected.len(), "{body}: {:?}", batch.refused);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.0 == expected.0 && (expected.1 == 0 || found.1 == expected.1), "{body}: {:?}", batch.refused);
        }
    }
}

#[test]
fn an_error_says_what_without_saying_where_twice() {
    let batch = read("x");
    assert_eq!(batch.refused, [Refused { line: 1, column: 1, error: "expected value".into() }]);
    let long = read(format!(r#"{{"properties":"{}"}}"#, "ü".repeat(1_000)));
    assert_eq!(long.refused[0].error.chars().count(), 201, "{:?}", long.refused);
}

#[test]
fn of_many_refusals_some_are_told_and_all_are_counted() {
    let batch = read("{}\n".repeat(3) + &"x\n".repeat(100));
    assert_eq!((batch.records.len(), batch.refused.len(), batch.refused_count()), (3, 32, 100));
    let batch = read("{}\n".repeat(MOST + 2));
    assert_eq!((batch.records.len(), batch.refused_count()), (MOST, 2));
    let batch = read(format!("[{}{{}}]", "{},".repeat(MOST)));
    assert_eq!((batch.records.len(), batch.refused_count()), (0, 1));
}

#[test]
fn the_path_tells_the_type_of_what_says_none() {
    let read = |body: &str| {
        let options = ParseOptions { default_type: Some("ACTIVITY"), ..OPTIONS };
        names(&Batch::read(&body.to_owned().into(), options, Timestamp::from_usec(1)))
    };
    assert_eq!(read(r#"{"operation":"a"}"#), ["activity a"]);
    assert_eq!(read("{ }"), ["activity "]);
    assert_eq!(read(r#"{"operation":"a","type":"EVENT"}"#), ["a"]);
    assert_eq!(read(r#"{"t\u0079pe":"EVENT","operation":"a"}"#), ["a"]);
}

#[test]
fn over_tcp_a_line_is_a_document() {
    let options = ParseOptions { multi_line: false, ..OPTIONS };
    let batch = Batch::read(&"{\"a\":\n1}\n{}\n".into(), options, Timestamp::from_usec(1));
    assert_eq!((batch.records.len(), places(&batch)), (1, vec![(1, 5), (2, 1)]));
}

#[test]
fn a_body_of_beginnings_is_read_in_one_go() {
    let batch = read("[\n{\"a\":\n".repeat(100_000));
    assert_eq!((batch.records.len(), batch.refused_count()), (0, 200_000));
}

const PIECES: &[&[u8]] = &[
    b"{\"operation\":\"a\"}",
    b"\n",
    b"\r\n",
    b"[",
    b"]",
    b",",
    b"{",
    b"}",
    b"\"operation\":",
    b"\"\\ud800\"",
    b"\"",
    b"\xef\xbb\xbf",
    b"\xff",
    b" ",
    b"17",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_comes_what_is_kept_can_be_read_and_what_is_refused_is_there(pieces in vec(select(PIECES), 0..30)) {
        let body = pieces.concat();
        let batch = read(&body);
        for kept in &batch.bodies {
            prop_assert!(serde_json::from_slice::<Entity>(kept).is_ok() && !kept.contains(&b'\n'));
        }
        let lines: Vec<_> = body.split(|byte| *byte == b'\n').collect();
        for (line, column) in places(&batch) {
            // At the end of the body, the position is after it.
            prop_assert!(line <= lines.len() && column <= lines[line - 1].len() + 1, "{line}:{column} {:?}", batch.refused);
        }
        if batch.records.is_empty() && batch.refused.is_empty() {
            let all_empty = pieces.iter().all(|piece| !piece.contains(&b'"') && !piece.contains(&b'7'));
            prop_assert!(all_empty);
        }
    }
}
