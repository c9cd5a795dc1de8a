//! Delivery under failure: what is tried again, what is given up, and that every event is accounted for.

use crate::common::{PATIENCE, assert_balanced, client, failure, messages};
use crate::transports::Judge;
use jkool_client::transport::{
    Disposition, MemoryTransport, Outcome, Payload, Receipt, Step, Transport, TransportError,
};
use jkool_client::{Admission, LossReason, OverflowPolicy};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

const RETRY: Disposition = Disposition::Retry { after: None };

#[test]
fn what_fails_for_now_arrives_later_unchanged_and_in_order() {
    let memory = MemoryTransport::new();
    let steps = [RETRY, Disposition::Misconfigured, RETRY, RETRY]
        .map(|disposition| Step::Fail(failure(disposition).in_doubt()));
    memory.script(steps);
    let client = client(&memory).in_flight(1).build().unwrap();
    for number in 0..10 {
        client.event("op").message(number.to_string()).emit();
    }
    let report = client.flush(PATIENCE);
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (10, 0, 0), "{report}");
    assert_eq!(messages(&memory), (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(memory.attempts(), 5);
    assert_eq!(client.stats().maybe_duplicated(), 40);
    assert_balanced(&client.stats());
}

fn message(payload: &Payload) -> String {
    serde_json::from_slice::<jkool_client::model::Event>(payload.body()).unwrap().message.into_owned()
}

#[test]
fn what_is_refused_is_counted_and_the_rest_arrives() {
    let memory = MemoryTransport::new();
    let judge = Judge::of(&memory, |payload: &Payload| match message(payload).as_str() {
        "0" => Outcome::Failed(failure(Disposition::Rejected)),
        "1" => Outcome::Failed(failure(Disposition::TooLarge)),
        _ => Outcome::Delivered,
    });
    let client = client(&memory).transport(judge).max_batch(1).in_flight(1).build().unwrap();
    // The others give the proof.
    for number in 0..40 {
        client.event("op").message(number.to_string()).emit();
    }
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert_eq!(client.stats().delivered(), 38);
    assert_eq!(messages(&memory), (2..40).map(|number| number.to_string()).collect::<Vec<_>>());
    let stats = client.stats();
    assert_eq!((stats.dropped(LossReason::Rejected), stats.dropped(LossReason::TooLarge)), (1, 1));
    assert_eq!(client.health().refused_last_minute, 2);
    assert_balanced(&stats);
}

#[test]
fn what_is_refused_last_is_tried_once_more_at_the_end_and_holds_up_no_shutdown() {
    let memory = MemoryTransport::new();
    let judge = Judge::of(&memory, |payload: &Payload| match message(payload).as_str() {
        "bad" => Outcome::Failed(failure(Disposition::Rejected)),
        _ => Outcome::Delivered,
    });
    let letters = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&letters);
    let builder = client(&memory).transport(judge).max_batch(1).on_dead_letter(move |_| {
        heard.fetch_add(1, Ordering::SeqCst);
    });
    let client = builder.build().unwrap();
    for message in ["good", "bad", "bad"] {
        client.event("op").message(message).emit();
    }
    // Had this waited for its time-out, they would be lost to the shutdown.
    assert_eq!(client.shutdown(PATIENCE).pending(), 0);
    assert_eq!(client.stats().delivered(), 1);
    assert_eq!((client.stats().dropped(LossReason::Rejected), letters.load(Ordering::SeqCst)), (2, 2));
}

#[test]
fn hooks_hear_of_every_refused_event_and_of_losses_once() {
    let memory = MemoryTransport::new();
    let judge = Judge::of(&memory, |payload: &Payload| match message(payload).as_str() {
        "0" | "1" | "2" => Outcome::Failed(failure(Disposition::Rejected)),
        _ => Outcome::Delivered,
    });
    let (letters, received) = std::sync::mpsc::channel();
    let (losses, told) = std::sync::mpsc::channel();
    let builder = client(&memory)
        .transport(judge)
        .max_batch(1)
        .in_flight(1)
        .on_dead_letter(move |letter| {
            letters.send((letter.reason, letter.payload, letter.error.to_string())).unwrap();
            panic!("on purpose");
        })
        .on_loss(move |stats| {
            losses.send(*stats).unwrap();
            panic!("on purpose");
        });
    let client = builder.build().unwrap();
    for number in 0..50 {
        client.event("op").message(number.to_string()).emit();
    }
    assert_eq!(client.shutdown(PATIENCE).pending(), 0);
    assert_eq!((client.stats().delivered(), client.stats().dropped(LossReason::Rejected)), (47, 3));
    drop(client);
    let mut letters: Vec<_> = received.iter().collect();
    assert_eq!(letters.len(), 3);
    letters.sort_by_key(|(_, payload, _)| message(payload));
    for (number, (reason, payload, error)) in letters.iter().enumerate() {
        let event: jkool_client::model::Event = serde_json::from_slice(payload.body()).unwrap();
        assert_eq!((event.message.as_ref(), *reason), (number.to_string().as_str(), LossReason::Rejected));
        assert_eq!(error, "scripted");
    }
    let told: Vec<_> = told.iter().collect();
    assert!((1..=2).contains(&told.len()), "once a minute at most, and at the end");
    assert_eq!(told[told.len() - 1].dropped(LossReason::Rejected), 3);
}

#[test]
fn a_transport_that_panics_ends_nothing() {
    let memory = MemoryTransport::new();
    memory.script([Step::Panic, Step::Panic]);
    let client = client(&memory).build().unwrap();
    client.event("op").message("survived").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(messages(&memory), ["survived"]);
    assert_eq!(memory.attempts(), 3);
}

/// Takes a batch only when it is let through.
#[derive(Debug)]
struct Gate {
    memory: MemoryTransport,
    open: Semaphore,
    under_way: Mutex<usize>,
    /// Told at each change of how many wait at the gate.
    changed: Condvar,
}

impl Gate {
    fn new(memory: &MemoryTransport) -> Arc<Self> {
        let (under_way, changed) = (Mutex::new(0), Condvar::new());
        Arc::new(Self { memory: memory.clone(), open: Semaphore::new(0), under_way, changed })
    }

    /// How many sends wait at the gate, once there are `enough` or patience is at its end.
    fn wait_for(&self, enough: usize) -> usize {
        let under_way = self.under_way.lock().unwrap();
        *self.changed.wait_timeout_while(under_way, PATIENCE, |under_way| *under_way < enough).unwrap().0
    }
}

#[async_trait::async_trait]
impl Transport for Gate {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        *self.under_way.lock().unwrap() += 1;
        self.changed.notify_all();
        self.open.acquire().await.unwrap().forget();
        *self.under_way.lock().unwrap() -= 1;
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

#[test]
fn as_many_sends_are_under_way_as_allowed() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(4).build().unwrap();
    for _ in 0..100 {
        client.event("op").emit();
    }
    assert_eq!(gate.wait_for(4), 4);
    // One more would have started with these four, in one go.
    assert_eq!(client.flush(Duration::from_millis(20)).pending(), 100);
    assert_eq!(gate.wait_for(4), 4);
    gate.open.add_permits(100);
    assert!(client.flush(PATIENCE).is_delivered());
}

#[test]
fn a_flush_returns_by_its_deadline_and_tells_the_truth() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).build().unwrap();
    for _ in 0..3 {
        client.event("op").emit();
    }
    let report = client.flush(Duration::from_millis(20));
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (0, 0, 3));
    gate.open.add_permits(3);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(client.stats().delivered(), 3);
}

#[test]
fn a_shutdown_counts_what_it_could_not_deliver() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(2).build().unwrap();
    for _ in 0..10 {
        client.event("op").emit();
    }
    let report = client.shutdown(Duration::from_millis(20));
    assert_eq!((report.delivered(), report.dropped(), report.pending()), (0, 10, 0));
    let stats = client.stats();
    assert_eq!((stats.dropped(LossReason::Shutdown), stats.in_memory(), stats.bytes_in_memory()), (10, 0, 0));
    assert_balanced(&stats);
}

#[test]
fn a_full_queue_drops_and_counts_and_never_blocks() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).queue_events(10).build().unwrap();
    let admissions: Vec<_> = (0..25).map(|_| client.event("op").emit()).collect();
    assert_eq!(admissions.iter().filter(|admission| **admission == Admission::Accepted).count(), 10);
    assert!(admissions[10..].iter().all(|admission| *admission == Admission::Dropped(LossReason::Overflow)));
    gate.open.add_permits(11);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(client.event("op").emit(), Admission::Accepted);
    assert_balanced(&client.stats());
}

#[test]
fn memory_is_bounded_in_bytes() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).queue_bytes(100_000).build().unwrap();
    for _ in 0..1000 {
        client.event("op").message("x".repeat(1000)).emit();
        assert!(client.stats().bytes_in_memory() <= 100_000, "{:?}", client.stats());
    }
    let stats = client.stats();
    assert!(stats.in_memory() > 20 && stats.dropped(LossReason::Overflow) > 800, "{stats}");
    client.event("op").message("x".repeat(200_000)).emit();
    gate.open.add_permits(1000);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_balanced(&client.stats());
    assert_eq!(client.stats().bytes_in_memory(), 0);
}

#[test]
fn what_grows_by_encoding_stays_near_the_limit() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).queue_bytes(1 << 20).build().unwrap();
    // Each byte becomes six in JSON, and a text as long as this is encoded by the delivery thread.
    for _ in 0..50 {
        client.event("op").message("\u{1}".repeat(20_000)).emit();
    }
    while client.stats().bytes_in_memory() <= 1 << 20 {
        assert_eq!(client.flush(Duration::from_millis(10)).delivered(), 0);
    }
    // Then no more is encoded until something has left.
    assert_eq!(client.flush(Duration::from_millis(50)).delivered(), 0);
    let bytes = client.stats().bytes_in_memory();
    assert!(bytes <= (1 << 20) + (1 << 17), "{bytes}");
    gate.open.add_permits(100);
    assert!(client.flush(PATIENCE).is_delivered());
    assert_balanced(&client.stats());
}

#[test]
fn the_first_of_two_shutdowns_counts() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).in_flight(1).build().unwrap();
    for _ in 0..3 {
        client.event("op").emit();
    }
    let patient = client.clone();
    let first = std::thread::spawn(move || patient.shutdown(PATIENCE));
    while client.event("late").emit() == Admission::Accepted {}
    let report = client.shutdown(Duration::ZERO);
    assert_eq!(report.dropped(), 0);
    assert!(report.pending() >= 3);
    gate.open.add_permits(1_000_000);
    assert!(first.join().unwrap().is_delivered());
    assert_eq!(client.stats().dropped(LossReason::Shutdown), 0);
    assert_balanced(&client.stats());
}

/// A worker that is held up, by a hook that waits, longer than any deadline here.
#[tokio::test]
async fn deadlines_hold_while_the_delivery_thread_is_held_up() {
    let memory = MemoryTransport::new();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let client = client(&memory)
        .before_send(move |entity| {
            assert!(held.recv_timeout(PATIENCE).is_err());
            Some(entity)
        })
        .build()
        .unwrap();
    client.event("op").emit();
    let short = Duration::from_millis(10);
    assert_eq!(client.flush(short).pending(), 1);
    assert_eq!(client.flush_async(short).await.pending(), 1);
    let report = client.shutdown_async(short).await;
    assert_eq!((report.dropped(), report.pending()), (1, 0));
    assert_eq!(client.stats().dropped(LossReason::Shutdown), 1);
    drop(release);
}

#[test]
fn a_caller_that_chose_to_wait_gets_room() {
    let memory = MemoryTransport::new();
    let client = client(&memory).queue_events(16).overflow(OverflowPolicy::Block(PATIENCE)).build().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || (0..1000).all(|_| client.event("op").emit() == Admission::Accepted))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(memory.len(), 4000);
}

#[test]
fn a_caller_waits_only_as_long_as_it_chose() {
    let memory = MemoryTransport::new().with_max_batch(1);
    let gate = Gate::new(&memory);
    let overflow = OverflowPolicy::Block(Duration::from_millis(10));
    let client = client(&memory).transport(Arc::clone(&gate)).queue_events(1).overflow(overflow).build().unwrap();
    assert_eq!(client.event("op").emit(), Admission::Accepted);
    assert_eq!(client.event("op").emit(), Admission::Dropped(LossReason::Overflow));
    assert_eq!(client.shutdown(Duration::ZERO).pending(), 0);
}

#[test]
fn a_hook_that_emits_into_a_full_queue_does_not_wait_for_itself() {
    let memory = MemoryTransport::new();
    let slot = Arc::new(std::sync::OnceLock::<jkool_client::Client>::new());
    let inner = Arc::clone(&slot);
    let builder =
        client(&memory).queue_events(2).overflow(OverflowPolicy::Block(PATIENCE)).before_send(move |entity| {
            if let (Some(client), jkool_client::model::Entity::Event(event)) = (inner.get(), &entity) {
                if event.operation == "outer" {
                    client.event("inner").emit();
                }
            }
            Some(entity)
        });
    let client = builder.build().unwrap();
    slot.set(client.clone()).unwrap();
    client.event("outer").emit();
    client.event("outer").emit();
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_balanced(&client.stats());
}

#[test]
fn eight_threads_keep_their_order_and_lose_nothing() {
    let memory = MemoryTransport::new();
    // A server that fails now and then makes it harder.
    memory.script((0..50).flat_map(|_| [Step::Deliver, Step::Fail(failure(RETRY))]));
    let client =
        client(&memory).in_flight(1).queue_events(1000).overflow(OverflowPolicy::Block(PATIENCE)).build().unwrap();
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (client, start) = (client.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                for number in 0..2_000 {
                    client.event("op").message(format!("{thread} {number}")).emit();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(client.shutdown(PATIENCE).is_delivered());
    let mut next = [0; 8];
    for message in messages(&memory) {
        let (thread, number) = message.split_once(' ').unwrap();
        let next = &mut next[thread.parse::<usize>().unwrap()];
        assert_eq!(number.parse::<i32>().unwrap(), *next, "thread {thread}");
        *next += 1;
    }
    assert_eq!(next, [2_000; 8]);
    assert_balanced(&client.stats());
}

#[test]
fn a_receipt_that_forgets_payloads_loses_none() {
    #[derive(Debug)]
    struct Forgetful(MemoryTransport, AtomicUsize);

    #[async_trait::async_trait]
    impl Transport for Forgetful {
        async fn send(&self, batch: &[Payload]) -> Receipt {
            if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
                return Receipt::new(Vec::<Outcome>::new());
            }
            self.0.send(batch).await
        }

        fn max_batch(&self) -> usize {
            self.0.max_batch()
        }

        async fn close(&self) -> Result<(), TransportError> {
            self.0.close().await
        }
    }

    let memory = MemoryTransport::new();
    let client = client(&memory).transport(Forgetful(memory.clone(), AtomicUsize::new(0))).build().unwrap();
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    assert_eq!(memory.len(), 1);
}

/// Tells an event about each send from a thread of its own, before the send is back.
#[derive(Debug)]
struct Chatty {
    memory: MemoryTransport,
    send_begins: Mutex<Sender<()>>,
    told: Mutex<Receiver<()>>,
}

#[async_trait::async_trait]
impl Transport for Chatty {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        self.send_begins.lock().unwrap().send(()).unwrap();
        self.told.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        self.memory.close().await
    }
}

#[test]
fn a_transport_that_logs_from_a_thread_of_its_own_feeds_itself_for_a_while_only() {
    let memory = MemoryTransport::new();
    let ((send_begins, sends), (tell, told)) = (channel(), channel());
    let chatty = Chatty { memory: memory.clone(), send_begins: Mutex::new(send_begins), told: Mutex::new(told) };
    let builder = client(&memory).transport(chatty).flush_interval(Duration::from_millis(20));
    let client = builder.build().unwrap();
    let talking = client.clone();
    let thread = std::thread::spawn(move || {
        for () in sends {
            talking.event("sending").emit();
            tell.send(()).unwrap();
        }
    });
    client.event("op").emit();
    let ended = || client.stats().dropped(LossReason::Recursion) > 0;
    // A flush would send what came at once, and leave no pause.
    let looks =
        (0..6_000).take_while(|_| !ended()).map(|_| std::thread::park_timeout(Duration::from_millis(10))).count();
    assert!(ended(), "after {looks} looks: {}", client.stats());
    assert!(client.flush(PATIENCE).is_delivered());
    let stats = client.stats();
    assert_balanced(&stats);
    // A machine that is busy elsewhere can make a pause look short; then it begins to count again.
    assert!(stats.delivered() >= 64 && stats.dropped_total() == 1, "{stats}");
    let _report = client.shutdown(PATIENCE);
    thread.join().unwrap();
}
