//! It needs no runtime and works inside any.

use crate::common::{PATIENCE, client};
use jkool_client::transport::MemoryTransport;

fn emit_and_flush(count: usize) -> (MemoryTransport, jkool_client::Client) {
    let memory = MemoryTransport::new();
    let client = client(&memory).build().unwrap();
    for _ in 0..count {
        client.event("op").emit();
    }
    (memory, client)
}

#[test]
fn without_a_runtime() {
    let (memory, client) = emit_and_flush(100);
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(memory.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inside_a_multi_thread_runtime() {
    let (memory, client) = emit_and_flush(100);
    assert!(client.flush_async(PATIENCE).await.is_delivered());
    assert!(client.shutdown_async(PATIENCE).await.is_delivered());
    assert_eq!(memory.len(), 100);
}

#[tokio::test]
async fn inside_a_current_thread_runtime_even_blocking() {
    let (memory, client) = emit_and_flush(100);
    assert!(client.flush_async(PATIENCE).await.is_delivered());
    client.event("op").emit();
    assert!(client.flush(PATIENCE).is_delivered());
    let blocking = client.clone();
    let report = tokio::task::spawn_blocking(move || blocking.flush(PATIENCE)).await.unwrap();
    assert!(report.is_delivered());
    drop(client);
    assert_eq!(memory.len(), 101);
}

#[test]
fn on_another_executor() {
    let (memory, client) = emit_and_flush(100);
    let report = block_on(client.shutdown_async(PATIENCE));
    assert!(report.is_delivered(), "{report}");
    assert_eq!(memory.len(), 100);
}

/// The smallest executor there is: parks the thread until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn when_the_runtime_that_it_was_built_in_is_gone() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (memory, client) = runtime.block_on(async { emit_and_flush(50) });
    drop(runtime);
    client.event("op").emit();
    assert!(client.shutdown(PATIENCE).is_delivered());
    assert_eq!(memory.len(), 51);
}

#[test]
fn dropped_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let memory = runtime.block_on(async {
        let (memory, client) = emit_and_flush(50);
        drop(client);
        memory
    });
    assert_eq!(memory.len(), 50);
}

#[tokio::test]
async fn an_async_flush_returns_by_its_deadline() {
    let memory = MemoryTransport::new();
    memory.push(jkool_client::transport::Step::Delay(PATIENCE));
    let client = client(&memory).build().unwrap();
    client.event("op").emit();
    let report = client.flush_async(std::time::Duration::from_millis(20)).await;
    assert_eq!(report.pending(), 1);
    let report = client.shutdown_async(std::time::Duration::from_millis(20)).await;
    assert_eq!((report.dropped(), report.pending()), (1, 0));
}
