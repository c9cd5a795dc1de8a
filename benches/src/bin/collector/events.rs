//! The full event with some life in it: 20 operations, 12 sources, all severities, an order number for every four events.

use jkool_benches::event::event;
use jkool_model::{Event, OpType, Severity, SourceFqn};

const OPERATIONS: [&str; 20] = [
    "accept", "verify", "reserve", "price", "pay", "capture", "pick", "pack", "label", "ship", "track", "deliver",
    "bill", "remind", "refund", "restock", "audit", "report", "login", "search",
];

/// Event `i` of `total`, which end about now, a millisecond apart.
pub(crate) fn full(i: u64, total: u64, now_us: u64) -> Event {
    let id = format!("{:08x}-0000-4000-8000-{:012x}", i.wrapping_mul(0x9e37_79b9) as u32, i);
    let mut event = event(&id, i, now_us - (total - i) * 1_000);
    event.operation = OPERATIONS[(i * 7 % 20) as usize].into();
    event.source = Some(source(i % 12));
    event.severity = match i % 100 {
        0 => Severity::Critical,
        1..=3 => Severity::Error,
        4..=9 => Severity::Warning,
        10..=29 => Severity::Debug,
        _ => Severity::Info,
    };
    event.op_type = match i % 4 {
        0 => OpType::Send,
        1 => OpType::Receive,
        _ => OpType::Event,
    };
    event.correlators = vec![format!("order-{}", i / 4).into()];
    event
}

fn source(number: u64) -> SourceFqn {
    format!("APPL=app-{}#SERVER=host-{number}#DATACENTER=DC{}", number % 4, number % 2).parse().expect("a source name")
}
