//! What is stored: the friendly data of a demo, and data as a busy system makes it.

use jkool_benches::event::event;
use jkool_model::{Event, OpType, Property, Severity, Snapshot, SourceFqn, Timestamp};

/// A kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// The full event with some life in it: 20 operations, 12 sources, all severities, an order number for every four events.
    Demo,
    /// Urls with ids as operations (10,000 of them), 400 servers, 40 applications, a correlator for every ten events, 500
    /// metrics, a number and a token in each message.
    Busy,
}

const OPERATIONS: [&str; 20] = [
    "accept", "verify", "reserve", "price", "pay", "capture", "pick", "pack", "label", "ship", "track", "deliver",
    "bill", "remind", "refund", "restock", "audit", "report", "login", "search",
];

impl Data {
    /// Event `i` of `total`, which end about now.
    pub(crate) fn event(self, i: u64, total: u64, now_us: u64) -> Event {
        match self {
            Data::Demo => demo(i, total, now_us),
            Data::Busy => busy(i, total, now_us),
        }
    }
}

fn demo(i: u64, total: u64, now_us: u64) -> Event {
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

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

const SEVERITIES: [Severity; 9] = [
    Severity::Debug,
    Severity::Info,
    Severity::Info,
    Severity::Info,
    Severity::Info,
    Severity::Notice,
    Severity::Warning,
    Severity::Error,
    Severity::Critical,
];

fn busy(i: u64, total: u64, now_us: u64) -> Event {
    let mut chance = Chance(i);
    let time = (now_us - (total - i) * 300) as i64;
    let source = format!(
        "APPL=svc-{}#SERVER=pod-{}#NETADDR=10.1.{}.{}#DATACENTER=DC{}#GEOADDR=52.5,13.4",
        i % 40,
        chance.below(400),
        i % 250,
        i % 200,
        i % 3
    );
    let message = format!(
        "GET /users/{} took {} ms for order {i} token {:x}",
        chance.below(100_000),
        chance.below(900),
        chance.next() >> 24
    );
    let mut event = Event::builder()
        .operation(format!("/api/v1/tenant-{}/users/{}", i % 100, chance.below(100)))
        .severity(SEVERITIES[chance.below(9) as usize])
        .source(source.parse::<SourceFqn>().expect("a source name"))
        .correlator(format!("req-{}", chance.below(total / 10 + 1)))
        .message(message)
        .build()
        .expect("an event");
    let (high, low) = (chance.next(), chance.next());
    let id = format!("{:08x}-{:04x}-4000-8000-{:012x}", high >> 32, high & 0xffff, low >> 16);
    event.tracking_id = Some(id.into());
    event.time = Some(Timestamp::from_usec(time));
    let elapsed = chance.below(100_000) as i64;
    event.start_time = Some(Timestamp::from_usec(time - elapsed));
    event.end_time = Some(Timestamp::from_usec(time));
    event.elapsed_usec = Some(elapsed);
    (event.pid, event.tid) = (Some((i % 5_000) as i64), Some((i % 64) as i64));
    (event.user, event.location) = (format!("user{}", chance.below(5_000)).into(), "Atlanta".into());
    event.properties = vec![Property::new(format!("attr{}", chance.below(50)), chance.below(1_000) as i64)];
    if i.is_multiple_of(5) {
        let mut snapshot = Snapshot::builder(format!("metric-{}", chance.below(100))).category("App");
        for k in 0..5 {
            snapshot = snapshot.property(format!("p{k}"), chance.next() as f64 / u64::MAX as f64);
        }
        event.snapshots = vec![snapshot.time(Timestamp::from_usec(time)).build()];
    }
    event
}
