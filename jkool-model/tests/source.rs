//! Source names: what the builder makes, what the parser takes, and what each says when it can't.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::lines::lines;
use jkool_model::{SourceError, SourceFault, SourceFqn, SourceFqnBuilder, SourceType};
use serde_json::Value as Json;

fn forbidden(source_type: SourceType, character: char) -> SourceFault {
    SourceFault::ForbiddenCharacter { source_type, character }
}

#[test]
fn the_parser_says_which_element_where_and_why() {
    use SourceFault::{Empty, EmptyElement, EmptyName, NoEquals, UnknownType};
    let unknown = |word: &str| UnknownType(word.into());
    for (text, element, offset, reason, message) in [
        ("", 0, 0, Empty, "a source needs at least one TYPE=name element"),
        ("APPL", 1, 0, NoEquals("APPL".into()), "`APPL` has no `=` between type and name"),
        ("APPL=a#SERVER", 2, 7, NoEquals("SERVER".into()), "`SERVER` has no `=` between type and name"),
        ("Größe", 1, 0, NoEquals("Größe".into()), "`Größe` has no `=` between type and name"),
        ("HOST=a", 1, 0, unknown("HOST"), "`HOST` is not a source type"),
        ("=a", 1, 0, unknown(""), "`` is not a source type"),
        ("appl=a", 1, 0, unknown("appl"), "`appl` is not a source type"),
        ("APPL=a# SERVER=s", 2, 7, unknown(" SERVER"), "` SERVER` is not a source type"),
        ("APPL=", 1, 5, EmptyName(SourceType::Appl), "the name of APPL is empty"),
        ("APPL=#SERVER=s", 1, 5, EmptyName(SourceType::Appl), "the name of APPL is empty"),
        ("APPL=a#SERVER=", 2, 14, EmptyName(SourceType::Server), "the name of SERVER is empty"),
        ("APPL=a=b", 1, 6, forbidden(SourceType::Appl, '='), "the name of APPL contains '='"),
        ("USER=ü#QUEUE=x\ty", 2, 15, forbidden(SourceType::Queue, '\t'), r"the name of QUEUE contains '\t'"),
        ("FILE=a\u{85}", 1, 6, forbidden(SourceType::File, '\u{85}'), r"the name of FILE contains '\u{85}'"),
        ("#APPL=a", 1, 0, EmptyElement, "the element is empty"),
        ("APPL=a##SERVER=s", 2, 7, EmptyElement, "the element is empty"),
        ("APPL=a#", 2, 7, EmptyElement, "the element is empty"),
        ("#", 1, 0, EmptyElement, "the element is empty"),
    ] {
        let error = text.parse::<SourceFqn>().unwrap_err();
        let place = if element == 0 { String::new() } else { format!("source element {element} at byte {offset}: ") };
        assert_eq!(error.to_string(), format!("{place}{message}"), "{text:?}");
        assert_eq!((error.element, error.offset, error.reason), (element, offset, reason), "{text:?}");
    }
}

#[test]
fn the_builder_says_the_same() {
    let built = |make: fn(SourceFqnBuilder) -> SourceFqnBuilder| make(SourceFqn::builder()).build().unwrap_err();
    for (error, element, offset, reason) in [
        (built(|source| source), 0, 0, SourceFault::Empty),
        (built(|source| source.appl("")), 1, 5, SourceFault::EmptyName(SourceType::Appl)),
        (built(|source| source.appl("a#b")), 1, 6, forbidden(SourceType::Appl, '#')),
        (built(|source| source.appl("a").server("s=1")), 2, 15, forbidden(SourceType::Server, '=')),
        (built(|source| source.user("ü").queue("\n")), 2, 14, forbidden(SourceType::Queue, '\n')),
        (built(|source| source.topic("\0")), 1, 6, forbidden(SourceType::Topic, '\0')),
        // Of several faults the first.
        (built(|source| source.appl("").server("#").cache("")), 1, 5, SourceFault::EmptyName(SourceType::Appl)),
    ] {
        assert_eq!(error, SourceError { element, offset, reason });
    }
    let error = built(|source| source.appl("a#b"));
    assert_eq!(error.to_string(), "source element 1 at byte 6: the name of APPL contains '#'");
}

#[test]
fn an_error_does_not_repeat_a_megabyte() {
    let error = "é".repeat(1_000_000).parse::<SourceFqn>().unwrap_err();
    assert_eq!(error.reason, SourceFault::NoEquals("é".repeat(64)));
    let error = format!("{}=a", "é".repeat(1_000_000)).parse::<SourceFqn>().unwrap_err();
    assert_eq!(error.reason, SourceFault::UnknownType("é".repeat(64)));
}

type Method = (SourceType, fn(SourceFqnBuilder, &'static str) -> SourceFqnBuilder);

/// Each method with its type, in the order of the protocol's list.
const METHODS: [Method; 19] = [
    (SourceType::Generic, SourceFqnBuilder::generic),
    (SourceType::User, SourceFqnBuilder::user),
    (SourceType::Appl, SourceFqnBuilder::appl),
    (SourceType::Process, SourceFqnBuilder::process),
    (SourceType::Appserver, SourceFqnBuilder::appserver),
    (SourceType::Server, SourceFqnBuilder::server),
    (SourceType::Runtime, SourceFqnBuilder::runtime),
    (SourceType::Virtual, SourceFqnBuilder::virtual_machine),
    (SourceType::Network, SourceFqnBuilder::network),
    (SourceType::Device, SourceFqnBuilder::device),
    (SourceType::Netaddr, SourceFqnBuilder::netaddr),
    (SourceType::Geoaddr, SourceFqnBuilder::geoaddr),
    (SourceType::Datacenter, SourceFqnBuilder::datacenter),
    (SourceType::Datastore, SourceFqnBuilder::datastore),
    (SourceType::Cache, SourceFqnBuilder::cache),
    (SourceType::Service, SourceFqnBuilder::service),
    (SourceType::Queue, SourceFqnBuilder::queue),
    (SourceType::File, SourceFqnBuilder::file),
    (SourceType::Topic, SourceFqnBuilder::topic),
];

#[test]
fn each_type_has_its_method_and_its_word() {
    let words = "GENERIC USER APPL PROCESS APPSERVER SERVER RUNTIME VIRTUAL NETWORK DEVICE NETADDR GEOADDR DATACENTER \
                 DATASTORE CACHE SERVICE QUEUE FILE TOPIC";
    let words: Vec<_> = words.split(' ').collect();
    assert_eq!(SourceType::ALL.iter().map(|source_type| source_type.as_str()).collect::<Vec<_>>(), words);
    for ((source_type, method), word) in METHODS.into_iter().zip(words) {
        let source = method(SourceFqn::builder(), "n").build().unwrap();
        assert_eq!(source.as_str(), format!("{word}=n"));
        assert_eq!(source.get(source_type), Some("n"));
        assert_eq!(SourceFqn::builder().element(source_type, "n").build().unwrap(), source);
    }
}

#[test]
fn the_order_is_that_of_the_calls() {
    let build = |methods: &mut dyn Iterator<Item = &Method>| {
        methods.fold(SourceFqn::builder(), |builder, (_, method)| method(builder, "n")).build().unwrap()
    };
    let (forwards, backwards) = (build(&mut METHODS.iter()), build(&mut METHODS.iter().rev()));
    let types = |source: &SourceFqn| source.elements().map(|(source_type, _)| source_type).collect::<Vec<_>>();
    assert_eq!(types(&forwards), SourceType::ALL);
    assert_eq!(types(&backwards), SourceType::ALL.iter().rev().copied().collect::<Vec<_>>());
    assert_ne!(forwards, backwards);
}

#[test]
fn an_element_is_found_by_its_type() {
    let source: SourceFqn = "APPL=WebOrders#SERVER=web-1#SERVER=rack 2#GEOADDR=52.52437,13.41053".parse().unwrap();
    assert_eq!(source.get(SourceType::Appl), Some("WebOrders"));
    assert_eq!(source.get(SourceType::Server), Some("web-1"), "the innermost of two");
    assert_eq!(source.get(SourceType::Geoaddr), Some("52.52437,13.41053"));
    assert_eq!(source.get(SourceType::Queue), None);
    assert_eq!(source.elements().nth(2), Some((SourceType::Server, "rack 2")));
    assert_eq!(format!("{:>12}", "APPL=a".parse::<SourceFqn>().unwrap()), "      APPL=a");
    assert_eq!(format!("{source:?}"), format!("SourceFqn({source})"));
}

#[test]
fn placeholders_are_filled_by_type() {
    let source: SourceFqn = "APPL=orders#SERVER=?#NETADDR=?#DATACENTER=DC?1".parse().unwrap();
    assert!(source.has_placeholders());
    let filled = source.fill_placeholders(|source_type| match source_type {
        SourceType::Server => Some("web-1".into()),
        SourceType::Appl | SourceType::Datacenter => Some("not asked for".into()),
        _ => None,
    });
    // What nobody knows stays, and a `?` inside a name is no placeholder.
    assert_eq!(filled.unwrap().as_str(), "APPL=orders#SERVER=web-1#NETADDR=?#DATACENTER=DC?1");
    assert!(!"APPL=orders#DATACENTER=DC?1".parse::<SourceFqn>().unwrap().has_placeholders());

    for (value, offset, reason) in [
        ("a#b", 20, forbidden(SourceType::Server, '#')),
        ("=", 19, forbidden(SourceType::Server, '=')),
        ("", 19, SourceFault::EmptyName(SourceType::Server)),
    ] {
        let error = source.fill_placeholders(|_| Some(value.into())).unwrap_err();
        assert_eq!(error, SourceError { element: 2, offset, reason }, "{value:?}");
    }
}

#[test]
fn what_tnt4j_parses_we_parse_and_what_it_throws_at_we_refuse() {
    let lines = lines("tnt4j_source.jsonl");
    assert_eq!(lines.len(), 7);
    for line in &lines {
        let (case, input, name) = (&line["case"], &line["input"], &line["source_fqn"]);
        let parsed = input.as_str().map(str::parse::<SourceFqn>);
        match (parsed, name.as_str()) {
            (Some(Ok(ours)), Some(theirs)) => assert_eq!(ours.as_str(), theirs, "{case}"),
            (Some(Err(_)), None) => {}
            // The names that its factory makes of a configuration.
            (None, Some(theirs)) => assert_eq!(theirs.parse::<SourceFqn>().unwrap().to_string(), theirs, "{case}"),
            (parsed, name) => panic!("{case}: {parsed:?} and {name:?}"),
        }
    }
    let refused = lines.iter().filter(|line| line["source_fqn"] == Json::Null).count();
    assert_eq!(refused, 4);
}

#[test]
fn alone_it_is_read_strictly_and_in_an_event_leniently() {
    let read = |json: &str| serde_json::from_str::<SourceFqn>(json);
    assert_eq!(read(r#""APPL=a""#).unwrap().as_str(), "APPL=a");
    let error = read(r#""a""#).unwrap_err().to_string();
    assert_eq!(error, "source element 1 at byte 0: `a` has no `=` between type and name");

    for (theirs, ours) in [
        ("APPL=a#SERVER=s", Some("APPL=a#SERVER=s")),
        ("anything at all", Some("GENERIC=anything at all")),
        ("appl=a#Server=s", Some("APPL=a#SERVER=s")),
        ("HOST=h", Some("GENERIC=HOST_h")),
        ("APPL=a=b", Some("APPL=a_b")),
        ("APPL=a\nb", Some("APPL=a_b")),
        ("#APPL=a##free#", Some("APPL=a#GENERIC=free")),
        ("APPL=", Some("APPL=unknown")),
        ("", None),
        ("#", None),
        (" # ", None),
    ] {
        let json = serde_json::json!({"source-fqn": theirs}).to_string();
        let event: jkool_model::Event = serde_json::from_str(&json).unwrap();
        assert_eq!(event.source.as_ref().map(SourceFqn::as_str), ours, "{theirs:?}");
    }
}
