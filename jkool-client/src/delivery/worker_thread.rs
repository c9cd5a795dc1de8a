//! The delivery thread, on which workers run; one for each client unless clients share it. It ends with its last worker.

use crate::delivery::worker::Worker;
use crate::emit::{delivery_thread, thread};
use crate::queue::shared::Shared;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct WorkerThread {
    inbox: Mutex<Inbox>,
    /// Notifies that a worker was added.
    came: Notify,
}

#[derive(Default)]
struct Inbox {
    /// The new workers, each with a channel to report that its spool is open.
    workers: Vec<(Worker, mpsc::SyncSender<()>)>,
    /// Whether there is a thread that will take them.
    running: bool,
}

/// How long a program waits for its spool to be opened. With tens of thousands of files, opening continues in the background.
const OPENING: Duration = Duration::from_millis(500);

/// The running workers; each returns what it shares with its program.
type Workers = FuturesUnordered<Pin<Box<dyn Future<Output = Arc<Shared>>>>>;

impl WorkerThread {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a worker, on a new thread if there is none, and waits a short time for its spool.
    pub(crate) fn add(self: &Arc<Self>, worker: Worker) -> io::Result<()> {
        let (opened, open) = mpsc::sync_channel(1);
        let mut inbox = self.lock();
        if !inbox.running {
            // Under the lock: a worker that is added in the meantime finds the thread, or starts one.
            start(self)?;
            inbox.running = true;
        }
        inbox.workers.push((worker, opened));
        drop(inbox);
        self.came.notify_one();
        // Usually this takes a moment, and then the number of recovered events is known from the start.
        open.recv_timeout(OPENING).ok();
        Ok(())
    }

    /// Returns the new workers. If there are none, and none is running, the thread ends.
    fn arrivals(&self, alone: bool) -> Option<Vec<(Worker, mpsc::SyncSender<()>)>> {
        let mut inbox = self.lock();
        inbox.running = !alone || !inbox.workers.is_empty();
        inbox.running.then(|| std::mem::take(&mut inbox.workers))
    }

    /// Runs workers until the last one has ended, and returns what it shared with its program.
    async fn serve(&self) -> Option<Arc<Shared>> {
        let mut workers = Workers::new();
        let mut ended = None;
        while let Some(arrivals) = self.arrivals(workers.is_empty() && ended.is_some()) {
            for (worker, opened) in arrivals {
                workers.push(Box::pin(worker.live(opened)));
            }
            // Another worker continues.
            ended.take().inspect(|ended: &Arc<Shared>| ended.ended());
            let mut came = pin!(self.came.notified());
            ended = poll_fn(|context| match workers.poll_next_unpin(context) {
                Poll::Ready(Some(ended)) => Poll::Ready(Some(ended)),
                _ => came.as_mut().poll(context).map(|()| None),
            })
            .await;
        }
        ended
    }
}

/// Starts the thread, and waits until its runtime exists.
fn start(workers: &Arc<WorkerThread>) -> io::Result<()> {
    let (started, start) = mpsc::sync_channel(1);
    let workers = Arc::clone(workers);
    thread::spawn("jkool", move || {
        delivery_thread::mark();
        match Builder::new_current_thread().enable_all().on_thread_start(delivery_thread::mark).build() {
            Ok(runtime) => {
                drop(started.send(Ok(())));
                live(&workers, runtime);
            }
            Err(error) => drop(started.send(Err(error))),
        }
    })?;
    start.recv().unwrap_or_else(|_| Err(io::Error::other("the delivery thread ended before it was ready")))
}

fn live(workers: &WorkerThread, runtime: Runtime) {
    let last = runtime.block_on(workers.serve());
    // A name resolution that hangs must not delay the end of the thread.
    runtime.shutdown_background();
    // Only now are the last connections closed.
    last.inspect(|last| last.ended());
}
