//! The handle that programs hold.

use crate::api::error::BuildError;
use crate::api::receipt::DeliveryReceipt;
use crate::delivery::worker_thread::WorkerThread;
use crate::emit::host;
use crate::emit::line::Line;
use crate::emit::more::More;
use crate::emit::{clock, delivery_thread};
use crate::queue::overflow::Admission;
use crate::queue::shared::Shared;
use crate::queue::wait::{Goal, wait_async};
use crate::report::diagnostics;
use crate::report::health::{Condition, Health};
use crate::report::loss::LossReason;
use crate::report::stats::Report;
use crate::report::stats::Stats;
use jkool_model::{Entity, TrackingId};
use jkool_transport::Transport;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A client that sends events, activities and snapshots. Cloning is cheap; all clones share one queue and one delivery thread.
///
/// Emitted entities are queued, and a thread of the client delivers them. No call blocks on the network, and none needs an
/// async runtime; all work inside any runtime. Dropping the last clone shuts the client down and waits for at most the
/// builder's `shutdown_timeout`. A client in a `static` is never dropped: call [`shutdown`](Self::shutdown) before `main` ends.
///
/// A process that forks (a daemon, a pre-forking server) must build its client after the fork: a child has no delivery thread,
/// so a client from before the fork refuses its events as [`LossReason::Forked`].
///
/// ```
/// use jkool_client::Client;
/// use jkool_model::{Event, Severity, Snapshot};
/// use jkool_transport::{Kind, MemoryTransport};
/// use std::time::Duration;
///
/// let memory = MemoryTransport::new();
/// let client = Client::builder().transport(memory.clone()).source("APPL=WebOrders#SERVER=?".parse()?).build()?;
///
/// let payment = Snapshot::builder("Payment").category("Order").property("order-amount", 42).build();
/// client
///     .event("ProcessOrder")
///     .severity(Severity::Info)
///     .message("Order processed")
///     .correlator("order-42")
///     .location("Atlanta, Ga")
///     .snapshot(payment)
///     .emit();
///
/// let report = client.flush(Duration::from_secs(5));
/// assert!(report.is_delivered(), "{report}");
/// let events: Vec<Event> = memory.decode(Kind::Event)?;
/// assert_eq!(events[0].message, "Order processed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// A reference that does not keep the client alive.
#[derive(Debug, Clone)]
pub(crate) struct WeakClient {
    handle: Weak<Handle>,
}

impl WeakClient {
    /// The client, if it still exists.
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.handle.upgrade().map(|handle| Client { handle })
    }
}

/// Shows the counters, not the queued events.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Passes a new token to the transport.
pub(crate) type SetToken = Box<dyn Fn(String) -> Result<(), BuildError> + Send + Sync>;

/// The error text for an HTTPS setting in a client with another transport.
pub(crate) const NOT_FOR_OTHERS: &str = "applies to HTTPS only, but another transport was passed";

struct Handle {
    shared: Arc<Shared>,
    thread: Arc<WorkerThread>,
    /// The worker owns it, and drops it at the end.
    transport: Weak<dyn Transport>,
    set_token: Option<SetToken>,
    shutdown_timeout: Duration,
    /// Whether losses are reported on standard error.
    notices: bool,
    /// The guard of an adapter was dropped before anything was logged, and this was not reported yet.
    ended_early: AtomicBool,
}

impl Handle {
    /// Reports once if events can no longer be delivered.
    #[inline]
    fn admitted(&self, admission: Admission) -> Admission {
        if let Admission::Dropped(reason) = admission {
            self.dropped(reason);
        }
        admission
    }

    #[cold]
    fn dropped(&self, reason: LossReason) {
        match reason {
            LossReason::Forked if self.notices && self.shared.is_fork_to_be_told() => diagnostics::tell_forked(),
            LossReason::AfterShutdown if self.notices && self.ended_early.swap(false, Ordering::Relaxed) => {
                diagnostics::tell_early_end();
            }
            _ => {}
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if delivery_thread::is_current() {
            // The delivery thread cannot wait for itself; it delivers the rest when the hook that dropped the client returns.
            return self.shared.close(self.shutdown_timeout, clock::now());
        }
        let _told_on_standard_error = self.shared.wait(self.shutdown_timeout, Goal::Closed);
        if let Some((stats, told)) = self.shared.losses_at_the_end().filter(|_| self.notices) {
            diagnostics::tell_after_the_end(&stats, told);
        }
    }
}

impl Client {
    pub(crate) fn new(
        shared: Arc<Shared>,
        thread: Arc<WorkerThread>,
        transport: Weak<dyn Transport>,
        set_token: Option<SetToken>,
        shutdown_timeout: Duration,
        notices: bool,
    ) -> Self {
        let ended_early = AtomicBool::new(false);
        let handle = Handle { shared, thread, transport, set_token, shutdown_timeout, notices, ended_early };
        Self { handle: Arc::new(handle) }
    }

    /// Emits a complete event, activity or snapshot. It never blocks, unless the overflow policy is
    /// [`OverflowPolicy::Block`](crate::OverflowPolicy::Block).
    ///
    /// An invalid entity, which the service would reject, is dropped here as [`LossReason::Invalid`]. The delivery thread does
    /// this check if there is a `before_send` hook, which may correct the entity, or if its message or exception is longer than
    /// 16 KiB.
    pub fn emit(&self, entity: impl Into<Entity>) -> Admission {
        self.emit_from(entity.into(), More::NOTHING)
    }

    /// Like `emit`, for an event of a logging adapter, with data that the event itself does not contain.
    #[doc(hidden)]
    pub fn emit_from(&self, mut entity: Entity, more: More<'_>) -> Admission {
        self.stamp(&mut entity);
        self.admitted(self.handle.shared.emit(entity, more))
    }

    /// Like [`emit`](Self::emit), and returns a receipt with the outcome of this entity. Use it for single important events: it
    /// is slower than `emit`, because it takes a lock that all threads share when the event is accepted and when it ends.
    ///
    /// ```
    /// # use jkool_client::{Client, DeliveryOutcome};
    /// # use jkool_client::model::Event;
    /// # use jkool_client::transport::MemoryTransport;
    /// # use std::time::Duration;
    /// let client = Client::builder().transport(MemoryTransport::new()).build()?;
    /// let event = Event::builder().operation("PaymentAccepted").source("APPL=shop".parse()?).build()?;
    /// let receipt = client.emit_tracked(event);
    /// assert_eq!(receipt.wait(Duration::from_secs(5)), Some(DeliveryOutcome::Delivered));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn emit_tracked(&self, entity: impl Into<Entity>) -> DeliveryReceipt {
        let mut entity = entity.into();
        self.stamp(&mut entity);
        let (admission, receipt) = self.handle.shared.emit_tracked(entity);
        self.admitted(admission);
        DeliveryReceipt::new(receipt)
    }

    /// The delivery thread, for clients that share it; `None` in a forked child, where the thread does not exist.
    pub(crate) fn thread(&self) -> Option<Arc<WorkerThread>> {
        (!self.handle.shared.shards.origin.look()).then(|| Arc::clone(&self.handle.thread))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    pub(crate) fn admitted(&self, admission: Admission) -> Admission {
        self.handle.admitted(admission)
    }

    /// Sets time and thread, which are only known where the entity is emitted.
    pub(crate) fn stamp(&self, entity: &mut Entity) {
        let own = self.handle.shared.encoder.defaults.own;
        let tid = || own.then(host::current_tid);
        match entity {
            Entity::Event(event) => {
                event.time.get_or_insert_with(clock::timestamp);
                event.tid = event.tid.or_else(tid);
            }
            Entity::Activity(activity) => {
                activity.time.get_or_insert_with(clock::timestamp);
                activity.tid = activity.tid.or_else(tid);
            }
            Entity::Snapshot(snapshot) => {
                snapshot.time.get_or_insert_with(clock::timestamp);
            }
            _ => {}
        }
    }

    /// Whether `emit_line` can be used for this message: there is no hook that needs an event, and the message is not so long
    /// that it should be moved instead of copied.
    #[doc(hidden)]
    pub fn takes_line(&self, message: &str) -> bool {
        self.handle.shared.encoder.takes_line(message)
    }

    /// Whether the client or a log line adds a property of this name to an event that has none; then a line must not contain
    /// one of its own.
    #[doc(hidden)]
    pub fn adds_property(&self, name: &str) -> bool {
        self.handle.shared.encoder.adds_property(name)
    }

    /// Emits a log line, with the current time and thread.
    #[doc(hidden)]
    pub fn emit_line(&self, line: &Line<'_>) -> Admission {
        self.handle.admitted(self.handle.shared.emit_line(line))
    }

    /// Notes that the guard of an adapter was dropped. Before anything was logged this is probably a mistake, which is reported
    /// with the first loss.
    pub(crate) fn guard_dropped(&self) {
        self.handle.ended_early.store(self.stats().accepted() == 0, Ordering::Relaxed);
    }

    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient { handle: Arc::downgrade(&self.handle) }
    }

    /// Returns unique bits, with the same probability of a collision as random ones, for ids of other formats.
    #[doc(hidden)]
    pub fn next_bits(&self) -> u128 {
        self.handle.shared.encoder.ids.next_bits()
    }

    /// The same for two ids.
    #[doc(hidden)]
    pub fn next_two(&self) -> [u128; 2] {
        self.handle.shared.encoder.ids.next_two()
    }

    /// Returns an id for an event that others refer to before it is emitted.
    #[doc(hidden)]
    pub fn next_id(&self) -> TrackingId {
        self.handle.shared.encoder.ids.next()
    }

    /// Counts an event that an adapter could not create.
    #[doc(hidden)]
    pub fn count_dropped(&self, reason: LossReason) {
        self.handle.shared.refuse(reason);
    }

    /// Waits until all events that were emitted before are delivered or dropped, for at most `timeout`, and reports what became
    /// of them. The client stays usable. During an outage it tries the server at once and repeatedly until the timeout.
    ///
    /// Blocks the calling thread; in async code, use [`flush_async`](Self::flush_async). In a hook of the client, which runs on
    /// the delivery thread, it returns at once.
    pub fn flush(&self, timeout: Duration) -> Report {
        self.handle.shared.wait(timeout, Goal::Delivered)
    }

    /// Like [`flush`](Self::flush), for async code on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future discards the report; delivery continues.
    pub async fn flush_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Delivered).await
    }

    /// Waits until all events that were emitted before are delivered, dropped, or in the [spool](crate::Spool) and synced, for
    /// at most `timeout`. Events that the report counts as delivered or spooled survive `kill -9`: the next client with the
    /// same spool sends them. Without a spool this is the same as [`flush`](Self::flush).
    ///
    /// ```
    /// # use jkool_client::{Client, Spool};
    /// # use jkool_client::transport::MemoryTransport;
    /// # use std::time::Duration;
    /// # let folder = std::env::temp_dir().join(format!("jkool-doc-{}", std::process::id()));
    /// let client = Client::builder().transport(MemoryTransport::new()).spool(Spool::new(&folder)).build()?;
    /// client.event("PaymentAccepted").emit();
    /// assert!(client.flush_durable(Duration::from_secs(5)).is_durable());
    /// # drop(client);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_durable(&self, timeout: Duration) -> Report {
        self.handle.shared.wait(timeout, Goal::Durable)
    }

    /// Like [`flush_durable`](Self::flush_durable), for async code on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future discards the report; writing continues.
    pub async fn flush_durable_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Durable).await
    }

    /// Stops accepting events, delivers the queue within `timeout`, and ends the delivery thread. Events that are not delivered
    /// in time are written to the [spool](crate::Spool), for which the last quarter of the timeout is reserved, but at most a
    /// second; without a spool they are counted as [`LossReason::Shutdown`]. Events that any clone emits later are counted as
    /// [`LossReason::AfterShutdown`].
    ///
    /// Blocks the calling thread; in async code, use [`shutdown_async`](Self::shutdown_async). In a hook of the client, which
    /// runs on the delivery thread, it returns at once, and the queue is delivered afterwards.
    pub fn shutdown(&self, timeout: Duration) -> Report {
        self.handle.shared.wait(timeout, Goal::Closed)
    }

    /// Like [`shutdown`](Self::shutdown), for async code on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future discards the report; the shutdown continues.
    pub async fn shutdown_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Closed).await
    }

    /// Replaces the access token, and retries at once if the server refused the old one.
    ///
    /// # Errors
    /// If the token is invalid, or the client does not use the built-in HTTPS transport.
    pub fn set_token(&self, token: impl Into<String>) -> Result<(), BuildError> {
        let set = self.handle.set_token.as_ref();
        set.ok_or(BuildError::Setting { setting: "set_token", reason: NOT_FOR_OTHERS })?(token.into())?;
        self.handle.shared.ask_to_try();
        Ok(())
    }

    /// Retries at once instead of waiting for the backoff to end. Use it in a program that knows that the network or the server
    /// is available again.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::transport::MemoryTransport;
    /// # let client = Client::builder().transport(MemoryTransport::new()).build()?;
    /// // On a signal that the network is back:
    /// client.retry_now();
    /// # Ok::<(), jkool_client::BuildError>(())
    /// ```
    pub fn retry_now(&self) {
        self.handle.shared.ask_to_try();
    }

    /// Returns the state of delivery: whether events get through, the last error and since when it lasts, how many events wait,
    /// and what the transport reports about itself.
    pub fn health(&self) -> Health {
        let mut health = self.handle.shared.health();
        // A forked process must not call the transport, whose locks may be held by threads that it does not have.
        if !matches!(health.condition, Condition::Ended) {
            let transport = self.handle.transport.upgrade();
            health.transport = transport.map(|transport| transport.metrics()).unwrap_or_default();
        }
        health
    }

    /// Returns the counters of all events since the client was built.
    pub fn stats(&self) -> Stats {
        self.handle.shared.stats()
    }
}
