//! The queue does what a plain list would do.

use super::{Incoming, Queue};
use crate::emit::encode::Shape;
use crate::emit::line::{Content, Line, Logged, Stamped, Texts};
use crate::emit::raw_properties::{self, RawProperties};
use crate::queue::block::{Admitted, BLOCK_BYTES, BLOCK_EVENTS, Block, MAX_COPY, Taken};
use crate::queue::limits::Limits;
use crate::queue::overflow::OverflowPolicy;
use jkool_model::{Entity, Event, OpType, Scalar, Severity};
use jkool_transport::Kind;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use std::collections::VecDeque;
use std::time::Duration;

const MAX_SPARE: usize = 1 << 20;

/// A batch of the usual size.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

fn queue() -> Queue {
    let limits = Limits {
        events: 65_536,
        bytes: 64 << 20,
        overflow: OverflowPolicy::DropNewest,
        shed_below: Severity::None,
        priority: None,
        flush_interval: Duration::ZERO,
        wake_at: 2_048,
        batch_events: BATCH,
        batch_bytes: BATCH_BYTES,
        shards: 1,
    };
    Queue::new(&limits, MAX_SPARE)
}

fn mark(weight: usize) -> Admitted {
    Admitted { generation: 0, weight, arrived: 7, receipt: None }
}

fn shape(key_len: usize) -> Shape {
    Shape { kind: Kind::Event, key_len }
}

fn take(queue: &mut Queue, max: usize, bytes: usize) -> Vec<Block> {
    let mut taken = Vec::new();
    queue.take(max, bytes, &mut taken);
    taken
}

/// What an event is known by: its weight, and what it says.
type Known = (usize, String);

/// A log line that says all of it together.
fn with_line<R>(text: &str, f: impl FnOnce(Stamped, Texts<'_>) -> R) -> R {
    let (message, rest) = text.split_at(text.len() / 3);
    let (operation, name) = rest.split_at(rest.len() / 2);
    let (op_type, severity) = (OpType::Event, Severity::Info);
    let mut raw = RawProperties::new();
    raw.push(name, Scalar::Bool(true));
    let content = Content::Message(message);
    let line = Line { op_type, operation, severity, content, code: None, properties: &raw };
    f(Stamped::new(&line, || Logged { time: 7, tid: 9 }), line.texts())
}

/// The ways in which an event can stand in the queue.
#[derive(Debug, Clone, Copy)]
enum As {
    Entity,
    Encoded,
    Line,
}

fn push(queue: &mut Queue, (weight, text): &Known, form: As) {
    match form {
        As::Encoded => {
            let mut bytes = text.clone().into_bytes();
            queue.push(Incoming::Encoded(shape(text.len() / 2), &mut bytes), mark(*weight), || 0);
        }
        As::Line => {
            with_line(text, |stamped, texts| queue.push(Incoming::Line(&stamped, texts), mark(*weight), || 0));
        }
        As::Entity => {
            let event = Event::builder().message(text.clone()).source("APPL=a".parse().unwrap()).build().unwrap();
            queue.push(Incoming::Entity(event.into()), mark(*weight), || 0);
        }
    }
}

fn known(blocks: Vec<Block>) -> Vec<Known> {
    let mut all = Vec::new();
    for mut block in blocks {
        while let Some((mark, event)) = block.pop() {
            let text = match event {
                Taken::Encoded(kind, json, key) => {
                    assert_eq!(kind, Kind::Event);
                    String::from_utf8([json, key].concat()).unwrap()
                }
                Taken::Line(stamped, bytes) => {
                    let texts = stamped.texts(bytes);
                    let Content::Message(message) = texts.content else { panic!("{texts:?} has no message") };
                    let name = raw_properties::parts(texts.properties).next().unwrap().name();
                    let text = [message, texts.operation, name].concat();
                    with_line(&text, |expected, said| assert_eq!((stamped, texts), (expected, said)));
                    text
                }
                Taken::Entity(Entity::Event(event)) => event.message.to_string(),
                Taken::Entity(other) => panic!("{other:?} came in as something else"),
            };
            all.push((mark.weight, text));
        }
        assert_eq!((block.len(), block.weight()), (0, 0));
    }
    all
}

#[derive(Debug, Clone)]
enum Act {
    Push { weight: usize, len: usize, form: As, times: usize },
    DropOldest,
    Take { max: usize, bytes: usize, reuse: bool },
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    let len = prop_oneof![8 => 0..2_000_usize, 1 => MAX_COPY - 1..MAX_COPY + 2, 1 => Just(2 * BLOCK_BYTES)];
    let times = prop_oneof![4 => 1..5_usize, 1 => Just(BLOCK_EVENTS)];
    let max = prop_oneof![1..5_usize, Just(BLOCK_EVENTS), Just(512)];
    prop_oneof![
        6 => (0..3_000_usize, len, select(&[As::Entity, As::Encoded, As::Line][..]), times)
            .prop_map(|(weight, len, form, times)| Act::Push { weight, len, form, times }),
        2 => Just(Act::DropOldest),
        4 => (max, 1..1_000_000_usize, any::<bool>()).prop_map(|(max, bytes, reuse)| Act::Take { max, bytes, reuse }),
        1 => Just(Act::Clear),
    ]
}

proptest! {
    #[test]
    fn it_does_what_a_list_would_do(acts in vec(act(), 1..40)) {
        let (mut queue, mut list, mut number) = (queue(), VecDeque::<Known>::new(), 0);
        for act in acts {
            match act {
                Act::Push { weight, len, form, times } => for _ in 0..times {
                    number += 1;
                    let event = (weight, format!("{number}{}", "x".repeat(len)));
                    push(&mut queue, &event, form);
                    list.push_back(event);
                },
                Act::DropOldest => {
                    let dropped = queue.drop_oldest().map(|mark| mark.weight);
                    prop_assert_eq!(dropped, list.pop_front().map(|(weight, _)| weight));
                }
                Act::Take { max, bytes, reuse } => {
                    let mut blocks = take(&mut queue, max, bytes);
                    let len: usize = blocks.iter().map(Block::len).sum();
                    let weight: usize = blocks.iter().map(Block::weight).sum();
                    // A block is not taken apart for a batch that is half full.
                    prop_assert!(len * 2 >= max || weight.saturating_mul(2) >= bytes || list.len() == len);
                    prop_assert!(len <= max);
                    let expected: Vec<_> = list.drain(..len).collect();
                    let last = expected.last().map_or(0, |last| last.0);
                    prop_assert!(expected.is_empty() || weight - last < bytes);
                    let copies = blocks.iter_mut().map(|block| {
                        let mut copy = Block::default().begun(block.is_for(true));
                        let whole = block.len();
                        block.split(whole, &mut copy);
                        copy
                    });
                    prop_assert_eq!(known(copies.collect()), expected);
                    if reuse {
                        queue.reuse(blocks);
                    }
                }
                Act::Clear => {
                    queue.clear();
                    list.clear();
                }
            }
            prop_assert_eq!(queue.len(), list.len());
            prop_assert_eq!(queue.is_empty(), list.is_empty());
            prop_assert_eq!(queue.weight(), list.iter().map(|(weight, _)| weight).sum::<usize>());
        }
        let mut rest = Vec::new();
        while !queue.is_empty() {
            rest.extend(known(take(&mut queue, usize::MAX, usize::MAX)));
        }
        prop_assert_eq!(rest, Vec::from(list));
    }
}

proptest! {
    /// Lines travel as they stand in their block, wherever that was begun.
    #[test]
    fn the_lines_of_a_block_are_its_events(lens in vec((0..300_usize, 0..20_usize), 1..60), dropped in 0..10_usize) {
        let (mut queue, mut events) = (queue(), VecDeque::new());
        for (number, (len, key)) in lens.iter().enumerate() {
            let (json, key) = (format!("{number}{}", "x".repeat(*len)), "k".repeat(*key));
            let mut bytes = format!("{json}{key}").into_bytes();
            queue.push(Incoming::Encoded(shape(key.len()), &mut bytes), mark(number), || 0);
            events.push_back((number, json, key));
        }
        for _ in 0..dropped.min(events.len() - 1) {
            queue.drop_oldest().unwrap();
            events.pop_front();
        }
        let blocks = take(&mut queue, usize::MAX, usize::MAX);
        let [block] = <[Block; 1]>::try_from(blocks).unwrap();
        let room = block.bytes.capacity();
        let used = block.bytes.len() - block.read;
        match block.into_lines() {
            Ok(mut lines) => {
                let bytes = lines.take_bytes();
                let found: Vec<_> = lines.events().map(|(admitted, kind, part, key)| {
                    assert_eq!((kind, bytes[part.end]), (Kind::Event, b'\n'));
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    (admitted.weight, text(&bytes[part]), text(key))
                }).collect();
                prop_assert_eq!(found, Vec::from(events));
                let block = lines.into_block();
                prop_assert_eq!((block.len(), block.weight(), block.bytes.capacity()), (0, 0, 0));
            }
            Err(block) => {
                prop_assert!(used * 2 < room, "{used} of {room}");
                prop_assert_eq!(block.len(), events.len());
            }
        }
    }
}

#[test]
fn events_with_one_key_share_it() {
    let mut queue = queue();
    for key in ["pay", "pay", "ship", "pay"] {
        queue.push(Incoming::Encoded(shape(key.len()), &mut format!("{{}}{key}").into_bytes()), mark(1), || 0);
    }
    let blocks = take(&mut queue, 9, usize::MAX);
    assert_eq!(blocks[0].keys, b"payshippay");
    let lines = blocks.into_iter().next().unwrap().into_lines().ok();
    // So little in a block that was made for more is copied.
    assert!(lines.is_none_or(|lines| lines.events().map(|(.., key)| key.to_vec()).collect::<Vec<_>>().len() == 4));
}

#[test]
fn what_is_encoded_and_what_is_not_stand_apart() {
    let mut queue = queue();
    for form in [As::Encoded, As::Encoded, As::Line, As::Entity, As::Encoded] {
        push(&mut queue, &(1, "text".into()), form);
    }
    let blocks = take(&mut queue, 9, usize::MAX);
    let all: Vec<_> = blocks.iter().map(|block| (block.len(), block.is_for(true))).collect();
    assert_eq!(all, [(2, true), (2, false), (1, true)]);
}

#[test]
fn steady_traffic_stays_in_the_same_blocks() {
    let mut queue = queue();
    let traffic = |queue: &mut Queue| {
        for _ in 0..4 * BLOCK_EVENTS {
            push(queue, &(1, "x".repeat(300)), As::Encoded);
        }
        let mut blocks = take(queue, 4 * BLOCK_EVENTS, usize::MAX);
        let places: Vec<_> = blocks.iter().map(|block| block.bytes.as_ptr()).collect();
        blocks.iter_mut().for_each(|block| while block.pop().is_some() {});
        queue.reuse(blocks);
        places
    };
    let mut first = traffic(&mut queue);
    first.sort();
    for _ in 0..10 {
        let mut again = traffic(&mut queue);
        again.sort();
        assert_eq!(again, first);
    }
}

#[test]
fn an_outage_leaves_little_behind() {
    let mut queue = queue();
    for _ in 0..100 * BLOCK_EVENTS {
        push(&mut queue, &(1, "x".repeat(1_000)), As::Encoded);
    }
    push(&mut queue, &(1, "x".repeat(10 * BLOCK_BYTES)), As::Encoded);
    let blocks = take(&mut queue, usize::MAX, usize::MAX);
    queue.reuse(blocks);
    let (room, empty) = queue.spare.look();
    assert!(empty && (MAX_SPARE / 2..=MAX_SPARE).contains(&room), "{room}");
}

#[test]
fn a_large_event_is_not_copied() {
    let mut queue = queue();
    let mut buffer = vec![b'x'; MAX_COPY + 1];
    let place = buffer.as_ptr();
    queue.push(Incoming::Encoded(shape(0), &mut buffer), mark(1), || 0);
    assert!(buffer.is_empty());
    push(&mut queue, &(1, "small".into()), As::Encoded);
    let blocks = take(&mut queue, 1, usize::MAX);
    assert_eq!((blocks[0].len(), blocks[0].bytes.as_ptr()), (1, place));
}
