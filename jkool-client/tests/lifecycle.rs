//! From the first breath to the last: events from destructors, hooks and transports, clones and runtimes that end in odd
//! places.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "common/transports.rs"]
mod transports;

use common::{PATIENCE, assert_accounts, assert_balanced, client, messages};
use jkool_client::model::Entity;
use jkool_client::transport::{MemoryTransport, Payload, Receipt, Transport, TransportError};
use jkool_client::{Admission, Client, LossReason, is_delivery_thread};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::time::Duration;
use transports::Gate;

/// Panics without a word on standard error.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

fn operation(entity: &Entity) -> &str {
    match entity {
        Entity::Event(event) => &event.operation,
        _ => panic!("only events here"),
    }
}

/// Emits when it is dropped.
struct LastWords(Client);

impl Drop for LastWords {
    fn drop(&mut self) {
        assert_eq!(self.0.event("op").message("last words").emit(), Admission::Accepted);
        let mut scope = self.0.event("op").start();
        scope.property("panicking", std::thread::panicking());
    }
}

#[test]
fn what_is_emitted_while_a_panic_unwinds_arrives() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    for _ in 0..20 {
        let last_words = LastWords(client.clone());
        let thread = std::thread::spawn(move || {
            let _last_words = last_words;
            panic_quietly();
        });
        thread.join().unwrap_err();
    }
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_accounts(&client, 40, 40, &[]);
    assert_eq!(memory.len(), 40);
}

#[test]
fn a_panic_that_takes_the_last_clone_with_it_delivers() {
    let memory = MemoryTransport::new();
    let client = client(&memory).flush_interval(Duration::from_secs(3600)).shutdown_timeout(PATIENCE).build().unwrap();
    let thread = std::thread::spawn(move || {
        for _ in 0..10 {
            client.event("op").emit();
        }
        panic_quietly();
    });
    thread.join().unwrap_err();
    assert_eq!(memory.len(), 10);
}

thread_local! {
    static SLOT: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

#[test]
fn what_is_emitted_at_the_end_of_a_thread_arrives() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    for emit_first in [true, false] {
        let client = client.clone();
        // What the client keeps for the thread is made before the slot, or after it.
        let thread = std::thread::spawn(move || {
            if emit_first {
                client.event("op").emit();
            }
            SLOT.set(Some(LastWords(client.clone())));
            if !emit_first {
                client.event("op").emit();
            }
        });
        thread.join().unwrap();
    }
    // Here nothing was made before the thread's end.
    let last_words = LastWords(client.clone());
    std::thread::spawn(move || SLOT.set(Some(last_words))).join().unwrap();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_accounts(&client, 8, 8, &[]);
}

#[test]
fn the_last_clone_can_end_with_a_thread() {
    let memory = MemoryTransport::new();
    let client = client(&memory).flush_interval(Duration::from_secs(3600)).shutdown_timeout(PATIENCE).build().unwrap();
    std::thread::spawn(move || SLOT.set(Some(LastWords(client)))).join().unwrap();
    assert_eq!(memory.len(), 2);
}

#[test]
fn what_a_panic_hook_emits_arrives() {
    const SIGN: &str = "for this hook";
    let memory = MemoryTransport::new();
    let builder = client(&memory).before_send(|entity| {
        // The hook is called on the delivery thread, in the middle of its work.
        assert!(operation(&entity) != "boom", "{SIGN}");
        Some(entity)
    });
    let client = builder.build().unwrap();
    let before = std::panic::take_hook();
    let reporting = client.clone();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<String>().is_some_and(|message| message == SIGN) {
            let message = if is_delivery_thread() { "delivery" } else { "program" };
            reporting.event("panic").message(message).emit();
        } else {
            before(info);
        }
    }));
    for _ in 0..10 {
        std::thread::spawn(|| panic!("{SIGN}")).join().unwrap_err();
        client.event("boom").emit();
    }
    // What the hook emits meanwhile is not waited for.
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert!(client.shutdown(PATIENCE).is_delivered());
    drop(std::panic::take_hook());
    assert_accounts(&client, 30, 20, &[(LossReason::HookPanic, 10)]);
    let mut messages = messages(&memory);
    messages.sort();
    assert_eq!(messages, [["delivery"; 10], ["program"; 10]].concat());
}

#[test]
fn what_comes_while_another_thread_shuts_down_is_accounted_for() {
    const THREADS: usize = 8;
    const EACH: usize = 2_000;
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    let start = Barrier::new(THREADS + 1);
    let accepted: usize = std::thread::scope(|scope| {
        let emit = || {
            start.wait();
            (0..EACH).filter(|_| client.event("op").emit() == Admission::Accepted).count()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(emit)).collect();
        start.wait();
        assert!(client.shutdown(PATIENCE).is_delivered());
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let late = (THREADS * EACH - accepted) as u64;
    assert_accounts(&client, (THREADS * EACH) as u64, accepted as u64, &[(LossReason::AfterShutdown, late)]);
    assert_eq!(memory.len(), accepted);
}

/// A place for a client that its own hook or transport uses.
type Own = Arc<OnceLock<Client>>;

#[test]
fn a_hook_that_emits_for_each_event_another_one_stays_bounded() {
    let memory = MemoryTransport::new();
    let (own, inner) = (Own::default(), Arc::<Mutex<u64>>::default());
    let (client_of_hook, count) = (Arc::clone(&own), Arc::clone(&inner));
    let builder = client(&memory).queue_events(100).before_send(move |entity| {
        *count.lock().unwrap() += 1;
        client_of_hook.get().unwrap().event("another").emit();
        Some(entity)
    });
    let client = builder.build().unwrap();
    own.set(client.clone()).unwrap();
    for _ in 0..50 {
        client.event("op").emit();
    }
    // It goes round and round, and yet what was there is delivered.
    assert_eq!(client.flush(PATIENCE).pending(), 0);
    assert_eq!(client.shutdown(PATIENCE).pending(), 0);
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.accepted(), 50 + *inner.lock().unwrap());
    assert_eq!(stats.in_memory(), 0);
    assert_eq!(memory.len() as u64, stats.delivered());
}

#[test]
fn a_transport_that_emits_stays_bounded() {
    #[derive(Debug)]
    struct Talkative {
        memory: MemoryTransport,
        client: Own,
    }

    #[async_trait::async_trait]
    impl Transport for Talkative {
        async fn send(&self, batch: &[Payload]) -> Receipt {
            let client = self.client.get().unwrap();
            client.event("sending").emit();
            // It knows whose thread this is.
            if !is_delivery_thread() {
                client.event("never").emit();
            }
            self.memory.send(batch).await
        }

        fn max_batch(&self) -> usize {
            self.memory.max_batch()
        }

        async fn close(&self) -> Result<(), TransportError> {
            self.client.get().unwrap().event("closing").emit();
            self.memory.close().await
        }
    }

    let memory = MemoryTransport::new().with_max_batch(10);
    let own = Own::default();
    let transport = Talkative { memory: memory.clone(), client: Arc::clone(&own) };
    let client = client(&memory).transport(transport).build().unwrap();
    own.set(client.clone()).unwrap();
    for _ in 0..100 {
        client.event("op").emit();
    }
    assert!(client.flush(PATIENCE).is_delivered());
    assert!(client.shutdown(PATIENCE).is_delivered());
    let sends = memory.attempts() as u64;
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.in_memory()), (100 + sends + 1, 0));
    assert_eq!(stats.dropped_total(), stats.dropped(LossReason::AfterShutdown));
    assert_eq!(memory.len() as u64, stats.delivered());
}

#[test]
fn a_hook_that_always_panics_ends_nothing() {
    let memory = MemoryTransport::new();
    let client = client(&memory).before_send(|_| panic_quietly()).build().unwrap();
    for _ in 0..1_000 {
        assert_eq!(client.event("op").emit(), Admission::Accepted);
    }
    let report = client.flush(PATIENCE);
    assert_eq!((report.delivered(), report.pending()), (0, 0));
    client.event("op").emit();
    assert_eq!(client.shutdown(PATIENCE).pending(), 0);
    assert_accounts(&client, 1_001, 0, &[(LossReason::HookPanic, 1_001)]);
    assert_eq!(memory.attempts(), 0);
}

/// Panics in all that is not a send.
#[derive(Debug)]
struct Rude {
    memory: MemoryTransport,
    gone: Sender<()>,
}

#[async_trait::async_trait]
impl Transport for Rude {
    async fn send(&self, batch: &[Payload]) -> Receipt {
        self.memory.send(batch).await
    }

    fn max_batch(&self) -> usize {
        self.memory.max_batch()
    }

    async fn close(&self) -> Result<(), TransportError> {
        panic_quietly()
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.gone.send(()).unwrap_or_default();
        panic_quietly();
    }
}

#[test]
fn a_transport_that_panics_at_its_end_harms_nothing() {
    let memory = MemoryTransport::new();
    let (gone, is_gone) = channel();
    let client = client(&memory).transport(Rude { memory: memory.clone(), gone }).build().unwrap();
    for _ in 0..10 {
        client.event("op").emit();
    }
    assert!(client.shutdown(PATIENCE).is_delivered());
    client.event("op").emit();
    assert_accounts(&client, 11, 10, &[(LossReason::AfterShutdown, 1)]);
    is_gone.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn the_last_clone_can_end_on_the_delivery_thread() {
    let memory = MemoryTransport::new();
    let last = Arc::<Mutex<Option<Client>>>::default();
    let (taken, (done, is_done)) = (Arc::clone(&last), channel());
    let builder = client(&memory).shutdown_timeout(PATIENCE).before_send(move |entity| {
        let client = taken.lock().unwrap().take();
        if let Some(client) = client {
            let stats = client.stats();
            drop(client);
            done.send(stats).unwrap();
        }
        Some(entity)
    });
    let gate = Gate::shut(&memory);
    let client = builder.transport(Arc::clone(&gate)).build().unwrap();
    {
        // The hook waits for this lock, and finds itself the only one that has a client.
        let mut last = last.lock().unwrap();
        for _ in 0..10 {
            client.event("op").emit();
        }
        *last = Some(client);
    }
    let stats = is_done.recv_timeout(PATIENCE).expect("the delivery thread goes on");
    assert_balanced(&stats);
    assert_eq!((stats.accepted(), stats.in_memory()), (10, 10));
    // The thread delivers what is left, ends, and its hook with it.
    gate.open();
    assert_eq!(is_done.recv_timeout(PATIENCE).unwrap_err(), RecvTimeoutError::Disconnected);
    assert_eq!(memory.len(), 10);
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_delivery_changes_nothing() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let client = client(&memory).transport(Arc::clone(&gate));
    let client = runtime.block_on(async { client.build().unwrap() });
    let emitting = client.clone();
    let task = runtime.spawn(async move {
        for _ in 0..100 {
            emitting.event("op").emit();
        }
    });
    runtime.block_on(task).unwrap();
    gate.wait_for(100);
    drop(runtime);
    gate.open();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_accounts(&client, 100, 100, &[]);
    assert_eq!(memory.len(), 100);
}

#[tokio::test]
async fn the_last_clone_can_end_in_a_task() {
    let memory = MemoryTransport::new();
    let client = client(&memory).shutdown_timeout(PATIENCE).build().unwrap();
    for _ in 0..10 {
        client.event("op").emit();
    }
    drop(client);
    assert_eq!(memory.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_clone_can_end_in_a_task_of_many() {
    let memory = MemoryTransport::new();
    let client = client(&memory).shutdown_timeout(PATIENCE).build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        tasks.spawn(async move {
            client.event("op").emit();
            client
        });
    }
    drop(client);
    // Each task's clone is dropped here, and the last of them waits.
    while let Some(client) = tasks.join_next().await {
        drop(client.unwrap());
    }
    assert_eq!(memory.len(), 10);
}

#[tokio::test]
async fn giving_up_a_flush_gives_up_no_event() {
    let memory = MemoryTransport::new();
    let gate = Gate::shut(&memory);
    let client = client(&memory).transport(Arc::clone(&gate)).build().unwrap();
    for _ in 0..20 {
        client.event("op").emit();
        let mut flush = Box::pin(client.flush_async(PATIENCE));
        // Begun, and dropped.
        assert!(poll_once(&mut flush).is_none());
    }
    gate.open();
    assert!(client.shutdown_async(PATIENCE).await.is_delivered());
    assert_accounts(&client, 20, 20, &[]);
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn a_draft_that_is_never_emitted_is_no_event() {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    drop(client.event("op"));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _draft = client.event("op");
        panic_quietly();
    }));
    unwound.unwrap_err();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_accounts(&client, 0, 0, &[]);
}
