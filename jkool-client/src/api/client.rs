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
use crate::report::health::Health;
use crate::report::loss::LossReason;
use crate::report::stats::Report;
use crate::report::stats::Stats;
use jkool_model::{Entity, TrackingId};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Streams events, activities and snapshots. Cloning is cheap; all clones are one client.
///
/// What is emitted is queued, and delivered by a thread of the client's own: no call blocks on the network, none needs an
/// async runtime, and all work inside any. When the last clone is dropped, the client shuts down, waiting for at most the
/// builder's `shutdown_timeout`. A client in a `static` is never dropped: call [`shutdown`](Self::shutdown) before `main` ends.
///
/// A process that forks (a daemon, a pre-forking server) builds its client after the fork: the thread is not there in the child,
/// which refuses events as [`LossReason::Forked`].
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

/// A client that ends when nobody else holds it.
#[derive(Debug, Clone)]
pub(crate) struct WeakClient {
    handle: Weak<Handle>,
}

impl WeakClient {
    /// The client, while it is there.
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.handle.upgrade().map(|handle| Client { handle })
    }
}

/// Shows the counts, and not what is queued.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Hands a new token to the transport.
pub(crate) type SetToken = Box<dyn Fn(String) -> Result<(), BuildError> + Send + Sync>;

/// Why a setting of HTTPS is refused.
pub(crate) const NOT_FOR_OTHERS: &str = "is for HTTPS, and another transport was passed";

struct Handle {
    shared: Arc<Shared>,
    thread: Arc<WorkerThread>,
    set_token: Option<SetToken>,
    shutdown_timeout: Duration,
    /// Standard error is told of losses.
    notices: bool,
    /// The guard of an adapter was dropped before anything was logged, and nobody was told.
    ended_early: AtomicBool,
}

impl Handle {
    /// Tells once when nothing will be delivered here.
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
            // The delivery thread can't wait for itself; it delivers what is left when the hook that dropped this returns.
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
        set_token: Option<SetToken>,
        shutdown_timeout: Duration,
        notices: bool,
    ) -> Self {
        let ended_early = AtomicBool::new(false);
        Self { handle: Arc::new(Handle { shared, thread, set_token, shutdown_timeout, notices, ended_early }) }
    }

    /// Hands over a ready event, activity or snapshot. Never blocks, unless
    /// [`OverflowPolicy::Block`](crate::OverflowPolicy::Block) was chosen.
    ///
    /// One that the service would refuse is dropped here, as [`LossReason::Invalid`]; by the delivery thread when there is a
    /// `before_send` hook, which may mend it, or when its message or exception is longer than 16 KiB.
    pub fn emit(&self, entity: impl Into<Entity>) -> Admission {
        self.emit_from(entity.into(), More::NOTHING)
    }

    /// The same of an event that a logging adapter has made, with what it tells besides.
    #[doc(hidden)]
    pub fn emit_from(&self, mut entity: Entity, more: More<'_>) -> Admission {
        self.stamp(&mut entity);
        self.admitted(self.handle.shared.emit(entity, more))
    }

    /// [`emit`](Self::emit), with a receipt that tells what becomes of this event. It costs more than an event without: a lock that
    /// all threads share, once on the way in and once at the end.
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

    /// Where others may live too. In a child that was forked there is no such place.
    pub(crate) fn thread(&self) -> Option<Arc<WorkerThread>> {
        (!self.handle.shared.shards.origin.look()).then(|| Arc::clone(&self.handle.thread))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    pub(crate) fn admitted(&self, admission: Admission) -> Admission {
        self.handle.admitted(admission)
    }

    /// Only where it is emitted is it known when and on which thread that was.
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

    /// Whether a log line with that message may come as such: there is no hook that wants to see an event, and the message is
    /// not so long that it is better moved.
    #[doc(hidden)]
    pub fn takes_line(&self, message: &str) -> bool {
        self.handle.shared.encoder.takes_line(message)
    }

    /// Whether the client or a log line adds a property of that name to an event that has none: a line may not have it among
    /// its own.
    #[doc(hidden)]
    pub fn adds_property(&self, name: &str) -> bool {
        self.handle.shared.encoder.adds_property(name)
    }

    /// Emits a log line, now and on this thread.
    #[doc(hidden)]
    pub fn emit_line(&self, line: &Line<'_>) -> Admission {
        self.handle.admitted(self.handle.shared.emit_line(line))
    }

    /// The guard of an adapter is dropped: before anything was logged, that is likely a mistake, which the first loss tells of.
    pub(crate) fn guard_dropped(&self) {
        self.handle.ended_early.store(self.stats().accepted() == 0, Ordering::Relaxed);
    }

    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient { handle: Arc::downgrade(&self.handle) }
    }

    /// Bits that no other has, as surely as random ones, for ids of other forms.
    #[doc(hidden)]
    pub fn next_bits(&self) -> u128 {
        self.handle.shared.encoder.ids.next_bits()
    }

    /// An id for an event that others name before it is emitted.
    #[doc(hidden)]
    pub fn next_id(&self) -> TrackingId {
        self.handle.shared.encoder.ids.next()
    }

    /// Counts an event that an adapter could not make.
    #[doc(hidden)]
    pub fn count_dropped(&self, reason: LossReason) {
        self.handle.shared.refuse(reason);
    }

    /// Waits until all that was emitted before is delivered or dropped, at most for `timeout`, and says what became of it.
    /// The client goes on. While the server is away, it is tried at once and again until the timeout.
    ///
    /// Blocks the calling thread; in async code there is [`flush_async`](Self::flush_async). In a hook of the client, which runs on
    /// the delivery thread, it returns at once.
    pub fn flush(&self, timeout: Duration) -> Report {
        self.handle.shared.wait(timeout, Goal::Delivered)
    }

    /// [`flush`](Self::flush) for async code, on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the report; delivery goes on.
    pub async fn flush_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Delivered).await
    }

    /// Waits until all that was emitted before is delivered, dropped, or in the [spool](crate::Spool) and synced, at most for
    /// `timeout`. What this reports as delivered or spooled survives even `kill -9`: the next client with the same spool
    /// sends it. Without a spool nothing is durable before it is delivered, and this is [`flush`](Self::flush).
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

    /// [`flush_durable`](Self::flush_durable) for async code, on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the report; the writing goes on.
    pub async fn flush_durable_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Durable).await
    }

    /// Takes in nothing more, delivers what is queued, at most for `timeout`, and ends the delivery thread. What is not
    /// delivered by then goes to the [spool](crate::Spool), for which the last quarter of the time is kept, at most a second;
    /// without a spool it is counted as [`LossReason::Shutdown`]. What any clone emits later is counted as
    /// [`LossReason::AfterShutdown`].
    ///
    /// Blocks the calling thread; in async code there is [`shutdown_async`](Self::shutdown_async). In a hook of the client, which runs
    /// on the delivery thread, it returns at once, and what is queued is delivered afterwards.
    pub fn shutdown(&self, timeout: Duration) -> Report {
        self.handle.shared.wait(timeout, Goal::Closed)
    }

    /// [`shutdown`](Self::shutdown) for async code, on any executor.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the report; the shutdown goes on.
    pub async fn shutdown_async(&self, timeout: Duration) -> Report {
        wait_async(&self.handle.shared, timeout, Goal::Closed).await
    }

    /// Sends another access token from now on, and tries at once what a refused one has held up.
    ///
    /// # Errors
    /// When it is no token, or the client's transport is not the built-in one for HTTPS.
    pub fn set_token(&self, token: impl Into<String>) -> Result<(), BuildError> {
        let set = self.handle.set_token.as_ref();
        set.ok_or(BuildError::Setting { setting: "set_token", reason: NOT_FOR_OTHERS })?(token.into())?;
        self.handle.shared.ask_to_try();
        Ok(())
    }

    /// Tries at once to deliver, whatever the client waits for: for a program that knows that the network or the server is back.
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

    /// How delivery is doing: whether events get through, why not, since when, and how much waits.
    pub fn health(&self) -> Health {
        self.handle.shared.health()
    }

    /// What became of everything so far.
    pub fn stats(&self) -> Stats {
        self.handle.shared.stats()
    }
}
