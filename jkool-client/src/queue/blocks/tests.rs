//! The queue does what a plain list would do.

use super::{BLOCK_BYTES, BLOCK_EVENTS, Block, Incoming, MAX_COPY, Queue, Taken};
use crate::emit::decoration::Lacks;
use crate::emit::encode::Shape;
use crate::emit::line::{Line, Stamped};
use crate::queue::mark::Mark;
use jkool_model::{Entity, Event, OpType, Severity};
use jkool_transport::Kind;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use std::collections::VecDeque;

const MAX_SPARE: usize = 1 << 20;

fn mark(weight: usize) -> Mark {
    Mark { generation: 0, weight, slot: None }
}

fn shape(key_len: usize) -> Shape {
    Shape { kind: Kind::Event, lacks: Lacks::ID, key_len }
}

/// What an event is known by: its weight, and what it says.
type Known = (usize, String);

fn stamped(message: &str) -> Stamped {
    let (op_type, severity) = (OpType::Event, Severity::Info);
    Stamped::new(&Line { op_type, operation: "", severity, message, code: None }, 7, 9)
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
            queue.push(Incoming::Encoded(shape(text.len() / 2), &mut bytes), mark(*weight));
        }
        As::Line => {
            let (message, operation) = text.split_at(text.len() / 3);
            queue.push(Incoming::Line(stamped(&"x".repeat(message.len())), message, operation), mark(*weight));
        }
        As::Entity => {
            let event = Event::builder().message(text.clone()).source("APPL=a".parse().unwrap()).build().unwrap();
            queue.push(Incoming::Entity(event.into()), mark(*weight));
        }
    }
}

fn known(blocks: Vec<Block>) -> Vec<Known> {
    let mut all = Vec::new();
    for mut block in blocks {
        while let Some((mark, event)) = block.pop() {
            let text = match event {
                Taken::Encoded(of, bytes) => {
                    assert_eq!(of, shape(bytes.len() / 2));
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
                Taken::Line(line, bytes) => {
                    assert_eq!(line, stamped(&"x".repeat(bytes.len() / 3)));
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
                Taken::Entity(Entity::Event(event)) => event.message.to_string(),
                Taken::Entity(other) => panic!("{other:?} came in as something else"),
            };
            all.push((mark.weight, text));
        }
        assert_eq!((block.len(), block.weight), (0, 0));
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
        let (mut queue, mut list, mut number) = (Queue::new(MAX_SPARE), VecDeque::<Known>::new(), 0);
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
                    let (mut expected, mut weight) = (Vec::new(), 0);
                    while expected.len() < max && weight < bytes {
                        let Some(next) = list.pop_front() else { break };
                        weight += next.0;
                        expected.push(next);
                    }
                    let mut blocks = queue.take(max, bytes);
                    let copies = blocks.iter_mut().map(|block| {
                        let mut copy = Block::default();
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
        prop_assert_eq!(known(queue.take(usize::MAX, usize::MAX)), Vec::from(list));
    }
}

#[test]
fn steady_traffic_stays_in_the_same_blocks() {
    let mut queue = Queue::new(MAX_SPARE);
    let traffic = |queue: &mut Queue| {
        for _ in 0..4 * BLOCK_EVENTS {
            push(queue, &(1, "x".repeat(300)), As::Encoded);
        }
        let mut blocks = queue.take(4 * BLOCK_EVENTS, usize::MAX);
        let places: Vec<_> = blocks.iter().map(|block| block.bytes.as_ptr()).collect();
        blocks.iter_mut().for_each(|block| while block.pop().is_some() {});
        queue.reuse(blocks);
        places
    };
    let mut first = traffic(&mut queue);
    assert_eq!(first.len(), 4, "blocks are as large as they can be");
    first.sort();
    for _ in 0..10 {
        let mut again = traffic(&mut queue);
        again.sort();
        assert_eq!(again, first);
    }
}

#[test]
fn an_outage_leaves_little_behind() {
    let mut queue = Queue::new(MAX_SPARE);
    for _ in 0..100 * BLOCK_EVENTS {
        push(&mut queue, &(1, "x".repeat(1_000)), As::Encoded);
    }
    push(&mut queue, &(1, "x".repeat(10 * BLOCK_BYTES)), As::Encoded);
    let blocks = queue.take(usize::MAX, usize::MAX);
    queue.reuse(blocks);
    let spare = &queue.spare;
    assert!(spare.blocks.iter().all(|block| block.bytes.is_empty() && block.len() == 0));
    let room: usize = spare.blocks.iter().map(Block::room).sum();
    assert_eq!(room, spare.bytes);
    assert!((MAX_SPARE / 2..=MAX_SPARE).contains(&room), "{room}");
}

#[test]
fn a_large_event_is_not_copied() {
    let mut queue = Queue::new(MAX_SPARE);
    let mut buffer = vec![b'x'; MAX_COPY + 1];
    let place = buffer.as_ptr();
    queue.push(Incoming::Encoded(shape(0), &mut buffer), mark(1));
    assert!(buffer.is_empty());
    push(&mut queue, &(1, "small".into()), As::Encoded);
    let blocks = queue.take(1, usize::MAX);
    assert_eq!((blocks[0].len(), blocks[0].bytes.as_ptr()), (1, place));
}
