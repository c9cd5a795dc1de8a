//! Panics as events.

use crate::api::client::{Client, WeakClient};
use crate::emit::clock;
use crate::emit::delivery_thread;
use crate::facade::surroundings;
use jkool_model::{CompCode, Entity, Event, Property, Severity, Text};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Starts the settings of a panic hook that streams each panic through `client`; [`install`](PanicHook::install) sets it.
///
/// A panic is an event with the operation `panic`, severity FATAL, completion code ERROR, the message as message and exception, the
/// properties `file`, `line`, `column`, `thread`, and `backtrace` when `RUST_BACKTRACE` asks for one. The span in which it
/// happened is its parent, when `jkool-tracing` knows of one. Then the hook flushes and calls the one that was set before.
///
/// With `panic = "abort"` it works as well: a hook runs before the end.
///
/// ```
/// use jkool_client::Client;
/// use jkool_client::model::{Event, Severity};
/// use jkool_client::transport::{Kind, MemoryTransport};
/// use std::time::Duration;
///
/// let memory = MemoryTransport::new();
/// let client = Client::builder().transport(memory.clone()).build()?;
/// jkool_client::panic_hook(&client).severity(Severity::Critical).flush_timeout(Duration::from_secs(2)).install();
///
/// std::thread::spawn(|| panic!("out of paper")).join().unwrap_err();
/// let events: Vec<Event> = memory.decode(Kind::Event)?;
/// assert_eq!((&*events[0].message, events[0].severity), ("out of paper", Severity::Critical));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn panic_hook(client: &Client) -> PanicHook {
    PanicHook { client: client.downgrade(), severity: Severity::Fatal, flush_timeout: Duration::from_secs(2) }
}

/// A panic hook in the making; see [`panic_hook`].
#[derive(Debug)]
#[must_use = "a panic hook does nothing until it is installed"]
pub struct PanicHook {
    /// A hook is there until the process ends: it must not keep the client from its end.
    client: WeakClient,
    severity: Severity,
    flush_timeout: Duration,
}

impl PanicHook {
    /// How grave a panic is; [`Severity::Fatal`] unless said otherwise. A program that catches panics may want less.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// How long a panic waits at most until its event is delivered, or in the spool; 2 s unless said otherwise. With zero it does
    /// not wait.
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// Sets the hook, before the one that is set now, which is called next.
    ///
    /// # Panics
    /// On a thread that panics, where the standard library lets nobody change the hook.
    pub fn install(self) {
        // Between taking and setting, another one would be lost.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            self.tell(info);
            before(info);
        }));
    }

    /// Nothing here calls code of the program's own: a panic while a panic is told ends the process.
    fn tell(&self, info: &PanicHookInfo<'_>) {
        // What panics there is a hook of the client, or its transport, which the client counts; and it could not wait for itself.
        if delivery_thread::is_current() {
            return;
        }
        let Some(client) = self.client.upgrade() else { return };
        client.emit(Entity::Event(Box::new(self.event(info))));
        if !self.flush_timeout.is_zero() {
            let _losses_are_told_on_standard_error = client.flush_durable(self.flush_timeout);
        }
    }

    fn event(&self, info: &PanicHookInfo<'_>) -> Event {
        let mut event = Event::default();
        event.operation = "panic".into();
        event.severity = self.severity;
        event.comp_code = Some(CompCode::Error);
        event.message = message(info);
        event.exception = event.message.clone();
        event.time = Some(clock::timestamp());
        let mut add = |name: &'static str, value: jkool_model::TypedValue| {
            event.properties.push(Property::new(name, value));
        };
        if let Some(location) = info.location() {
            add("file", location.file().to_owned().into());
            add("line", location.line().into());
            add("column", location.column().into());
        }
        let thread = std::thread::current();
        add("thread", thread.name().map_or(Text::Borrowed("unnamed"), |name| name.to_owned().into()).into());
        // Asks the environment, and costs nothing when that wants none.
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            add("backtrace", backtrace.to_string().into());
        }
        if let Some(surroundings) = surroundings::here() {
            event.parent_id = Some(surroundings.parent_id);
            event.correlators.push(surroundings.correlator);
        }
        event
    }
}

/// What `panic!` was called with. Anything else than text has no words.
fn message(info: &PanicHookInfo<'_>) -> Text {
    let payload = info.payload();
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return Text::Borrowed(text);
    }
    payload.downcast_ref::<String>().map_or(Text::Borrowed("a panic without a text"), |text| text.clone().into())
}
